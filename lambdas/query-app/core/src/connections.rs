//! Sends messages to browsers through API Gateway's management of connections.

use std::time::Duration;

use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::config::retry::RetryConfig;
use aws_sdk_apigatewaymanagement::operation::delete_connection::DeleteConnectionError;
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use aws_types::SdkConfig;
use function::{Clock, Failure, Invalid, Outcome, aws, environment, required};

use crate::item::Unavailable;

/// The WebSocket API's connections.
#[derive(Clone)]
pub struct Connections {
    client: Client,
    clock: Clock,
}

/// The outcome of sending a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posted {
    /// API Gateway has it.
    Sent,
    /// The connection no longer exists.
    Gone,
    /// The message is too large.
    TooLarge,
}

/// How often a message is sent if API Gateway is too busy.
const TRIES: u32 = 6;

/// The pauses before a message is sent again: random up to the first, doubled each time, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The configuration of the client, whose endpoint is `CONNECTIONS_URL`.
///
/// If `AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI` is set, it is used instead, with the API's ID and the stage of
/// `CONNECTIONS_URL` replacing `{api}` and `{stage}`, because an emulator has one host for all APIs.
///
/// # Errors
///
/// If `CONNECTIONS_URL` is missing or not of the form `https://<api>.<host>/<stage>`.
pub fn config(variable: &impl Fn(&str) -> Option<String>) -> Result<SdkConfig, Invalid> {
    let url = required(variable, "CONNECTIONS_URL")?;
    let parts = url.strip_prefix("https://").and_then(|rest| rest.split_once('/'));
    let parts = parts.and_then(|(host, stage)| Some((host.split_once('.')?.0, stage)));
    let (api, stage) = parts.ok_or_else(|| {
        Invalid(format!("CONNECTIONS_URL is `{url}`; must be https://<api>.execute-api.<region>.<suffix>/<stage>"))
    })?;
    let elsewhere = environment::optional(variable, "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI");
    let endpoint = elsewhere.map(|other| other.replace("{api}", api).replace("{stage}", stage));
    let config = aws::service(variable, "APIGATEWAYMANAGEMENTAPI")?.into_builder();
    Ok(config.endpoint_url(endpoint.unwrap_or(url)).build())
}

impl Connections {
    /// Opens no connection yet.
    pub fn new(config: &SdkConfig, clock: Clock) -> Connections {
        // One kind of retry is enough, and this one uses the clock for its pauses.
        let config = aws_sdk_apigatewaymanagement::config::Builder::from(config);
        Connections { client: Client::from_conf(config.retry_config(RetryConfig::disabled()).build()), clock }
    }

    /// Sends a message. If API Gateway is too busy or does not respond, it is sent again a few times with random pauses, so a browser
    /// may receive it twice.
    ///
    /// # Errors
    ///
    /// If it still could not be sent.
    pub async fn post(&self, connection: &str, message: &str) -> Result<Posted, Unavailable> {
        let mut longest = FIRST_PAUSE;
        let mut tries = 1;
        loop {
            let post = self.client.post_to_connection().connection_id(connection).data(Blob::new(message));
            let error = match post.send().await {
                Ok(_) => return Ok(Posted::Sent),
                Err(error) => error,
            };
            match error.as_service_error() {
                Some(PostToConnectionError::GoneException(_)) => return Ok(Posted::Gone),
                Some(PostToConnectionError::PayloadTooLargeException(_)) => return Ok(Posted::TooLarge),
                _ => {}
            }
            let failure = Failure::of(&error);
            if failure.outcome == Outcome::Refused || tries == TRIES {
                return Err(Unavailable(format!("a message could not be sent to its connection: {failure}")));
            }
            self.clock.sleep(longest.mul_f64(fastrand::f64())).await;
            longest = (longest * 2).min(LONGEST_PAUSE);
            tries += 1;
        }
    }

    /// Closes a connection. If that fails, API Gateway closes it two hours after it was opened.
    pub async fn close(&self, connection: &str) {
        let deleted = self.client.delete_connection().connection_id(connection).send().await;
        let Err(error) = deleted else { return };
        if !matches!(error.as_service_error(), Some(DeleteConnectionError::GoneException(_))) {
            tracing::warn!(step = "close", reason = %Failure::of(&error), "a connection was not closed");
        }
    }
}
