//! Why a request failed, distinguished by what Athena or a person does next.

use std::fmt;

use lambda_runtime::Diagnostic;

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// A failure, with one sentence for the author of the query.
///
/// The sentence is shown in the query editor, so it never contains a secret, a key or a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The kind of failure, which decides what happens next.
    pub kind: Kind,
    /// One sentence for people.
    pub message: String,
}

/// The kinds of failure; each name is Lambda's `errorType`, except for [`Kind::Throttled`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request is unknown to this function, or the query asks for something impossible.
    InvalidRequest,
    /// The schema or table does not exist.
    EntityNotFound,
    /// The source has too many requests: Athena waits and retries, if nothing was written.
    Throttled,
    /// The source denies access to this function; an administrator must act.
    AccessDenied,
    /// The source is not configured for the request; an administrator must act.
    NotConfigured,
    /// The source did not respond, or its response cannot be read; a later query may succeed.
    Unavailable,
    /// The split has more rows than fit.
    TooLarge,
    /// The query was cancelled or has ended, so nobody is waiting for this answer.
    Cancelled,
    /// This function could not store or encrypt the rows.
    SpillFailed,
}

impl Error {
    /// An error of `kind`.
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into() }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Error {
        Error::new(Kind::InvalidRequest, message)
    }

    /// Lambda's `errorType`. The kind that Athena recognizes is spelled as its Java class.
    pub fn error_type(&self) -> &'static str {
        match self.kind {
            Kind::InvalidRequest => "InvalidRequest",
            Kind::EntityNotFound => "EntityNotFound",
            Kind::Throttled => "com.amazonaws.athena.connector.lambda.exceptions.FederationThrottleException",
            Kind::AccessDenied => "AccessDenied",
            Kind::NotConfigured => "NotConfigured",
            Kind::Unavailable => "Unavailable",
            Kind::TooLarge => "TooLarge",
            Kind::Cancelled => "Cancelled",
            Kind::SpillFailed => "SpillFailed",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Diagnostic {
        Diagnostic { error_type: error.error_type().to_owned(), error_message: error.message }
    }
}
