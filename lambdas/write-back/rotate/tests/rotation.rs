//! A rotation against a Secrets Manager on this machine: versions, stages, repeated requests.

#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};

use lambda_runtime::{Context, LambdaEvent};
use loopback::answers::{Case, Errors, answers, check_table};
use loopback::{Answer, Request, environment, reply, serve};
use serde_json::{Value, json};
use write_back::Key;
use write_back_rotate::{Error, KeyRotator, Settings};

const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:canary-arn";
const OLD: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const NEW: &str = "bbbbbbbb-1111-4000-8000-000000000002";
const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

#[derive(Default)]
struct Secret {
    values: BTreeMap<String, String>,
    stages: BTreeMap<String, BTreeSet<String>>,
    calls: Vec<String>,
    /// Does the work of the next call of this operation and closes the connection.
    loses_answer_of: Option<&'static str>,
    /// How the next call of this operation is answered.
    case: Option<(&'static str, Case)>,
    /// Another run finishes the rotation after the next description.
    is_raced: bool,
}

struct World {
    secret: Arc<Mutex<Secret>>,
    handler: KeyRotator,
}

impl World {
    async fn new() -> World {
        let mut secret = Secret::default();
        let old = json!({"kid": "old", "key": "canary-key-0123456789"}).to_string();
        secret.values.insert(OLD.to_owned(), old);
        secret.stages.insert(OLD.to_owned(), ["AWSCURRENT".to_owned()].into());
        // Secrets Manager attaches the stage before the first step.
        secret.stages.insert(NEW.to_owned(), ["AWSPENDING".to_owned()].into());
        let secret = Arc::new(Mutex::new(secret));
        let served = secret.clone();
        let address = serve(move |request| std::future::ready(served.lock().unwrap().answer(&request))).await;
        let variable = environment(&format!("http://{address}"), &[("SIGNING_KEYS_SECRET", SECRET)]);
        World { handler: KeyRotator::new(Settings::read(&variable).unwrap()), secret }
    }

    async fn step(&self, step: &str) -> Result<(), Error> {
        self.send(json!({"Step": step, "SecretId": SECRET, "ClientRequestToken": NEW})).await
    }

    async fn send(&self, event: Value) -> Result<(), Error> {
        let result = self.handler.handle(LambdaEvent::new(event, Context::default())).await;
        assert!(!format!("{result:?}").contains("canary"), "{result:?}");
        result
    }

    fn value(&self, stage: &str) -> String {
        let secret = self.secret.lock().unwrap();
        let (version, _) = secret.stages.iter().find(|(_, stages)| stages.contains(stage)).unwrap();
        secret.values[version].clone()
    }

    fn calls(&self, operation: &str) -> usize {
        self.secret.lock().unwrap().calls.iter().filter(|called| *called == operation).count()
    }
}

impl Secret {
    fn answer(&mut self, request: &Request) -> Answer {
        let operation = request.header("x-amz-target").rsplit('.').next().unwrap().to_owned();
        self.calls.push(operation.clone());
        let case = self.case.take_if(|(called, _)| *called == operation);
        if case.as_ref().is_none_or(|(_, case)| case.takes_effect) {
            let answer = self.work(&operation, request);
            return case.map_or(answer, |(_, case)| case.answer);
        }
        case.map(|(_, case)| case.answer).unwrap()
    }

