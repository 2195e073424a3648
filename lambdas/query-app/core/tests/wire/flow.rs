//! From a ticket to the rows.

use serde_json::json;

use crate::world::{ANNA, MONTH, World, id};

#[tokio::test]
async fn a_query_runs_from_the_ticket_to_the_rows() {
    let world = World::new().await;
    world.connect(ANNA, "a=").await;
    world.run("a=", &id(1)).await;
    assert_eq!(world.received("a="), [json!({"type": "accepted", "requestId": id(1)})]);
    let asked = world.statement(0, |statement| statement.asked.clone());
    assert_eq!(asked["Parameters"], json!([{"name": "month", "value": MONTH}]));
    let sql = asked["Sql"].as_str().unwrap();
    assert!(sql.contains("\"query_app\".nyc_yellow_taxi") && sql.ends_with("\nlimit 10000") && !sql.contains(MONTH));
    assert!(asked["StatementName"].as_str().unwrap().starts_with("acme-query-"));

    let event = world.statement(0, |statement| {
        statement.finish(&[&[&[json!("1.50"), json!(9_007_199_254_740_993_i64)]], &[&[json!(null), json!(true)]]]);
        statement.event("FINISHED")
    });
    assert_eq!(world.finished(event).await, Ok(json!({"notified": true})));
    let received = world.received("a=");
    assert_eq!(received.len(), 1);
    assert_eq!(received[0]["rows"], json!([["1.50", "9007199254740993"], [null, true]]));
    assert_eq!(
        (&received[0]["type"], &received[0]["seq"], &received[0]["last"], &received[0]["total"]),
        (&json!("rows"), &json!(0), &json!(true), &json!(2))
    );
    let state = world.call(ANNA, "GET", &format!("/requests/{}", id(1))).await;
    assert_eq!((&state["body"]["state"], &state["body"]["rows"]), (&json!("finished"), &json!(2)));
}
