//! What an error from an SDK means for the person who runs the command.

use aws_sdk_cloudformation::config::http::HttpResponse;
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};

use crate::Error;
use crate::aws::credentials;

/// Error codes that mean the caller is not allowed to do this.
const DENIED: [&str; 3] = ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"];

/// Error codes that mean AWS does not know the caller, at least not in this region.
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

/// Turns an SDK error into a sentence; `doing` completes "… while", for example `creating the change set of acme-uptime`.
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
            "AWS does not accept these credentials while {doing}: {code}: {said}; check the credentials, the region, and that the region is enabled for the account"
        ));
    }
    if DENIED.contains(&code.as_str()) || status == Some(403) {
        // A HEAD answer has neither code nor message.
        let said = if message.is_empty() { "AWS answered 403".to_owned() } else { format!("{code}: {message}") };
        // A policy may concern a single stack or tenant, so this says nothing about the others.
        return Error::Refused(format!("access denied while {doing}: {said}"));
    }
    // Credentials that could not be renewed during a long run.
    if let Some(cause) = credentials::cause_of(&error).filter(|cause| !credentials::is_lost(cause)) {
        return Error::Access(format!("could not get AWS credentials while {doing}: {}", credentials::reason(cause)));
    }
    match error {
        SdkError::ServiceError(_) if !message.is_empty() => {
            Error::Failed(format!("{doing} failed: {message} ({code})"))
        }
        SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => Error::Failed(format!(
            "no answer from AWS while {doing}: {}; check the network, the region and AWS_ENDPOINT_URL, then run the command again",
            innermost(&error)
        )),
        other => Error::Failed(format!("{doing} failed: {}", innermost(&other))),
    }
}

/// The deepest cause names the host or the file; the outer ones only repeat "dispatch failure".
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
