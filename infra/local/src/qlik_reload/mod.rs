//! Exercises the deployed system: reloads by schedule, on an event, on request, delivered twice, and failing.

use std::time::Duration;

use anyhow::{Context, ensure};
use aws_config::SdkConfig;
use reqwest::Method;
use serde_json::{Value, json};
use stand_ins::qlik::{App, Qlik, Started};
use stand_ins::signed::Caller;

use crate::exercise::{Exercise, until};
use crate::rest::{Rest, send};
use crate::stack::DeployedStack;
use crate::system::LocalSystem;
use crate::world::World;

/// The apps of `tenant.yaml`, one for each way to request a reload, so that the stand-in's list distinguishes them.
const BY_SCHEDULE: &str = "00000000-0000-4000-8000-000000000001";
const BY_EVENT: &str = "00000000-0000-4000-8000-000000000002";
const BY_REQUEST: &str = "00000000-0000-4000-8000-000000000003";
const TWICE: &str = "00000000-0000-4000-8000-000000000004";

/// A rate of one minute, the emulator's sweep every ten seconds, a cold start, and the same again for a slow machine.
const LONGEST_TICK: Duration = Duration::from_secs(240);
const LONGEST_RELOAD: Duration = Duration::from_secs(120);

pub(crate) const LOCAL: LocalSystem = LocalSystem { uses_warehouse: false, can_be_measured: false };

/// What the steps need.
struct QlikExercise<'a> {
    stack: &'a DeployedStack,
    qlik: &'a Qlik,
    caller: &'a Caller,
    /// The REST API for reloads on request.
    rest: Rest,
}

/// There is nothing to do before the deployment.
pub(crate) async fn prepare(_: &World<'_>) -> anyhow::Result<()> {
    Ok(())
}

/// Runs every step; the slow one, the schedule, comes last and has been ticking since the deployment.
pub(crate) async fn exercise(
    world: &World<'_>,
    stack: &DeployedStack,
    exercise: &mut Exercise<'_>,
) -> anyhow::Result<()> {
    store_api_key(&world.emulator.config, stack, &world.services.qlik_key).await?;
    let caller = &world.emulator.caller;
    let system = QlikExercise { stack, qlik: &world.services.qlik, caller, rest: Rest::of(stack, caller).await? };
    exercise.step("an event on the bus starts a reload", system.event()).await;
    exercise.step("the same event delivered twice starts one reload", system.delivered_twice()).await;
    exercise.step("a request without the API key is refused", system.request_without_key()).await;
    exercise.step("a request repeated with its key starts one reload", system.request_repeated()).await;
    exercise.step("a reload that fails ends in the dead-letter queue", system.dead_letter()).await;
    exercise.step("the schedule starts a reload", system.schedule()).await;
    Ok(())
}

/// Stores the API key, as an operator does after the first deployment.
async fn store_api_key(config: &SdkConfig, stack: &DeployedStack, key: &str) -> anyhow::Result<()> {
    let secret = stack.only("AWS::SecretsManager::Secret")?;
    let client = aws_sdk_secretsmanager::Client::new(config);
    client.put_secret_value().secret_id(secret).secret_string(json!({"key": key}).to_string()).send().await?;
    Ok(())
}

