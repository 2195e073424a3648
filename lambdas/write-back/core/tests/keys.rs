//! Which keys are read when, over real HTTP from a Secrets Manager on this machine.

#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use function::aws;
use loopback::{Answer, Request, Time, environment, reply, serve};
use write_back::Keys;

const KEY: &str = "canary-signing-key-0123456789abcdef";

struct Secret {
    stages: BTreeMap<&'static str, String>,
    /// The response instead of a value.
    refusal: Option<&'static str>,
    reads: Vec<String>,
}

struct World {
    secret: Arc<Mutex<Secret>>,
    keys: Keys,
    time: Time,
}

impl World {
    async fn new(stages: &[(&'static str, &str)]) -> World {
        let mut secret = Secret { stages: BTreeMap::new(), refusal: None, reads: Vec::new() };
        secret.set(stages);
        let secret = Arc::new(Mutex::new(secret));
        let served = secret.clone();
        let address = serve(move |request| std::future::ready(served.lock().unwrap().answer(&request))).await;
        let config = aws::service(&environment(&format!("http://{address}"), &[]), "SECRETS_MANAGER").unwrap();
        let time = Time::at(0);
        World { keys: Keys::new(Client::new(&config), "canary-arn".into(), time.clock()), secret, time }
    }

    fn set(&self, stages: &[(&'static str, &str)]) {
        self.secret.lock().unwrap().set(stages);
    }

    fn pass(&self, seconds: u64) {
        self.time.pass(Duration::from_secs(seconds));
    }

    fn reads(&self) -> usize {
        self.secret.lock().unwrap().reads.len()
    }

    async fn knows(&self, kid: &str) -> bool {
        let found = self.keys.verifying(kid).await.unwrap();
        found.is_some_and(|key| key.kid() == kid)
    }
}

impl Secret {
    fn set(&mut self, stages: &[(&'static str, &str)]) {
        let value = |kid: &str| format!(r#"{{"kid":"{kid}","key":"{KEY}"}}"#);
        self.stages = stages.iter().map(|(stage, kid)| (*stage, value(kid))).collect();
    }

    fn answer(&mut self, request: &Request) -> Answer {
        let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
        let stage = body["VersionStage"].as_str().unwrap().to_owned();
        self.reads.push(stage.clone());
        let code = match (self.refusal, self.stages.get(stage.as_str())) {
            (None, Some(value)) => {
                return reply(200, serde_json::json!({"ARN": "canary-arn", "SecretString": value}));
            }
            (None, None) => "ResourceNotFoundException",
            (Some(code), _) => code,
        };
        reply(400, serde_json::json!({"__type": code, "message": format!("canary-arn {KEY}")}))
    }
}

#[tokio::test]
async fn the_current_key_signs_and_is_cached_for_five_minutes() {
    let world = World::new(&[("AWSCURRENT", "k2"), ("AWSPREVIOUS", "k1")]).await;
    assert_eq!(world.keys.signing().await.unwrap().kid(), "k2");
    world.set(&[("AWSCURRENT", "k3")]);
    world.pass(299);
    assert_eq!(world.keys.signing().await.unwrap().kid(), "k2");
    assert_eq!(world.reads(), 1);
    world.pass(1);
    assert_eq!(world.keys.signing().await.unwrap().kid(), "k3");
}

#[tokio::test]
async fn current_previous_and_pending_keys_verify_and_older_ones_do_not() {
    let world = World::new(&[("AWSCURRENT", "k2"), ("AWSPREVIOUS", "k1"), ("AWSPENDING", "k3")]).await;
    assert!(world.knows("k2").await);
    assert_eq!(world.reads(), 1, "the usual token costs one read");
    for kid in ["k1", "k3"] {
        assert!(world.knows(kid).await, "{kid}");
    }
    assert_eq!(world.reads(), 4);
    assert!(!world.knows("k0").await);
}

#[tokio::test]
async fn a_flood_of_unknown_key_ids_is_one_read_in_ten_seconds() {
    let world = World::new(&[("AWSCURRENT", "k1")]).await;
    for number in 0..100 {
        assert!(!world.knows(&format!("unknown-{number}")).await);
    }
    assert_eq!(world.reads(), 4);
    world.pass(9);
    assert!(!world.knows("unknown").await);
    assert_eq!(world.reads(), 4);
    world.pass(1);
    assert!(!world.knows("unknown").await);
    assert_eq!(world.reads(), 7);
}

#[tokio::test]
async fn a_key_of_a_rotation_that_just_ended_is_found_at_once() {
    let world = World::new(&[("AWSCURRENT", "k1")]).await;
    assert!(world.knows("k1").await);
    world.set(&[("AWSCURRENT", "k2"), ("AWSPREVIOUS", "k1")]);
    for kid in ["k2", "k1"] {
        assert!(world.knows(kid).await, "{kid}");
    }
    assert_eq!(world.keys.signing().await.unwrap().kid(), "k2");
}

#[tokio::test]
async fn a_key_two_rotations_old_is_forgotten_within_five_minutes() {
    let world = World::new(&[("AWSCURRENT", "k2"), ("AWSPREVIOUS", "k1")]).await;
    assert!(world.knows("k1").await);
    world.set(&[("AWSCURRENT", "k3"), ("AWSPREVIOUS", "k2")]);
    world.pass(300);
    assert!(!world.knows("k1").await);
}

#[tokio::test]
async fn unavailable_keys_are_reported_without_name_or_value() {
    for refusal in [Some("AccessDeniedException"), Some("ResourceNotFoundException"), None] {
        let world = World::new(&[("AWSCURRENT", "k1")]).await;
        match refusal {
            Some(_) => world.secret.lock().unwrap().refusal = refusal,
            None => world.secret.lock().unwrap().stages = BTreeMap::from([("AWSCURRENT", format!("{{{KEY}"))]),
        }
        let errors = [
            world.keys.signing().await.err().unwrap().to_string(),
            world.keys.verifying("k1").await.err().unwrap().to_string(),
        ];
        for error in errors {
            assert!(!error.contains("canary") && !error.is_empty(), "{error}");
        }
    }
}
