//! One token, one row: replays, revisions, slow and failing statements, lost answers, runs that die.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use write_back::Row;

use crate::world::*;

const ACCEPT: Row<'_> = Row { action: Some("accept"), quote_id: Some(QUOTE), ..ROW };

fn says(code: &'static str) -> Fault {
    Fault::Says(400, code, "no: 'canary'")
}

#[tokio::test]
async fn a_quote_is_generated_with_all_values_as_parameters() {
    let hostile = Row { customer: Some("O'Brien & Söhne'); drop table quotes;--canary"), skill: Some(""), ..ROW };
    let world = World::with(&[("INPUTS", INPUTS)]).await;
    let token = world.token(&hostile);
    let page = world
        .send(post(&[("t", &token), ("comment", "canary\r\n; drop"), ("seats", "7"), ("start", "2024-05-01")]))
        .await;
    assert_eq!(page.status, 200);
    let row = world.state().rows[0].clone();
    for (column, expected) in [
        ("customer", hostile.customer),
        ("skill", Some("")),
        ("cost", Some("1234.50")),
        ("status", Some("generated")),
        ("created_at", Some("2024-05-01 10:00:00.000")),
        ("input_comment", Some("canary\n; drop")),
        ("input_discount", None),
        ("input_seats", Some("7")),
        ("input_start", Some("2024-05-01")),
    ] {
        assert_eq!(row[column].as_deref(), expected, "{column}");
    }
    assert_eq!(row["submission_id"].as_ref().unwrap().len(), 64);
    assert!(page.body.contains(row["quote_id"].as_ref().unwrap()), "{}", page.body);
}

#[tokio::test]
async fn the_same_token_again_is_the_same_answer_and_no_second_row() {
    let world = World::new().await;
    let token = world.token(&ROW);
    let shown = |page: Page| (page.status, page.body.split_once("<main>").unwrap().1.to_owned());
    let first = shown(world.post(&token).await);
    world.pass(1800);
    assert_eq!(shown(world.post(&token).await), first);
    assert_eq!((world.statuses().len(), world.calls("ExecuteStatement")), (1, 1));
}

#[tokio::test]
async fn a_new_token_for_the_same_combination_is_a_revision_of_the_same_quote() {
    let world = World::new().await;
    world.post(&world.token(&ROW)).await;
    world.pass(60);
    let page = world.post(&world.token(&Row { cost: Some("99"), ..ROW })).await;
    assert!(page.body.contains("Quote in review"), "{}", page.body);
    world.post(&world.token(&Row { skill: Some("canary-other"), ..ROW })).await;
    assert_eq!(world.statuses(), ["generated", "in review", "generated"]);
    let ids = world.column("quote_id");
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
}

#[tokio::test]
async fn a_quote_is_accepted_once_whichever_link_is_used() {
    let world = World::new().await;
    world.state().rows.push(generated("1234.50"));
    for _ in 0..2 {
        let page = world.post(&world.token(&ACCEPT)).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("Quote accepted") && page.body.contains(QUOTE), "{}", page.body);
        world.pass(60);
    }
    assert_eq!(
        (world.statuses(), world.column("quote_id")),
        (vec!["generated".to_owned(), "accepted".to_owned()], vec![Some(QUOTE.to_owned()); 2])
    );
}

/// The first row of the quote of [`ACCEPT`].
fn generated(cost: &str) -> BTreeMap<String, Option<String>> {
    let columns = [
        ("quote_id", QUOTE),
        ("customer", "canary-customer"),
        ("skill", "canary-skill"),
        ("cost", cost),
        ("status", "generated"),
        ("created_at", "2024-04-30 10:00:00.000"),
        ("submission_id", "s"),
    ];
    columns.into_iter().map(|(name, value)| (name.to_owned(), Some(value.to_owned()))).collect()
}

