//! Why something could not be done, told apart by what should happen next.

use std::fmt;

use lambda_runtime::Diagnostic;

/// A failure; its kind is the `errorType` of the Lambda error payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What a caller acts on.
    pub kind: Kind,
    /// One sentence for people, without secrets.
    pub message: String,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The event is not one this function knows.
    InvalidEvent,
    /// A secret has no usable value, or Secrets Manager did not answer.
    SecretUnavailable,
    /// The state table did not answer.
    TableUnavailable,
    /// Slack could not be reached, did not answer in time, or answered something that cannot be read.
    SlackUnavailable,
    /// Slack refused, with a code.
    SlackRefused,
    /// Slack gave a token, but not one of the tenant's organization with the right to read its analytics.
    WrongInstallation,
    /// Another run is changing the token.
    Busy,
    /// Another run has changed the token in the meantime.
    Overtaken,
}

pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into() }
    }

    /// The name of the kind, as in the Lambda error payload's `errorType`.
    pub fn name(&self) -> String {
        format!("{:?}", self.kind)
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
        Diagnostic { error_type: error.name(), error_message: error.message }
    }
}
