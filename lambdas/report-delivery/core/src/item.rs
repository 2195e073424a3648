//! An item of a table, as far as the queue needs its types.

use std::collections::BTreeMap;

/// An item by its attributes.
pub type Item = BTreeMap<String, Value>;

/// An attribute's value; the queue needs two types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text.
    S(String),
    /// A whole number.
    N(u64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::S(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::S(text)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Value {
        Value::N(number)
    }
}