#[tokio::test]
async fn a_row_that_the_source_does_not_have_is_signed_but_not_written() {
    for (source, status) in [
        (["canary-customer", "canary-skill", "1234.50"], 200),
        (["canary-customer", "canary-skill", "0.01"], 409),
        (["canary-other", "canary-skill", "1234.50"], 409),
        (["canary-customer", "canary-other", "1234.50"], 409),
    ] {
        let world = World::new().await;
        world.state().source = Some(vec![source.map(str::to_owned)]);
        let token = world.token(&ROW);
        let page = world.post(&token).await;
        assert_eq!((page.status, world.statuses().len()), (status, usize::from(status == 200)), "{source:?}");
        // The link can be used as soon as the source has its row.
        world.state().source = None;
        world.pass(1);
        assert_eq!((world.post(&token).await.status, world.statuses().len()), (200, 1), "{source:?}");
    }
}

#[tokio::test]
async fn the_source_may_have_a_name_in_either_form_of_unicode() {
    for customer in ["canary Soci\u{e9}t\u{e9}", "canary Socie\u{301}te\u{301}"] {
        let world = World::new().await;
        world.state().source = Some(vec![[customer, "", "1234.50"].map(str::to_owned)]);
        let row = Row { customer: Some(customer), skill: Some(""), ..ROW };
        assert_eq!(world.post(&world.token(&row)).await.status, 200, "{customer}");
    }
}

#[tokio::test]
async fn a_quote_is_only_accepted_at_a_cost_that_it_was_generated_with() {
    for (known, status) in [(Some("1234.50"), 200), (Some("1234.51"), 409), (None, 409)] {
        let world = World::new().await;
        world.state().rows.extend(known.map(generated));
        let page = world.post(&world.token(&ACCEPT)).await;
        let is_accepted = world.statuses().contains(&"accepted".to_owned());
        assert_eq!((page.status, is_accepted), (status, status == 200), "{known:?}");
    }
}

#[tokio::test]
async fn a_row_that_an_earlier_statement_has_written_is_found() {
    let world = World::new().await;
    let token = world.token(&ROW);
    world.post(&token).await;
    // The run died before it recorded its statement, and the source has changed since.
    world.state().table.retain(|id, _| id.starts_with("quote#"));
    world.state().remembers_client_tokens = false;
    world.state().source = Some(Vec::new());
    assert_eq!((world.post(&token).await.status, world.statuses().len()), (200, 1));
}

#[tokio::test]
async fn a_slow_statement_is_answered_with_a_page_that_refreshes_itself() {
    let world = World::new().await;
    world.state().looks = 1000;
    let token = world.token(&ROW);
    let page = world.post(&token).await;
    assert_eq!((page.status, &page.headers["Retry-After"]), (202, &json!("2")));
    assert!(world.time.slept() <= Duration::from_secs(10), "{:?}", world.time.slept());
    let address = page.refresh();
    assert!(address.starts_with("quote/status?s=") && !page.body.contains(&token), "{}", page.body);
    let waiting = world.status(&address).await;
    assert_eq!((waiting.status, waiting.refresh()), (202, address.strip_prefix("quote/").unwrap().to_owned()));
    world.state().statements.values_mut().for_each(Statement::finish);
    let done = world.status(&address).await;
    assert_eq!(done.status, 200);
    assert!(done.body.contains("Quote generated"), "{}", done.body);
    // From now on the claim knows.
    let looks = world.calls("DescribeStatement");
    assert_eq!(world.status(&address).await.status, 200);
    assert_eq!(world.calls("DescribeStatement"), looks);
    assert_eq!(world.statuses(), ["generated"]);
}

#[tokio::test]
async fn a_page_that_waits_gives_up_after_a_quarter_of_an_hour() {
    let world = World::new().await;
    world.state().looks = 1000;
    let address = world.post(&world.token(&ROW)).await.refresh();
    world.pass(16 * 60);
    let page = world.status(&address).await;
    assert!(page.status == 202 && !page.body.contains("http-equiv"), "{}", page.body);
}

#[tokio::test]
async fn an_invalid_status_name_is_not_found() {
    let world = World::new().await;
    for name in ["", "x", &"a".repeat(64), &"A".repeat(64), "../quote"] {
        assert_eq!(world.status(&format!("s={name}")).await.status, 404);
    }
    assert_eq!(world.calls("GetItem"), 1, "only valid names are looked up");
}

