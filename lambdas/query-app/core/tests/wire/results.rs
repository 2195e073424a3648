//! The REST resources.

use serde_json::{Value, json};

use crate::dynamo::Fault;
use crate::world::{ANNA, BERT, MONTH, PAGE, World, id};

/// A world with a finished request of Anna's, of three pages.
async fn finished() -> World {
    let world = World::new().await;
    world.connect(ANNA, "a=").await;
    world.run("a=", &id(1)).await;
    let event = world.statement(0, |statement| {
        statement.finish(&[
            &[&[json!("=1+1"), json!(9_007_199_254_740_993_i64)]],
            &[&[json!(null), json!(1)], &[json!("a,\"b\""), json!(null)]],
            &[&[json!(""), json!(0.5)]],
        ]);
        statement.event("FINISHED")
    });
    world.finished(event).await.unwrap();
    world
}

fn target(what: &str) -> String {
    format!("/requests/{}{what}", id(1))
}

#[tokio::test]
async fn all_pages_of_a_result_are_read_by_their_tokens() {
    let world = finished().await;
    let mut rows = Vec::new();
    let mut next = String::new();
    for number in 0..3 {
        let page = world.call(ANNA, "GET", &target(&format!("/rows?page={next}"))).await;
        assert_eq!(page["statusCode"], 200);
        rows.extend(page["body"]["rows"].as_array().unwrap().clone());
        assert_eq!(page["body"]["columns"][0], json!({"name": "c0", "label": "c0", "type": "text", "nullable": true}));
        assert_eq!(page["body"]["next"].is_null(), number == 2);
        next = page["body"]["next"].as_str().unwrap_or_default().to_owned();
    }
    assert_eq!(
        rows,
        [json!(["=1+1", "9007199254740993"]), json!([null, 1]), json!(["a,\"b\"", null]), json!(["", 0.5])]
    );
}

#[tokio::test]
async fn csv_has_its_labels_once_and_the_next_page_in_a_header() {
    let world = finished().await;
    let first = world.call(ANNA, "GET", &target("/csv")).await;
    assert_eq!(first["body"], "c0,c1\r\n\"'=1+1\",9007199254740993\r\n");
    assert_eq!(first["headers"]["Content-Type"], "text/csv; charset=utf-8");
    assert_eq!(first["headers"]["Access-Control-Expose-Headers"], "x-next-page");
    let next = first["headers"]["X-Next-Page"].as_str().unwrap();
    let second = world.call(ANNA, "GET", &target(&format!("/csv?page={next}"))).await;
    assert_eq!(second["body"], ",1\r\n\"a,\"\"b\"\"\",\r\n");
    let last = second["headers"]["X-Next-Page"].as_str().unwrap();
    let last = world.call(ANNA, "GET", &target(&format!("/csv?page={last}"))).await;
    assert!(last["headers"].get("X-Next-Page").is_none());
}

#[tokio::test]
async fn another_users_request_is_not_found() {
    let world = finished().await;
    for what in ["", "/rows", "/csv"] {
        for (user, request) in [(BERT, id(1)), (ANNA, id(2)), (ANNA, "x".to_owned())] {
            let answer = world.call(user, "GET", &format!("/requests/{request}{what}")).await;
            assert_eq!((&answer["statusCode"], &answer["body"]["code"]), (&json!(404), &json!("not-found")));
        }
    }
}

#[tokio::test]
async fn a_missing_result_is_explained() {
    let world = finished().await;
    world.run("a=", &id(2)).await;
    let of_second = |what: &str| format!("/requests/{}{what}", id(2));
    let running = world.call(ANNA, "GET", &of_second("/rows")).await;
    assert_eq!((&running["statusCode"], &running["body"]["code"]), (&json!(409), &json!("no-result")));
    assert_eq!(world.call(ANNA, "GET", &of_second("")).await["body"]["state"], "running");

    let wrong = world.call(ANNA, "GET", &target("/rows?page=canary")).await;
    assert_eq!((&wrong["statusCode"], &wrong["body"]["code"]), (&json!(400), &json!("invalid")));
    let long = world.call(ANNA, "GET", &target(&format!("/rows?page={}", "x".repeat(5000)))).await;
    assert_eq!(long["statusCode"], 400);

    world.pass(24 * 60 * 60);
    for what in ["/rows", "/csv"] {
        let gone = world.call(ANNA, "GET", &target(what)).await;
        assert_eq!((&gone["statusCode"], &gone["body"]["code"]), (&json!(410), &json!("gone")));
        assert!(gone["body"]["reason"].as_str().unwrap().contains("24 hours"));
    }
    assert_eq!(world.call(ANNA, "GET", &target("")).await["statusCode"], 200);
    world.pass(24 * 60 * 60);
    assert_eq!(world.call(ANNA, "GET", &target("")).await["statusCode"], 404);
}

