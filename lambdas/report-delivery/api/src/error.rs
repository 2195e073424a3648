//! The errors that callers receive.

use std::fmt;

use lambda_runtime::Diagnostic;
use report_queue::{InvalidRequest, Unavailable};

/// An unsuccessful response: a status, and one sentence without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pub(crate) status: u16,
    pub(crate) message: String,
    /// The supported methods, with 405.
    pub(crate) allow: Option<&'static str>,
}

pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    fn new(status: u16, message: impl Into<String>) -> Error {
        Error { status, message: message.into(), allow: None }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Error {
        Error::new(400, message)
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Error {
        Error::new(403, message)
    }

    /// The same for a job that never existed, belongs to another caller, was deleted, or has expired.
    pub(crate) fn no_job() -> Error {
        Error::new(404, "there is no such job")
    }

    pub(crate) fn no_route() -> Error {
        Error::new(404, "there is no such resource")
    }

    pub(crate) fn method(allow: &'static str) -> Error {
        let message = format!("the resource does not support this method; allowed: {allow}");
        Error { allow: Some(allow), ..Error::new(405, message) }
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Error {
        Error::new(409, message)
    }

    pub(crate) fn gone(message: impl Into<String>) -> Error {
        Error::new(410, message)
    }

    pub(crate) fn too_large(message: impl Into<String>) -> Error {
        Error::new(413, message)
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Error {
        Error::new(503, message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// For a scheduled report; a caller of the API gets the status.
impl From<Error> for Diagnostic {
    fn from(error: Error) -> Diagnostic {
        let name = match error.status {
            503 => "Unavailable",
            409 => "Conflict",
            _ => "InvalidReport",
        };
        Diagnostic { error_type: name.to_owned(), error_message: error.message }
    }
}

impl From<InvalidRequest> for Error {
    fn from(invalid: InvalidRequest) -> Error {
        Error::invalid(invalid.0)
    }
}

impl From<Unavailable> for Error {
    fn from(unavailable: Unavailable) -> Error {
        Error::unavailable(unavailable.0)
    }
}
