//! Drains the queue of report jobs into free slots and follows each job to its end.