#[tokio::test]
async fn a_result_that_redshift_has_deleted_is_gone() {
    let world = finished().await;
    world.state().warehouse.statements.clear();
    assert_eq!(world.call(ANNA, "GET", &target("/rows")).await["statusCode"], 410);
}

#[tokio::test]
async fn every_answer_names_an_allowed_origin_and_no_other() {
    let world = finished().await;
    for (origin, is_allowed) in [(PAGE, true), ("https://evil.example", false), ("null", false)] {
        for (method, resource, status) in [
            ("OPTIONS", "/ticket", 204),
            ("GET", "/queries", 200),
            ("POST", "/ticket", 201),
            ("GET", "/requests/{requestId}", 404),
            ("DELETE", "/ticket", 405),
            ("GET", "/other", 404),
        ] {
            let answer = world.rest(json!({
                "resource": resource, "httpMethod": method, "headers": {"origin": origin},
                "pathParameters": {"requestId": id(9)},
                "requestContext": {"authorizer": {"claims": {"sub": ANNA, "exp": "Wed May 01 11:00:00 UTC 2024"}}},
            }));
            let answer = answer.await;
            assert_eq!(answer["statusCode"], status, "{method} {resource}");
            let named = answer["headers"].get("Access-Control-Allow-Origin");
            assert_eq!(named, is_allowed.then(|| json!(origin)).as_ref());
            assert_eq!(
                (&answer["headers"]["Vary"], &answer["headers"]["Cache-Control"]),
                (&json!("Origin"), &json!("no-store"))
            );
            if method == "OPTIONS" && is_allowed {
                assert_eq!(answer["headers"]["Access-Control-Allow-Headers"], "authorization, content-type");
            }
        }
    }
}

#[tokio::test]
async fn a_caller_without_claims_gets_nothing() {
    let world = finished().await;
    for claims in [Value::Null, json!({"exp": "1"}), json!({"sub": "", "exp": "1"}), json!({"sub": ANNA})] {
        for (method, resource) in [("POST", "/ticket"), ("GET", "/queries"), ("GET", "/requests/{requestId}/rows")] {
            let answer = world.rest(json!({
                "resource": resource, "httpMethod": method, "headers": {}, "pathParameters": {"requestId": id(1)},
                "requestContext": {"authorizer": {"claims": claims}},
            }));
            assert_eq!(answer.await["statusCode"], 401);
        }
    }
}

#[tokio::test]
async fn a_service_that_does_not_answer_is_reported_as_unavailable() {
    let world = finished().await;
    world.faults("PutItem", &[Fault::Denies]);
    let answer = world.call(ANNA, "POST", "/ticket").await;
    assert_eq!((&answer["statusCode"], &answer["body"]["code"]), (&json!(503), &json!("unavailable")));
    assert!(!answer.to_string().contains("canary"));
}

#[tokio::test]
async fn queries_are_listed_with_their_parameters_but_without_their_sql() {
    let world = World::new().await;
    let answer = world.call(ANNA, "GET", "/queries").await;
    let month = &answer["body"]["queries"][2];
    assert_eq!(month["name"], "taxi-month");
    assert_eq!(
        month["parameters"],
        json!([{"name": "month", "label": "Month", "type": "month", "required": true, "default": "2015-01", "minimum": "2015-01", "maximum": "2015-12"}])
    );
    assert_eq!(month["chart"], json!({"kind": "bar", "x": "pickup_date", "y": "trips"}));
    assert!(!answer.to_string().contains("nyc_yellow_taxi"));
}

#[tokio::test]
async fn a_users_own_requests_of_a_day_are_listed_the_newest_first() {
    let world = finished().await;
    world.connect(BERT, "b=").await;
    world.run("b=", &id(9)).await;
    world.pass(60);
    world.run("a=", &id(2)).await;
    let list = |answer: &Value| {
        let requests = answer["body"]["requests"].as_array().unwrap().clone();
        requests.iter().map(|request| (request["requestId"].clone(), request["state"].clone())).collect::<Vec<_>>()
    };
    let answer = world.call(ANNA, "GET", "/requests").await;
    assert_eq!(list(&answer), [(json!(id(2)), json!("running")), (json!(id(1)), json!("finished"))]);
    let first = &answer["body"]["requests"][1];
    assert_eq!(
        (&first["query"], &first["parameters"], &first["rows"]),
        (&json!("taxi-month"), &json!({"month": MONTH}), &json!(4))
    );
    assert_eq!(list(&world.call(BERT, "GET", "/requests").await), [(json!(id(9)), json!("running"))]);
    world.pass(24 * 60 * 60 - 30);
    assert_eq!(list(&world.call(ANNA, "GET", "/requests").await).len(), 1, "the older one is a day old");
    assert_eq!(world.call("nobody", "GET", "/requests").await["body"]["requests"], json!([]));
    assert_eq!(world.call(ANNA, "POST", "/requests").await["statusCode"], 405);
}