#[tokio::test]
async fn a_failed_statement_is_reported_without_sql_and_the_link_remains_valid() {
    let world = World::new().await;
    world.state().ends = ["FAILED", "FAILED"].into();
    let token = world.token(&ROW);
    for attempts in 1..=2 {
        let page = world.post(&token).await;
        assert_eq!((page.status, world.calls("ExecuteStatement")), (502, attempts), "one statement per click");
        for leak in ["insert", "canary", "ERROR", "quote_history"] {
            assert!(!page.body.contains(leak), "{}", page.body);
        }
    }
    world.pass(60);
    let page = world.post(&token).await;
    assert!(page.status == 200 && page.body.contains("Quote generated"), "{}", page.body);
    assert_eq!(world.statuses(), ["generated"]);
    assert_eq!(world.column("created_at"), [Some("2024-05-01 10:00:00.000".to_owned())], "the time of the first click");
}

#[tokio::test]
async fn a_statement_that_loses_a_conflict_or_is_cancelled_is_handed_in_again() {
    for end in ["CONFLICT", "ABORTED"] {
        let world = World::new().await;
        world.state().ends = [end, end].into();
        assert_eq!(world.post(&world.token(&ROW)).await.status, 200);
        assert_eq!((world.calls("ExecuteStatement"), world.statuses()), (3, vec!["generated".to_owned()]));
    }
    // Not forever, and the link stays good.
    let world = World::new().await;
    world.state().ends = ["CONFLICT", "CONFLICT", "CONFLICT"].into();
    let token = world.token(&ROW);
    assert_eq!(world.post(&token).await.status, 502);
    assert_eq!((world.post(&token).await.status, world.statuses().len()), (200, 1));
}

#[tokio::test]
async fn a_click_after_redshift_has_forgotten_the_statement_finds_the_row() {
    for was_written in [true, false] {
        let world = World::new().await;
        world.state().looks = 1000;
        if !was_written {
            world.state().ends = ["FAILED"].into();
        }
        let token = world.token(&ROW);
        let address = world.post(&token).await.refresh();
        world.state().statements.clear();
        world.state().looks = 0;
        assert_eq!(world.status(&address).await.status, 503);
        let page = world.post(&token).await;
        assert!(page.status == 200 && page.body.contains("Quote generated"), "{}", page.body);
        assert_eq!(world.statuses(), ["generated"]);
    }
}

#[tokio::test]
async fn the_history_starts_with_generated_whichever_link_is_written_first() {
    let world = World::new().await;
    world.state().ends = ["FAILED"].into();
    world.state().looks = 1000;
    let (first, second) = (world.token(&ROW), world.token(&Row { cost: Some("99"), ..ROW }));
    assert_eq!(world.post(&first).await.status, 202);
    assert_eq!(world.post(&second).await.status, 202);
    assert_eq!(world.statuses(), ["generated"]);
    world.state().statements.values_mut().for_each(Statement::finish);
    world.state().looks = 0;
    assert_eq!(world.post(&first).await.status, 200);
    assert_eq!(world.statuses(), ["generated", "in review"]);
}

#[tokio::test]
async fn a_failure_that_only_the_waiting_page_sees_also_releases_the_quote() {
    let world = World::new().await;
    world.state().looks = 1000;
    world.state().ends = ["FAILED"].into();
    let address = world.post(&world.token(&ROW)).await.refresh();
    world.state().statements.values_mut().for_each(Statement::finish);
    assert_eq!(world.status(&address).await.status, 502);
    world.state().looks = 0;
    world.pass(60);
    assert_eq!(world.post(&world.token(&ROW)).await.status, 200);
    assert_eq!(world.statuses(), ["generated"]);
}

