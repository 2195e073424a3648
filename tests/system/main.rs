//! Functions and stacks never link each other; here they meet.

mod wiring;
