//! Environment variables, read once at the start.

use std::fmt;

/// A variable that is missing or not of its form, in one sentence that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(pub String);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Invalid {}

/// The value of a variable that the stack sets.
///
/// # Errors
///
/// When it is missing or empty.
pub fn required(variable: &impl Fn(&str) -> Option<String>, name: &str) -> Result<String, Invalid> {
    let missing = || Invalid(format!("the environment variable {name} is missing; the stack sets it"));
    optional(variable, name).ok_or_else(missing)
}

/// The value of a variable that a stack may leave out; an empty one counts as left out.
pub fn optional(variable: &impl Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    variable(name).filter(|value| !value.is_empty())
}
