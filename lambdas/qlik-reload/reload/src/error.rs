//! Why a delivery did not become a reload that succeeded, told apart by what should happen next.

use std::fmt;
use std::time::Duration;

use lambda_runtime::Diagnostic;
use serde::{Deserialize, Serialize};

/// A failure; its kind is the `errorType` of the Lambda error payload.
#[derive(Debug, Clone, PartialEq)]
pub enum Error {
    /// Trying again cannot help, so the claim remembers it.
    Permanent {
        /// Which.
        kind: Permanent,
        /// One sentence for people, without secrets.
        message: String,
    },
    /// A later delivery may succeed.
    Retryable {
        /// Which.
        kind: Retryable,
        /// One sentence for people, without secrets.
        message: String,
        /// How long Qlik asked to wait, if it did.
        after: Option<Duration>,
    },
}

/// Failures that stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Permanent {
    /// The event or the request is not one this function knows.
    InvalidRequest,
    /// `ALLOWED_APPS` does not name the app.
    AppNotAllowed,
    /// The same delivery id or `Idempotency-Key` came with another body.
    KeyReused,
    /// Qlik answered 401, also to the key as read anew.
    Unauthorized,
    /// Qlik answered 403.
    Forbidden,
    /// Qlik does not know the app.
    AppNotFound,
    /// Qlik does not know the reload.
    ReloadNotFound,
    /// Qlik answered 400 or another status of the 400s that stays.
    QlikRefused,
    /// Qlik answered with a redirect or a status that the call cannot have.
    QlikUnexpected,
    /// The reload ended FAILED.
    ReloadFailed,
    /// The reload ended CANCELED.
    ReloadCanceled,
}

/// Failures that may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retryable {
    /// Another run holds this delivery.
    InProgress,
    /// The claims table did not answer.
    ClaimsUnavailable,
    /// The secret has no usable value, or Secrets Manager did not answer.
    SecretUnavailable,
    /// Qlik answered 429.
    Throttled,
    /// Qlik answered 5xx, or something that cannot be read.
    QlikUnavailable,
    /// Qlik could not be reached.
    QlikUnreachable,
    /// Qlik did not answer in time, or no time was left to ask.
    TimedOut,
    /// The reload ended EXCEEDED_LIMIT: the tenant runs as many as it may.
    ReloadLimitExceeded,
    /// The reload was in an unknown or unsettled status (result `UNKNOWN`) when the time was up.
    ReloadUnknown,
}

/// The result of everything that can fail here.
pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn permanent(kind: Permanent, message: impl Into<String>) -> Error {
        Error::Permanent { kind, message: message.into() }
    }

    pub(crate) fn retryable(kind: Retryable, message: impl Into<String>) -> Error {
        Error::Retryable { kind, message: message.into(), after: None }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Error {
        Error::permanent(Permanent::InvalidRequest, message)
    }

    /// The name of the kind, as in the Lambda error payload's `errorType`.
    pub fn name(&self) -> String {
        match self {
            Error::Permanent { kind, .. } => format!("{kind:?}"),
            Error::Retryable { kind, .. } => format!("{kind:?}"),
        }
    }

    /// The sentence for people.
    pub fn message(&self) -> &str {
        match self {
            Error::Permanent { message, .. } | Error::Retryable { message, .. } => message,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.message())
    }
}

impl std::error::Error for Error {}

impl From<function::Invalid> for Error {
    fn from(invalid: function::Invalid) -> Error {
        Error::invalid(invalid.0)
    }
}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Diagnostic {
        Diagnostic { error_type: error.name(), error_message: error.message().to_owned() }
    }
}
