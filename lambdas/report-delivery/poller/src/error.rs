//! Why a run failed.

use std::fmt;

use lambda_runtime::Diagnostic;
use report_queue::Unavailable;

/// A failure; its name is the `errorType` of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The event is neither a sweep nor about an object.
    UnknownEvent,
    /// A table could not be used.
    TableUnavailable(Unavailable),
}

impl Error {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Error::UnknownEvent => "UnknownEvent",
            Error::TableUnavailable(_) => "TableUnavailable",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::UnknownEvent => f.write_str(
                r#"the event is unknown; must be {"sweep":true} or EventBridge's event of a created object"#,
            ),
            Error::TableUnavailable(reason) => reason.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<Unavailable> for Error {
    fn from(reason: Unavailable) -> Error {
        Error::TableUnavailable(reason)
    }
}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Diagnostic {
        Diagnostic { error_type: error.name().to_owned(), error_message: error.to_string() }
    }
}
