//! Clients whose calls must not be carried out twice.

use std::fmt;
use std::marker::PhantomData;

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::outcome::is_signature;

/// Keeps an SDK client from repeating a call, `E` being the call's error, unless the service refused its signature.
///
/// A service refuses a signature before it looks at the call. The SDK then learns from the answer how far this machine's clock is
/// off and signs the call again. Every other failure is for the caller to sort, by [`Failure::of`](crate::outcome::Failure::of).
///
/// Use it with `RetryConfig::standard().with_max_attempts(2)`, and with a configuration from
/// [`aws::without_idle_connections`](crate::aws::without_idle_connections).
pub struct AtMostOnce<E> {
    error: PhantomData<fn() -> E>,
}

impl<E> AtMostOnce<E> {
    /// For calls that fail with `E`.
    pub fn new() -> AtMostOnce<E> {
        AtMostOnce { error: PhantomData }
    }
}

impl<E> Default for AtMostOnce<E> {
    fn default() -> AtMostOnce<E> {
        AtMostOnce::new()
    }
}

impl<E> fmt::Debug for AtMostOnce<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AtMostOnce")
    }
}

impl<E> ClassifyRetry for AtMostOnce<E>
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else { return RetryAction::NoActionIndicated };
        let code = OrchestratorError::as_operation_error(error)
            .and_then(|error| error.downcast_ref::<E>())
            .and_then(ProvideErrorMetadata::code);
        match code {
            // The SDK's own classifiers decide: they know whether the clock is off.
            Some(code) if is_signature(code) => RetryAction::NoActionIndicated,
            _ => RetryAction::RetryForbidden,
        }
    }

    fn name(&self) -> &'static str {
        "AtMostOnce"
    }

    fn priority(&self) -> RetryClassifierPriority {
        // The first to be asked: what it forbids, no other classifier can allow.
        RetryClassifierPriority::run_before(RetryClassifierPriority::http_status_code_classifier())
    }
}