    fn work(&mut self, operation: &str, request: &Request) -> Answer {
        let body: Value = serde_json::from_str(&request.body).unwrap();
        assert_eq!(body["SecretId"], SECRET);
        let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
        let refusal = |code: &str| reply(400, json!({"__type": code, "message": "canary"}));
        let answer = match operation {
            "DescribeSecret" => {
                let described = reply(200, json!({"ARN": SECRET, "VersionIdsToStages": self.stages}));
                if std::mem::take(&mut self.is_raced) {
                    self.stages.insert(OLD.to_owned(), ["AWSPREVIOUS".to_owned()].into());
                    self.stages.insert(NEW.to_owned(), ["AWSCURRENT".to_owned(), "AWSPENDING".to_owned()].into());
                }
                described
            }
            "GetSecretValue" => match self.values.get(&text("VersionId")) {
                Some(value) => reply(200, json!({"ARN": SECRET, "SecretString": value})),
                None => refusal("ResourceNotFoundException"),
            },
            "PutSecretValue" => {
                let (version, value) = (text("ClientRequestToken"), text("SecretString"));
                match self.values.get(&version) {
                    Some(standing) if *standing != value => refusal("ResourceExistsException"),
                    _ => {
                        self.values.insert(version, value);
                        reply(200, json!({}))
                    }
                }
            }
            "UpdateSecretVersionStage" => {
                assert_eq!(body["VersionStage"], "AWSCURRENT");
                assert_ne!(body["RemoveFromVersionId"], body["MoveToVersionId"], "a label is not moved to where it is");
                let (from, to) = (text("RemoveFromVersionId"), text("MoveToVersionId"));
                if !self.stages.get(&from).is_some_and(|stages| stages.contains("AWSCURRENT")) {
                    return refusal("InvalidParameterException");
                }
                self.stages.values_mut().for_each(|stages| stages.retain(|stage| stage != "AWSPREVIOUS"));
                self.stages.insert(from, ["AWSPREVIOUS".to_owned()].into());
                self.stages.insert(to, ["AWSCURRENT".to_owned(), "AWSPENDING".to_owned()].into());
                reply(200, json!({}))
            }
            other => panic!("the rotation does not use {other}"),
        };
        if self.loses_answer_of.is_some_and(|lost| lost == operation) {
            self.loses_answer_of = None;
            return Answer::HangUp;
        }
        answer
    }
}

#[tokio::test]
async fn a_rotation_makes_a_new_key_current_and_keeps_the_old_one_as_previous() {
    let world = World::new().await;
    for step in STEPS {
        world.step(step).await.unwrap();
    }
    let new = Key::parse(&world.value("AWSCURRENT")).unwrap();
    assert_eq!(new.kid(), "bbbbbbbb1111");
    assert_eq!(Key::parse(&world.value("AWSPREVIOUS")).unwrap().kid(), "old");
}

#[tokio::test]
async fn each_step_may_be_repeated_whether_or_not_its_answer_arrived() {
    for lost in [None, Some("PutSecretValue"), Some("UpdateSecretVersionStage")] {
        let world = World::new().await;
        world.secret.lock().unwrap().loses_answer_of = lost;
        let mut made = None;
        for step in STEPS {
            for _ in 0..3 {
                world.step(step).await.unwrap();
                let value = world.secret.lock().unwrap().values[NEW].clone();
                assert_eq!(*made.get_or_insert(value.clone()), value, "the key never changes once it is created");
            }
        }
        for step in STEPS {
            world.step(step).await.unwrap();
        }
        assert_eq!(world.value("AWSCURRENT"), made.unwrap());
        let expected = if lost.is_some() { 2 } else { 1 };
        assert!(world.calls("PutSecretValue") <= expected && world.calls("UpdateSecretVersionStage") <= expected);
    }
}

#[tokio::test]
async fn a_run_that_finds_the_rotation_finished_by_another_run_succeeds() {
    let world = World::new().await;
    for step in &STEPS[..3] {
        world.step(step).await.unwrap();
    }
    world.secret.lock().unwrap().is_raced = true;
    world.step("finishSecret").await.unwrap();
    assert_eq!(world.calls("UpdateSecretVersionStage"), 0);
}

#[tokio::test]
async fn a_pending_key_that_does_not_work_never_becomes_current() {
    for value in ["", "{}", r#"{"kid":"new","key":"short"}"#, r#"{"kid":"new","key":""}"#] {
        let world = World::new().await;
        world.secret.lock().unwrap().values.insert(NEW.to_owned(), value.to_owned());
        assert!(world.step("testSecret").await.is_err());
    }
    let world = World::new().await;
    let error = world.step("testSecret").await.unwrap_err();
    assert!(error.to_string().contains("no pending key"), "{error}");
}

#[tokio::test]
async fn other_secrets_versions_and_events_are_refused() {
    let world = World::new().await;
    for event in [
        json!({"Step": "createSecret", "SecretId": "arn:other", "ClientRequestToken": NEW}),
        json!({"Step": "createSecret", "SecretId": SECRET, "ClientRequestToken": "cccccccc-2222-4000-8000-000000000003"}),
        json!({"Step": "deleteSecret", "SecretId": SECRET, "ClientRequestToken": NEW}),
        json!({"canary": 1}),
    ] {
        assert!(world.send(event).await.is_err());
    }
    assert_eq!(world.calls("PutSecretValue"), 0);
}

/// A rotation in which the first call of `operation` is answered like this. Secrets Manager repeats a step that fails.
async fn rotated(operation: &'static str, case: &Case) -> String {
    let world = World::new().await;
    world.secret.lock().unwrap().case = Some((operation, case.clone()));
    let mut failures = Vec::new();
    for step in STEPS {
        while let Err(error) = world.step(step).await {
            failures.push(format!("{step} fails once ({error})"));
            assert!(failures.len() < 3, "{}: {failures:?}", case.name);
        }
    }
    assert_eq!(Key::parse(&world.value("AWSCURRENT")).unwrap().kid(), "bbbbbbbb1111", "{}", case.name);
    assert_eq!(Key::parse(&world.value("AWSPREVIOUS")).unwrap().kid(), "old", "{}", case.name);
    failures.push("the key is replaced".to_owned());
    failures.join(", then ")
}

#[tokio::test]
async fn whatever_secrets_manager_answers_once_the_key_is_replaced() {
    let mut rows = Vec::new();
    for operation in ["DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"] {
        for case in answers(Errors::Json) {
            rows.push((format!("to {operation}: {}", case.name), rotated(operation, &case).await));
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ANSWERS.md");
    check_table(&path, "What becomes of a rotation after each answer of Secrets Manager", &rows);
}
