//! Why a request has no answer, told apart by what Athena or a person does next.

use std::fmt;

use lambda_runtime::Diagnostic;

/// The result of everything that can fail here.
pub type Result<T> = std::result::Result<T, Error>;

/// A failure with one sentence for whoever wrote the query.
///
/// The sentence reaches the person at the query editor, so it never carries a secret, a key or a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What happens next.
    pub kind: Kind,
    /// One sentence for people.
    pub message: String,
}

/// The kinds of failure; the name of each is Lambda's `errorType`, but for [`Kind::Throttled`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request is not one this function knows, or the query asks for what cannot be.
    InvalidRequest,
    /// There is no such schema or table.
    EntityNotFound,
    /// The source has too many requests: Athena waits and asks again, if nothing was written.
    Throttled,
    /// The source does not let this function in; an administrator must act.
    AccessDenied,
    /// The source is not set up for what is asked; an administrator must act.
    NotConfigured,
    /// The source did not answer, or answered with what cannot be read; a later query may succeed.
    Unavailable,
    /// The split has more rows than fit.
    TooLarge,
    /// The query was cancelled or has ended; nobody waits for this answer.
    Cancelled,
    /// This function could not store or encrypt what it read.
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

    /// Lambda's `errorType`. The one that Athena knows is spelled as its Java class.
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
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Diagnostic {
        Diagnostic { error_type: error.error_type().to_owned(), error_message: error.message }
    }
}
