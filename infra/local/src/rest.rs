//! A stack's REST API, as its users call it: over HTTP, with or without its key.

use anyhow::Context;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use stand_ins::signed::Caller;

use crate::stack::DeployedStack;

/// One REST API. There is no `Debug`, which would show the key.
#[derive(Clone)]
pub(crate) struct Rest {
    /// Where the emulator serves it, without a trailing slash; on AWS it is in the stack's outputs.
    pub(crate) url: String,
    /// The value of its key, if it has one; CloudFormation does not reveal it.
    pub(crate) key: Option<String>,
    http: Client,
}

impl Rest {
    /// The only REST API of the stack.
    ///
    /// # Errors
    ///
    /// If the stack has none, or its key has no value.
    pub(crate) async fn of(stack: &DeployedStack, caller: &Caller) -> anyhow::Result<Rest> {
        let api = stack.only("AWS::ApiGateway::RestApi")?;
        let stage = stack.only("AWS::ApiGateway::Stage")?;
        // The emulator's physical ID of a stage is `<api>-<stage>` or the stage's name alone.
        let stage = stage.strip_prefix(&format!("{api}-")).unwrap_or(stage);
        let key = match stack.only("AWS::ApiGateway::ApiKey") {
            Err(_) => None,
            Ok(id) => {
                let path = format!("/apikeys/{id}?includeValue=true");
                let key = caller.call("apigateway", Method::GET, &path, &[], Vec::new()).await?;
                Some(key["value"].as_str().context("the API key has no value")?.to_owned())
            }
        };
        let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Rest { url: format!("{}/_aws/execute-api/{api}/{stage}", caller.endpoint), key, http })
    }

    /// A request without the key.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// A request with the key.
    pub(crate) fn with_key(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.request(method, path);
        match &self.key {
            Some(key) => request.header("x-api-key", key),
            None => request,
        }
    }
}

/// Sends a request, with a JSON body if there is one, and returns the status and body of the answer. A body that is not JSON becomes a text.
///
/// # Errors
///
/// If there is no answer.
pub(crate) async fn send(request: RequestBuilder, body: Option<&Value>) -> anyhow::Result<(u16, Value)> {
    let request = match body {
        Some(body) => request.header("content-type", "application/json").body(body.to_string()),
        None => request,
    };
    let answer = request.send().await.context("no answer from the REST API")?;
    let (status, text) = (answer.status().as_u16(), answer.text().await?);
    Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
}
