//! Why there are no credentials: the provider's own reason, without secrets.

use std::error::Error;

pub(crate) use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::error::ErrorMetadata;

/// What an error says besides that something failed.
const EMPTY: [&str; 5] =
    ["service error", "dispatch failure", "an error occurred while loading", "unhandled error", "other"];

/// The credentials' error among the causes of a call's error.
pub(crate) fn cause_of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CredentialsError> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// The error of the credentials with which others were to be got, if that is the cause.
pub(crate) fn inner(error: &CredentialsError) -> Option<&CredentialsError> {
    cause_of(error.source()?)
}

/// Whether a repeated call may find credentials: the service that gives them was not reached.
pub(crate) fn is_lost(error: &CredentialsError) -> bool {
    let unreached = |cause: &(dyn Error + 'static)| {
        cause.downcast_ref::<ConnectorError>().is_some_and(|error| error.is_io() || error.is_timeout())
    };
    matches!(error, CredentialsError::ProviderTimedOut(_)) || causes(error).any(unreached)
}

/// Whether no source of credentials is set up at all.
pub(crate) fn is_absent(error: &CredentialsError) -> bool {
    matches!(error, CredentialsError::CredentialsNotLoaded(_))
}

/// The reason in one line.
pub(crate) fn reason(error: &CredentialsError) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in causes(error) {
        let text = match cause.downcast_ref::<ErrorMetadata>() {
            Some(answer) => {
                let [code, message] = [answer.code(), answer.message()].map(Option::unwrap_or_default);
                format!("{code}: {message}")
            }
            None => cause.to_string(),
        };
        // What a credential process writes may be a secret.
        let text = text.split(". Stderr:").next().unwrap_or_default().trim().to_owned();
        let empty = EMPTY.iter().any(|start| text.starts_with(start));
        // Many errors repeat their cause.
        if !empty && !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
    }
    parts.join(": ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}
