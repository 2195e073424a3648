//! What can go wrong, sorted by who has to act.

use aws_sdk_cloudformation::config::http::HttpResponse;
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};

/// Why a deployment did not happen, as one sentence for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The caller has to act first: wrong usage, an incomplete assembly, or no credentials, region or access. Exit code 2.
    Refused(String),
    /// AWS does not let the caller in: no or expired credentials, or no right to do this. It would say so for every tenant. Exit code 2.
    Access(String),
    /// AWS was at work and the deployment did not succeed. Exit code 1.
    Failed(String),
}

impl Error {
    /// The same as a matter of the caller's, for what fails before anything was begun.
    pub(crate) fn into_refusal(self) -> Error {
        match self {
            Error::Failed(message) => Error::Refused(message),
            refused => refused,
        }
    }

    /// The process exit code that scripts can rely on: 1 for a failed deployment, 2 for one that could not start.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Failed(_) => 1,
            Error::Refused(_) | Error::Access(_) => 2,
        }
    }
}

/// The exit code for several that failed, and 0 for none: 2 if AWS does not let the caller in, else 1 if AWS failed any, else 2.
pub fn exit_code_of<'a>(errors: impl IntoIterator<Item = &'a Error>) -> u8 {
    let worst = |error: &&Error| match error {
        Error::Access(_) => 2,
        Error::Failed(_) => 1,
        Error::Refused(_) => 0,
    };
    errors.into_iter().max_by_key(worst).map_or(0, Error::exit_code)
}

impl std::fmt::Display for Error {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Error::Refused(message) | Error::Access(message) | Error::Failed(message) => formatter.write_str(message),
        }
    }
}

impl std::error::Error for Error {}

/// Codes with which AWS says that the caller may not do this.
const DENIED: [&str; 3] = ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"];

/// Codes with which AWS says that it does not know the caller, at least not in this region.
const UNKNOWN: [&str; 8] = [
    "AuthFailure",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "OptInRequired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

/// Turns an SDK error into a sentence; `doing` completes "… while", for example `creating the change set of acme-qlik-reload`.
pub(crate) fn from_sdk<E>(doing: &str, error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    let code = error.code().unwrap_or_default().to_owned();
    let message = error.message().unwrap_or_default().to_owned();
    if code.contains("Expired") {
        return Error::Access(format!("the AWS credentials have expired ({code}) while {doing}; sign in again"));
    }
    if UNKNOWN.contains(&code.as_str()) {
        let said = message.trim_end_matches('.');
        return Error::Access(format!(
            "AWS does not accept these credentials while {doing}: {code}: {said}; check them, the region, and that the account has it enabled"
        ));
    }
    if DENIED.contains(&code.as_str()) || status == Some(403) {
        // A HEAD answer has neither code nor message.
        let said = if message.is_empty() { "AWS answered 403".to_owned() } else { format!("{code}: {message}") };
        return Error::Access(format!("access denied while {doing}: {said}"));
    }
    match error {
        SdkError::ServiceError(_) if !message.is_empty() => {
            Error::Failed(format!("{doing} failed: {message} ({code})"))
        }
        SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => Error::Failed(format!(
            "no answer from AWS while {doing}: {}; check the network, the region and AWS_ENDPOINT_URL, then run it again",
            innermost(&error)
        )),
        other => Error::Failed(format!("{doing} failed: {}", innermost(&other))),
    }
}

/// The deepest cause is the one that names the host or the file; the outer ones only repeat "dispatch failure".
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_the_caller_out_weighs_more_than_what_aws_failed_and_that_more_than_mistakes() {
        let [refused, access, failed] = [Error::Refused, Error::Access, Error::Failed].map(|kind| kind(String::new()));
        assert_eq!(exit_code_of([]), 0);
        assert_eq!(exit_code_of([&refused, &refused]), 2);
        assert_eq!(exit_code_of([&refused, &failed, &refused]), 1);
        assert_eq!(exit_code_of([&failed, &access, &refused]), 2);
    }
}
