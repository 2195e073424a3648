//! Named queries, their parameters, and what the query app keeps of each request.
