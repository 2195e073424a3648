//! Delivers the end of a statement to the deployed event rules.
//!
//! The emulator refuses events of AWS's own sources, as AWS does, so the stand-in asks it which rules would match and invokes
//! their functions itself: once for each rule and target, asynchronously. Targets other than functions, and input paths and
//! transformers of targets, are not implemented.

use anyhow::Context;
use reqwest::Method;
use serde_json::{Value, json};

use crate::signed::Caller;

/// Delivers an event to the functions that the enabled rules of the default bus have as targets. Returns how many were invoked.
///
/// # Errors
///
/// If the emulator does not answer.
pub(super) async fn deliver(caller: &Caller, event: &Value) -> anyhow::Result<usize> {
    let ask = |target: &'static str, body: Value| async move {
        let target = format!("AWSEvents.{target}");
        caller.json("events", &target, "1.1", &body).await
    };
    let mut invoked = 0;
    let mut next = Value::Null;
    loop {
        let page = match &next {
            Value::Null => ask("ListRules", json!({})).await?,
            token => ask("ListRules", json!({"NextToken": token})).await?,
        };
        for rule in page["Rules"].as_array().into_iter().flatten() {
            let Some(pattern) = rule["EventPattern"].as_str().filter(|_| rule["State"] == "ENABLED") else { continue };
            let test = json!({"EventPattern": pattern, "Event": event.to_string()});
            if ask("TestEventPattern", test).await?["Result"] != true {
                continue;
            }
            let targets = ask("ListTargetsByRule", json!({"Rule": rule["Name"]})).await?;
            for target in targets["Targets"].as_array().into_iter().flatten() {
                let Some((_, function)) = target["Arn"].as_str().and_then(|arn| arn.split_once(":function:")) else {
                    continue;
                };
                let input = target["Input"].as_str().map_or_else(|| event.to_string(), str::to_owned);
                let path = format!("/2015-03-31/functions/{function}/invocations");
                let headers = [("content-type", "application/json"), ("x-amz-invocation-type", "Event")];
                let answer = caller.call("lambda", Method::POST, &path, &headers, input.into_bytes()).await;
                answer.with_context(|| format!("function {function} did not accept an event"))?;
                invoked += 1;
            }
        }
        next = page["NextToken"].clone();
        if next.is_null() {
            return Ok(invoked);
        }
    }
}
