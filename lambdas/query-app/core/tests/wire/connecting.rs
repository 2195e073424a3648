//! Tickets, and how long a user is connected.

use serde_json::{Value, json};

use crate::dynamo::Fault;
use crate::world::{ANNA, BERT, PAGE, World, id};

fn effect(policy: &Value) -> &Value {
    &policy["policyDocument"]["Statement"][0]["Effect"]
}

#[tokio::test]
async fn a_ticket_is_valid_for_one_connection_of_its_owner() {
    let world = World::new().await;
    let ticket = world.ticket(ANNA).await;
    let policy = world.authorize(&ticket, PAGE).await;
    assert_eq!(policy["principalId"], ANNA);
    assert_eq!(policy["context"], json!({"sub": ANNA, "until": world.seconds() + 3600}));
    assert_eq!(
        policy["policyDocument"]["Statement"][0],
        json!({"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "arn:aws:execute-api:eu-west-1:123456789012:abc123/live/$connect"})
    );
    assert_eq!(effect(&world.authorize(&ticket, PAGE).await), "Deny");
    assert!(world.kinds().is_empty());
}

#[tokio::test]
async fn an_event_without_a_resource_allows_nothing_and_uses_up_no_ticket() {
    let world = World::new().await;
    let ticket = world.ticket(ANNA).await;
    let event = json!({
        "type": "REQUEST", "headers": {"Origin": PAGE}, "queryStringParameters": {"ticket": ticket}, "requestContext": {},
    });
    assert!(world.socket(event).await.unwrap_err().to_string().contains("methodArn"));
    assert_eq!(effect(&world.authorize(&ticket, PAGE).await), "Allow");
}

#[tokio::test]
async fn only_one_of_two_simultaneous_uses_of_a_ticket_is_admitted() {
    let world = World::new().await;
    let ticket = world.ticket(ANNA).await;
    let policies = tokio::join!(world.authorize(&ticket, PAGE), world.authorize(&ticket, PAGE));
    let mut effects = [effect(&policies.0).to_string(), effect(&policies.1).to_string()];
    effects.sort();
    assert_eq!(effects, ["\"Allow\"", "\"Deny\""]);
}

#[tokio::test]
async fn a_missing_wrong_or_old_ticket_admits_nobody() {
    let world = World::new().await;
    let ticket = world.ticket(ANNA).await;
    let calls = world.state().dynamo.calls.len();
    for wrong in ["", "x", &"A".repeat(44), &"!".repeat(43)] {
        assert_eq!(effect(&world.authorize(wrong, PAGE).await), "Deny", "{wrong}");
    }
    assert_eq!(world.state().dynamo.calls.len(), calls, "an invalid ticket is not looked up");
    assert_eq!(effect(&world.authorize(&"A".repeat(43), PAGE).await), "Deny");
    world.pass(60);
    assert_eq!(effect(&world.authorize(&ticket, PAGE).await), "Deny");
    assert!(!world.kinds().contains_key("connection connection"));
}

#[tokio::test]
async fn a_ticket_from_another_origin_is_used_up() {
    let world = World::new().await;
    for origin in ["https://evil.example", "", "null", "https://app.example.evil.example"] {
        let ticket = world.ticket(ANNA).await;
        assert_eq!(effect(&world.authorize(&ticket, origin).await), "Deny");
        assert_eq!(effect(&world.authorize(&ticket, PAGE).await), "Deny", "after {origin}");
    }
}

#[tokio::test]
async fn a_table_that_does_not_answer_admits_nobody() {
    let world = World::new().await;
    let ticket = world.ticket(ANNA).await;
    world.faults("DeleteItem", &[Fault::Denies]);
    let event = json!({
        "type": "REQUEST", "methodArn": "arn", "headers": {"origin": PAGE}, "queryStringParameters": {"ticket": ticket},
        "requestContext": {"connectionId": "c="},
    });
    let problem = world.socket(event).await.unwrap_err().to_string();
    assert!(problem.contains("TABLE") && !problem.contains(&ticket), "{problem}");
}

#[tokio::test]
async fn a_connection_without_an_authorizer_is_refused() {
    let world = World::new().await;
    let context = json!({"eventType": "CONNECT", "connectionId": "c="});
    assert_eq!(world.socket(json!({"requestContext": context})).await.unwrap()["statusCode"], 401);
    assert!(world.kinds().is_empty());
}

#[tokio::test]
async fn a_connection_is_stored_with_its_user_for_two_hours_and_a_quarter() {
    let world = World::new().await;
    world.connect(ANNA, "a=").await;
    let state = world.state();
    let attribute = |name: &str| state.dynamo.attribute("connection#a=", "connection", name);
    assert_eq!(attribute("owner"), ANNA);
    let now: u64 = crate::world::NOW;
    assert_eq!(attribute("until"), (now + 3600).to_string());
    assert_eq!(attribute("expires"), (now + 8100).to_string());
}

#[tokio::test]
async fn an_expired_user_is_asked_to_sign_in_whatever_the_message() {
    let world = World::new().await;
    for message in [
        json!({"action": "ping"}),
        json!({"action": "cancel", "requestId": id(1)}),
        json!({"action": "resume", "requestId": id(1), "seq": -1}),
        crate::world::run(&id(2)),
    ] {
        world.connect(ANNA, "a=").await;
        world.run("a=", &id(1)).await;
        world.pass(3600);
        let mut received = world.received("a=");
        world.state().on_post = Some(Box::new(|state| assert!(state.browsers.contains_key("a="))));
        world.say("a=", message).await;
        // The connection was closed after the message.
        assert!(!world.state().browsers.contains_key("a="));
        received.clear();
        assert!(!world.kinds().contains_key("connection connection"));
    }
    assert_eq!(world.statements(), 1);
    assert!(world.item(ANNA, &id(1), "alone").is_string(), "its requests wait for the next connection");
}

#[tokio::test]
async fn an_unknown_connection_is_asked_to_sign_in_again() {
    let world = World::new().await;
    world.state().browsers.insert("x=".to_owned(), Vec::new());
    world.say("x=", json!({"action": "ping"})).await;
    assert!(!world.state().browsers.contains_key("x="));
    assert_eq!(world.state().posted, 1);
}

#[tokio::test]
async fn an_invalid_message_is_answered_with_the_allowed_ones() {
    let world = World::new().await;
    world.connect(ANNA, "a=").await;
    for body in [
        "".to_owned(),
        "hello".to_owned(),
        json!({"action": "sudo"}).to_string(),
        json!({"action": "run"}).to_string(),
        json!({"action": "resume", "requestId": id(1)}).to_string(),
        json!({"action": "cancel", "requestId": "UPPER"}).to_string(),
        json!({"action": "run", "requestId": id(1), "query": "taxi-month", "parameters": {"month": "x".repeat(17_000)}}).to_string(),
    ] {
        let event = json!({"requestContext": {"eventType": "MESSAGE", "connectionId": "a="}, "body": body});
        world.socket(event).await.unwrap();
        let received = world.received("a=");
        assert_eq!((received.len(), &received[0]["type"], &received[0]["code"]), (1, &json!("error"), &json!("invalid")), "{body}");
    }
    world.say("a=", json!({"action": "ping"})).await;
    assert_eq!(world.types("a="), ["pong"]);
}

#[tokio::test]
async fn two_users_with_the_same_request_id_have_two_requests() {
    let world = World::new().await;
    world.connect(ANNA, "a=").await;
    world.connect(BERT, "b=").await;
    world.run("a=", &id(1)).await;
    world.run("b=", &id(1)).await;
    world.ends(1).await;
    assert_eq!(world.types("a="), ["accepted"]);
    assert_eq!(world.types("b="), ["accepted", "rows"]);
    world.ends(0).await;
    assert_eq!(world.types("a="), ["rows"]);
    assert!(world.types("b=").is_empty());
}