#[tokio::test]
async fn a_temporarily_refused_statement_is_retried_with_the_same_token() {
    let world = World::new().await;
    world.state().faults.insert("ExecuteStatement", [says("ActiveStatementsExceededException")].into());
    assert_eq!(world.post(&world.token(&ROW)).await.status, 200);
    assert_eq!((world.calls("ExecuteStatement"), world.statuses().len()), (2, 1));
}

#[tokio::test]
async fn nothing_is_lost_while_the_warehouse_is_unavailable() {
    let world = World::new().await;
    let paused = Fault::Says(400, "ValidationException", "the cluster is paused: 'canary'");
    world.state().faults.insert("ExecuteStatement", [paused].into());
    let token = world.token(&ROW);
    let page = world.post(&token).await;
    assert_eq!((page.status, &page.headers["Retry-After"]), (503, &json!("30")));
    assert_eq!(world.post(&token).await.status, 200, "the same link at once, without waiting for a lease");
    assert_eq!(world.statuses(), ["generated"]);
}

#[tokio::test]
async fn a_statement_that_redshift_rejects_can_be_repeated_after_a_fix() {
    let world = World::new().await;
    world.state().faults.insert("ExecuteStatement", [says("AccessDeniedException")].into());
    let token = world.token(&ROW);
    let page = world.post(&token).await;
    assert!(page.status == 502 && !page.body.contains("canary"), "{}", page.body);
    assert_eq!(world.post(&token).await.status, 200);
}

#[tokio::test]
async fn lost_answers_cost_nothing() {
    for (operation, lost) in [
        ("PutItem", 0),
        ("PutItem", 1),
        ("PutItem", 2),
        ("PutItem", 3),
        ("ExecuteStatement", 0),
        ("DescribeStatement", 0),
    ] {
        let world = World::new().await;
        let mut faults = vec![Fault::Works; lost];
        faults.push(Fault::LosesAnswer);
        world.state().faults.insert(operation, faults.into());
        let token = world.token(&ROW);
        assert_eq!(world.post(&token).await.status, 200, "{operation} {lost}");
        assert_eq!(world.post(&token).await.status, 200);
        assert_eq!(world.statuses(), ["generated"]);
    }
}

#[tokio::test]
async fn the_condition_in_sql_suffices_when_the_service_forgets_client_tokens() {
    let world = World::new().await;
    world.state().remembers_client_tokens = false;
    world.state().faults.insert("ExecuteStatement", [Fault::LosesAnswer].into());
    assert_eq!(world.post(&world.token(&ROW)).await.status, 200);
    // The second insert writes nothing, and the third statement finds the row of the first.
    let statements = world.state().statements.len();
    assert_eq!((statements, world.statuses().len()), (3, 1));
}

#[tokio::test]
async fn a_dead_run_is_taken_over_after_its_time_with_its_inputs() {
    let world = World::with(&[("INPUTS", INPUTS)]).await;
    let token = world.token(&ROW);
    // The first run only wrote the claim.
    let down = || Fault::Says(500, "InternalServerError", "down");
    world.state().faults.insert("PutItem", [Fault::Works, down(), down(), down()].into());
    let comment = |text| post(&[("t", &token), ("comment", text)]);
    assert_eq!(world.send(comment("first")).await.status, 503);
    let waiting = world.send(comment("second")).await;
    assert_eq!(waiting.status, 202, "the first run may still be working");
    world.pass(30);
    assert_eq!(world.status(&waiting.refresh()).await.status, 503);
    assert_eq!(world.send(comment("third")).await.status, 200);
    assert_eq!(world.column("input_comment"), [Some("first".to_owned())]);
    assert_eq!(world.column("created_at"), [Some("2024-05-01 10:00:00.000".to_owned())]);
}

#[tokio::test]
async fn without_the_claims_table_nothing_is_written() {
    let world = World::new().await;
    world.state().faults.insert("PutItem", [says("AccessDeniedException")].into());
    let page = world.post(&world.token(&ROW)).await;
    assert_eq!((page.status, world.calls("ExecuteStatement")), (503, 0));
    assert!(!page.body.contains("canary") && world.log().contains("AccessDeniedException"));
}
