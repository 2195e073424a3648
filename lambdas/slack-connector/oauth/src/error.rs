//! Why something failed, distinguished by what should happen next.

use std::fmt;

use lambda_runtime::Diagnostic;

/// A failure; its kind is the `errorType` of the Lambda error payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The kind, on which a caller acts.
    pub kind: Kind,
    /// One sentence for people, without secrets.
    pub message: String,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The event is unknown to this function.
    InvalidEvent,
    /// A secret has no usable value, or Secrets Manager did not respond.
    SecretUnavailable,
    /// The state table did not respond.
    TableUnavailable,
    /// Slack could not be reached, did not respond in time, or sent a response that cannot be read.
    SlackUnavailable,
    /// Slack refused with a code.
    SlackRefused,
    /// Slack returned a token, but not one for the tenant's organization with the right to read its analytics.
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

    /// The name of the kind, which is the Lambda error payload's `errorType`.
    pub fn name(&self) -> String {
        format!("{:?}", self.kind)
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
        Diagnostic { error_type: error.name(), error_message: error.message }
    }
}