impl QlikExercise<'_> {
    async fn event(&self) -> anyhow::Result<String> {
        let entry = json!({
            "Source": "ferrostack.local",
            "DetailType": "Data Loaded",
            "Detail": json!({"appId": BY_EVENT}).to_string(),
        });
        let answer = self.caller.json("events", "AWSEvents.PutEvents", "1.1", &json!({"Entries": [entry]})).await?;
        ensure!(answer["FailedEntryCount"] == 0, "EventBridge refused the event: {answer}");
        self.finished(BY_EVENT).await
    }

    /// EventBridge delivers at least once; here the exercise makes both deliveries itself, at the same time.
    async fn delivered_twice(&self) -> anyhow::Result<String> {
        let event = json!({"appId": TWICE, "deliveryId": "delivered-twice"});
        let (first, second) = tokio::join!(self.invoke(&event), self.invoke(&event));
        // One of two concurrent deliveries may be answered that the other is in progress; Lambda would call it again later.
        let third = self.invoke(&event).await.context("the third delivery")?;
        ensure!(first.is_ok() || second.is_ok(), "neither delivery was accepted: {first:?}, {second:?}");
        let reloads = self.qlik.reloads_of(TWICE);
        ensure!(reloads.len() == 1, "{} reloads were started", reloads.len());
        ensure!(third["reloadId"] == *reloads[0].id, "the third delivery answered {third}");
        Ok(format!("3 deliveries, 1 reload: {}", reloads[0].id))
    }

    async fn request_without_key(&self) -> anyhow::Result<String> {
        let body = json!({"appId": BY_REQUEST});
        let (status, body) = send(self.rest.request(Method::POST, "/reloads"), Some(&body)).await?;
        ensure!(status == 403, "the answer was {status}: {body}");
        ensure!(self.qlik.reloads_of(BY_REQUEST).is_empty(), "a reload was started anyway");
        Ok("403".to_owned())
    }

    async fn request_repeated(&self) -> anyhow::Result<String> {
        let post = || self.rest.with_key(Method::POST, "/reloads").header("idempotency-key", "the-same-request");
        let body = json!({"appId": BY_REQUEST});
        let (status, first) = send(post(), Some(&body)).await?;
        ensure!(status == 202, "the answer was {status}: {first}");
        let (status, second) = send(post(), Some(&body)).await?;
        ensure!(status == 202 && second["reloadId"] == first["reloadId"], "the second answer was {status}: {second}");
        let id = first["reloadId"].as_str().unwrap_or_default();
        let (status, found) = send(self.rest.with_key(Method::GET, &format!("/reloads/{id}")), None).await?;
        ensure!(status == 200 && found["reloadId"] == id, "GET answered {status}: {found}");
        self.finished(BY_REQUEST).await
    }

    /// As EventBridge does on AWS, hands the event to Lambda for an asynchronous invocation, with Lambda's retries.
    async fn dead_letter(&self) -> anyhow::Result<String> {
        let event = json!({"appId": App::FAILS, "deliveryId": "fails", "waitFor": "finished"});
        let path = format!("/2015-03-31/functions/{}/invocations", self.stack.only("AWS::Lambda::Function")?);
        let headers = [("content-type", "application/json"), ("x-amz-invocation-type", "Event")];
        self.caller.call("lambda", Method::POST, &path, &headers, event.to_string().into_bytes()).await?;
        let queue = self.stack.only("AWS::SQS::Queue")?;
        let ask = json!({"QueueUrl": queue, "WaitTimeSeconds": 1});
        until("a message in the dead-letter queue", LONGEST_RELOAD, async || {
            let answer = self.caller.json("sqs", "AmazonSQS.ReceiveMessage", "1.0", &ask).await?;
            let body = answer["Messages"][0]["Body"].as_str().unwrap_or_default();
            Ok(body.contains(App::FAILS).then_some(()))
        })
        .await?;
        let reloads = self.qlik.reloads_of(App::FAILS);
        ensure!(reloads.len() == 1, "{} reloads were started by one event and its retries", reloads.len());
        Ok(format!("reload {} is {}", reloads[0].id, reloads[0].status))
    }

    async fn schedule(&self) -> anyhow::Result<String> {
        self.ended(BY_SCHEDULE, LONGEST_TICK).await
    }

    /// Waits for the end of the app's reload and checks that there is only one.
    async fn finished(&self, app: &str) -> anyhow::Result<String> {
        let outcome = self.ended(app, LONGEST_RELOAD).await?;
        let count = self.qlik.reloads_of(app).len();
        ensure!(count == 1, "{count} reloads were started");
        Ok(outcome)
    }

    /// Waits for the end of the app's first reload. There are several if the schedule has ticked more than once.
    async fn ended(&self, app: &str, limit: Duration) -> anyhow::Result<String> {
        let Started { id, status, .. } = until("the end of a reload", limit, async || {
            let ended = |reload: &Started| !matches!(reload.status, "QUEUED" | "RELOADING");
            Ok(self.qlik.reloads_of(app).into_iter().find(ended))
        })
        .await?;
        ensure!(status == "SUCCEEDED", "reload {id} is {status}");
        Ok(format!("reload {id} is {status}"))
    }

    async fn invoke(&self, event: &Value) -> anyhow::Result<Value> {
        let path = format!("/2015-03-31/functions/{}/invocations", self.stack.only("AWS::Lambda::Function")?);
        let headers = [("content-type", "application/json")];
        let answer = self.caller.call("lambda", Method::POST, &path, &headers, event.to_string().into_bytes()).await?;
        ensure!(answer["errorType"].is_null(), "the function answered {answer}");
        Ok(answer)
    }
}
