//! Why a delivery did not lead to a successful reload, distinguished by what should happen next.

use std::fmt;
use std::time::Duration;

use lambda_runtime::Diagnostic;
use serde::{Deserialize, Serialize};

/// A failure; its kind is the `errorType` of the Lambda error payload.
#[derive(Debug, Clone, PartialEq)]
pub enum Error {
    /// Retrying cannot help, so the claim records the failure.
    Permanent {
        /// The kind.
        kind: Permanent,
        /// One sentence for people, without secrets.
        message: String,
    },
    /// A later delivery may succeed.
    Retryable {
        /// The kind.
        kind: Retryable,
        /// One sentence for people, without secrets.
        message: String,
        /// The wait that Qlik requested, if any.
        after: Option<Duration>,
    },
}

/// Permanent failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Permanent {
    /// The event or the request is unknown to this function.
    InvalidRequest,
    /// `ALLOWED_APPS` does not contain the app.
    AppNotAllowed,
    /// The same delivery ID or `Idempotency-Key` was used with a different body.
    KeyReused,
    /// Qlik returned 401, even after the key was read again.
    Unauthorized,
    /// Qlik returned 403.
    Forbidden,
    /// Qlik does not know the app.
    AppNotFound,
    /// Qlik does not know the reload.
    ReloadNotFound,
    /// Qlik returned 400 or another permanent 4xx status.
    QlikRefused,
    /// Qlik returned a redirect or a status that is impossible for the call.
    QlikUnexpected,
    /// The reload ended FAILED.
    ReloadFailed,
    /// The reload ended CANCELED.
    ReloadCanceled,
}

/// Temporary failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retryable {
    /// Another run holds this delivery.
    InProgress,
    /// The claims table did not respond.
    ClaimsUnavailable,
    /// The secret has no usable value, or Secrets Manager did not respond.
    SecretUnavailable,
    /// Qlik returned 429.
    Throttled,
    /// Qlik returned 5xx, or a response that cannot be read.
    QlikUnavailable,
    /// Qlik could not be reached.
    QlikUnreachable,
    /// Qlik did not respond in time, or no time was left to call it.
    TimedOut,
    /// The reload ended EXCEEDED_LIMIT: the tenant runs as many reloads as it is allowed to.
    ReloadLimitExceeded,
    /// The reload had not ended when the time ran out, although the delivery waits for its end.
    StillRunning,
    /// The reload had a status that this version does not know when the time ran out.
    ReloadUnknown,
}

/// The result of everything in this crate that can fail.
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

    /// The name of the kind, which is the Lambda error payload's `errorType`.
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
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
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
