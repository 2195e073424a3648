//! What can go wrong, sorted by who has to act.

use std::fmt;

/// Why a deployment did not happen, as one sentence for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The caller has to act first: wrong usage, an incomplete assembly, no credentials or region, or no permission for this. Exit code 2.
    Refused(String),
    /// AWS does not accept the caller's credentials, or no longer does. Every tenant would fail the same way. Exit code 2.
    Access(String),
    /// AWS did the work, and the deployment did not succeed. Exit code 1.
    Failed(String),
}

impl Error {
    /// The same error as one that the caller has to fix, for what fails before any work has started.
    pub(crate) fn into_refusal(self) -> Error {
        match self {
            Error::Failed(message) => Error::Refused(message),
            refused => refused,
        }
    }

    /// Whether AWS failed a deployment because a quota is used up: every further tenant of the environment would fail the same way.
    pub(crate) fn is_full_quota(&self) -> bool {
        // The words of the services' errors; none has a code in CloudFormation's events.
        const WORDS: [&str; 6] = [
            "LimitExceeded",
            "limit exceeded",
            "ServiceQuotaExceeded",
            "TooManyResponseHeadersPolicies",
            "TooManyOriginAccessControls",
            "Maximum number of",
        ];
        matches!(self, Error::Failed(message) if WORDS.iter().any(|word| message.contains(word)))
    }

    /// The process exit code that scripts can rely on: 1 for a failed deployment, 2 for one that could not start.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Failed(_) => 1,
            Error::Refused(_) | Error::Access(_) => 2,
        }
    }
}

/// The exit code for several errors: 0 for none, 2 if AWS does not let the caller in, 1 if AWS failed any deployment, otherwise 2.
pub fn exit_code_of<'a>(errors: impl IntoIterator<Item = &'a Error>) -> u8 {
    let worst = |error: &&Error| match error {
        Error::Access(_) => 2,
        Error::Failed(_) => 1,
        Error::Refused(_) => 0,
    };
    errors.into_iter().max_by_key(worst).map_or(0, Error::exit_code)
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Refused(message) | Error::Access(message) | Error::Failed(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denied_access_outweighs_failures_and_failures_outweigh_refusals() {
        let [refused, access, failed] = [Error::Refused, Error::Access, Error::Failed].map(|kind| kind(String::new()));
        assert_eq!(exit_code_of([]), 0);
        assert_eq!(exit_code_of([&refused, &refused]), 2);
        assert_eq!(exit_code_of([&refused, &failed, &refused]), 1);
        assert_eq!(exit_code_of([&failed, &access, &refused]), 2);
    }
}
