//! Errors of a function's run, with a name for each kind, which Lambda shows as `errorType`.

use std::fmt;

use crate::item::Unavailable;

/// Why a run failed. Lambda repeats an event whose run failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The event is of no kind that the function handles.
    UnknownEvent(String),
    /// The event names a request that does not exist.
    UnknownRequest(String),
    /// The statement whose end the event reports is still running.
    StillRunning,
    /// A service failed or did not respond.
    Unavailable(String),
}

impl Error {
    /// The name of its kind.
    pub fn name(&self) -> &'static str {
        match self {
            Error::UnknownEvent(_) => "UnknownEvent",
            Error::UnknownRequest(_) => "UnknownRequest",
            Error::StillRunning => "StillRunning",
            Error::Unavailable(_) => "Unavailable",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::UnknownEvent(allowed) => write!(f, "the event is unknown; {allowed}"),
            Error::UnknownRequest(key) => write!(f, "there is no request {key}"),
            Error::StillRunning => f.write_str("the statement of the event is still running; it will be checked again"),
            Error::Unavailable(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for Error {}

impl From<Unavailable> for Error {
    fn from(problem: Unavailable) -> Error {
        Error::Unavailable(problem.0)
    }
}

impl From<Error> for lambda_runtime::Diagnostic {
    fn from(error: Error) -> lambda_runtime::Diagnostic {
        lambda_runtime::Diagnostic { error_type: error.name().to_owned(), error_message: error.to_string() }
    }
}
