//! Why a run failed.

use std::fmt;

use lambda_runtime::Diagnostic;

/// A failure; its name is the `errorType` of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The event is not one of the stream's.
    UnknownEvent,
    /// So many deliveries were not made.
    NotDelivered(u32),
}

impl Error {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Error::UnknownEvent => "UnknownEvent",
            Error::NotDelivered(_) => "NotDelivered",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::UnknownEvent => f.write_str("the event is unknown; must be records of a table's stream"),
            Error::NotDelivered(count) => write!(f, "deliveries that were not made: {count}; the log names each"),
        }
    }
}

impl std::error::Error for Error {}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Diagnostic {
        Diagnostic { error_type: error.name().to_owned(), error_message: error.to_string() }
    }
}
