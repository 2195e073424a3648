//! Create, Update and Delete in a database.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

use serde_json::{Value, json};
use warehouse_tests::{InDatabase, LINK, later};
use write_back_setup::{Settings, WriteBack, setup};

const WRITER: &str = "IAMR:acme-write-back-QuoteApiRole-1ABCDEFGHIJK";

async fn world() -> InDatabase<WriteBack> {
    InDatabase::new(|variable, clock| setup(&Settings::read(variable).unwrap(), clock)).await
}

#[tokio::test]
async fn readers_get_links_the_writer_writes_and_nobody_else_sees_anything() {
    let world = world().await;
    world.succeed(create()).await;
    let link = |arguments: Value| format!("{LINK}acme-sign:{arguments}");
    assert_eq!(
        world.run("select * from write_back.vw_quote order by customer", Some("ann")).await.unwrap(),
        [
            ["Acme", "-", "2.50", &link(json!(["generate", "Acme", null, "2.50", null]))],
            [
                "O'Brien & Söhne",
                "Java",
                "100.00",
                &link(json!(["generate", "O'Brien & Söhne", "Java", "100.00", null])),
            ],
        ]
    );
    for (user, sql, problem) in [
        ("ben", "select * from write_back.vw_quote", "permission denied for schema"),
        ("ann", "select * from write_back.quote_history", "permission denied for table"),
        ("ann", "insert into write_back.quote_history select * from write_back.quote_history", "permission denied"),
        (WRITER, "delete from write_back.quote_history", "permission denied for table"),
        (WRITER, "select * from write_back.vw_quote", "permission denied for view"),
        (WRITER, "select write_back.f_quote_sign('accept', 'a', 'b', '1', 'q')", "permission denied for function"),
        (WRITER, "select * from sales.rates", "permission denied for schema"),
        ("ann", "select * from write_back.vw_quote_source", "permission denied for view"),
        (WRITER, "create table write_back.x (n int)", "permission denied for schema"),
    ] {
        let error = world.run(sql, Some(user)).await.unwrap_err();
        assert!(error.contains(problem), "{user}: {sql}: {error}");
    }
    assert_eq!(world.run("select 1 from write_back.quote_history", Some(WRITER)).await, Ok(Vec::new()));
    let source = world.run("select * from write_back.vw_quote_source where skill is null", Some(WRITER)).await.unwrap();
    assert_eq!(source, [["Acme", "-", "2.50"]]);
}

#[tokio::test]
async fn a_function_that_signs_for_any_viewer_is_replaced() {
    let world = world().await;
    let id = world.succeed(create()).await["PhysicalResourceId"].as_str().unwrap().to_owned();
    world
        .all(&["create external function write_back.f_quote_sign (varchar, varchar, varchar, varchar, varchar, varchar)
                returns varchar(2048) volatile lambda 'acme-sign' iam_role 'arn:aws:iam::123456789012:role/acme-invoker'"])
        .await;
    world.succeed(later(&create(), "Update", &id)).await;
    let functions = "select pronargs::varchar from pg_proc p join pg_namespace n on n.oid = p.pronamespace where nspname = 'write_back'";
    assert_eq!(world.rows(functions).await, [["5"]]);
}

#[tokio::test]
async fn only_the_latest_row_of_a_quote_that_is_not_accepted_can_be_accepted() {
    let world = world().await;
    world.succeed(create()).await;
    for (quote, status, second) in [
        ("q1", "generated", 1),
        ("q1", "in review", 2),
        ("q2", "generated", 1),
        ("q2", "accepted", 2),
        ("q3", "generated", 1),
    ] {
        let sql = format!(
            "insert into write_back.quote_history
                 (quote_id, customer, skill, cost, status, created_at, submission_id, input_comment)
             values ('{quote}', 'Acme', 'Java', 7.5, '{status}', '2024-02-29 00:00:0{second}', '{quote}{status}', 'why not')"
        );
        world.run(&sql, Some(WRITER)).await.unwrap();
    }
    let rows = world
        .run(
            "select quote_id, status, is_latest, accept_link, input_comment from write_back.vw_quote_history
             order by quote_id, created_at",
            Some("ann"),
        )
        .await
        .unwrap();
    let link = |quote: &str| format!("{LINK}acme-sign:{}", json!(["accept", "Acme", "Java", "7.50", quote]));
    assert_eq!(
        rows,
        [
            ["q1", "generated", "false", "-", "why not"],
            ["q1", "in review", "true", &link("q1"), "why not"],
            ["q2", "generated", "false", "-", "why not"],
            ["q2", "accepted", "true", "-", "why not"],
            ["q3", "generated", "true", &link("q3"), "why not"],
        ]
    );
}

#[tokio::test]
async fn an_update_applies_the_difference_and_keeps_the_data() {
    let world = world().await;
    let id = world.succeed(create()).await["PhysicalResourceId"].as_str().unwrap().to_owned();
    let insert = "insert into write_back.quote_history (quote_id, status, created_at, submission_id, input_comment)
                  values ('q1', 'generated', '2024-02-29', 's1', 'old')";
    world.all(&[insert]).await;
    let mut update = later(&create(), "Update", &id);
    let wanted = &mut update["ResourceProperties"];
    wanted["Inputs"] = json!([{"Name": "discount", "Type": "decimal"}, {"Name": "valid_until", "Type": "date"}]);
    wanted["Readers"] = json!({"Groups": ["analysts"], "Users": [], "Roles": []});
    wanted["Writer"] = json!("IAMR:acme-write-back-QuoteApiRole-2ABCDEFGHIJK");
    wanted["Sign"]["Function"] = json!("acme-sign-2");
    wanted["LinkBase"] = json!("https://b.example/q?t=");
    // The second one finds everything as it should be.
    for request in ["update-1", "update-2"] {
        update["RequestId"] = json!(request);
        assert_eq!(world.succeed(update.clone()).await["PhysicalResourceId"], id);
        assert_eq!(
            world.rows(&columns("vw_quote_history")).await.concat()[7..],
            ["input_discount", "input_valid_until", "is_latest", "accept_link"]
        );
        assert_eq!(
            world.rows(&columns("quote_history")).await.concat()[8..],
            ["input_comment", "input_discount", "input_valid_until"]
        );
        assert_eq!(world.rows("select quote_id, input_comment from write_back.quote_history").await, [["q1", "old"]]);
        assert!(world.run("select * from write_back.vw_quote", Some("ann")).await.is_err());
        let rows = world.run("select accept_link from write_back.vw_quote_history", Some("ben")).await.unwrap();
        assert!(rows[0][0].starts_with("https://b.example/q?t=acme-sign-2:"), "{rows:?}");
        assert!(world.run("select 1 from write_back.quote_history", Some(WRITER)).await.is_err());
        assert!(
            world
                .run("select 1 from write_back.quote_history", Some("IAMR:acme-write-back-QuoteApiRole-2ABCDEFGHIJK"))
                .await
                .is_ok()
        );
    }
    // As CloudFormation rolls back.
    let mut back = later(&create(), "Update", &id);
    back["OldResourceProperties"] = update["ResourceProperties"].clone();
    world.succeed(back).await;
    assert!(world.run("select input_comment from write_back.vw_quote_history", Some("ann")).await.is_ok());
    assert!(world.run("select * from write_back.vw_quote", Some("ben")).await.is_err());
}

#[tokio::test]
async fn a_new_schema_survives_the_delete_of_the_old_one() {
    let world = world().await;
    let id = world.succeed(create()).await["PhysicalResourceId"].as_str().unwrap().to_owned();
    let mut update = later(&create(), "Update", &id);
    update["ResourceProperties"]["Schema"] = json!("quotes");
    let new_id = world.succeed(update).await["PhysicalResourceId"].as_str().unwrap().to_owned();
    assert_ne!(id, new_id);
    world.succeed(later(&create(), "Delete", &id)).await;
    assert!(world.run("select * from quotes.vw_quote", Some("ann")).await.is_ok());
    assert!(world.run("select * from write_back.vw_quote", None).await.is_err());
}

#[tokio::test]
async fn a_delete_removes_function_views_and_rights_and_keeps_the_data() {
    let world = world().await;
    let id = world.succeed(create()).await["PhysicalResourceId"].as_str().unwrap().to_owned();
    let insert = "insert into write_back.quote_history (quote_id, status, created_at, submission_id)
                  values ('q1', 'generated', '2024-02-29', 's1')";
    world.all(&[insert]).await;
    // Someone has already cleaned up.
    world.all(&["drop view write_back.vw_quote_history"]).await;
    for request in ["delete-1", "delete-2"] {
        let mut delete = later(&create(), "Delete", &id);
        delete["RequestId"] = json!(request);
        world.succeed(delete).await;
        assert_eq!(world.rows("select quote_id from write_back.quote_history").await, [["q1"]]);
        let left =
            "select proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace where nspname = 'write_back'";
        assert_eq!(world.rows(left).await, Vec::<Vec<String>>::new());
        let error = world.run("select 1 from write_back.quote_history", Some(WRITER)).await.unwrap_err();
        assert!(error.contains("permission denied for schema"), "{error}");
    }
    // Its Create again, which Lambda delivers late: the answer is the same, and nothing is created again.
    world.succeed(create()).await;
    assert!(world.run("select * from write_back.vw_quote", None).await.is_err());
    let mut again = create();
    again["RequestId"] = json!("create-2");
    world.succeed(again).await;
    assert_eq!(world.rows("select quote_id, is_latest from write_back.vw_quote_history").await, [["q1", "true"]]);
}

#[tokio::test]
async fn a_schema_belongs_to_the_stack_that_created_it() {
    let world = world().await;
    world.succeed(create()).await;
    let links = world.rows("select generate_link from write_back.vw_quote").await;
    let mut foreign = create();
    foreign["StackId"] = json!("arn:aws:cloudformation:us-east-1:123456789012:stack/beta-write-back/3d4e");
    foreign["RequestId"] = json!("create-of-beta");
    foreign["ResourceProperties"]["Sign"]["Function"] = json!("beta-sign");
    let refused = world.handle(foreign.clone()).await;
    assert_eq!(refused["Status"], "FAILED");
    assert_eq!(
        refused["Reason"],
        r#"the schema "write_back" belongs to the stack acme-write-back; set a different `schema` for beta-write-back"#
    );
    // Neither the Delete after the refusal nor one with the ID that a success would have had changes anything.
    for id in
        [refused["PhysicalResourceId"].as_str().unwrap(), "beta-write-back/InWarehouse/workgroup:w/dev/write_back"]
    {
        world.succeed(later(&foreign, "Delete", id)).await;
        assert_eq!(world.rows("select generate_link from write_back.vw_quote").await, links);
        assert!(world.run("select * from write_back.vw_quote", Some("ann")).await.is_ok());
    }
}

#[tokio::test]
async fn a_stack_finds_its_schema_again_after_its_delete_and_nobody_else_gets_the_quotes() {
    let world = world().await;
    let id = world.succeed(create()).await["PhysicalResourceId"].as_str().unwrap().to_owned();
    world.succeed(later(&create(), "Delete", &id)).await;
    let mut event = create();
    event["StackId"] = json!("arn:aws:cloudformation:us-east-1:123456789012:stack/beta-write-back/3d4e");
    event["RequestId"] = json!("create-of-beta");
    assert_eq!(world.handle(event).await["Status"], "FAILED");
    let mut event = create();
    event["RequestId"] = json!("create-2");
    world.succeed(event).await;
}

#[tokio::test]
async fn a_history_without_an_owner_is_only_used_by_an_update_or_after_its_owner_is_named() {
    let world = world().await;
    let id = world.succeed(create()).await["PhysicalResourceId"].as_str().unwrap().to_owned();
    // As if it had been created before schemas had owners.
    world.all(&["drop view write_back.ferrostack_owner"]).await;
    let mut event = create();
    event["RequestId"] = json!("create-2");
    let refused = world.handle(event.clone()).await;
    let reason = refused["Reason"].as_str().unwrap();
    let (problem, mark) = reason.split_once("run: ").unwrap();
    assert!(problem.starts_with(r#"the schema "write_back" has no owner, but already has the table quote_history"#));
    world.succeed(later(&create(), "Update", &id)).await;
    assert_eq!(world.rows("select owner from write_back.ferrostack_owner").await, [["acme-write-back"]]);

    world.all(&["drop view write_back.ferrostack_owner", mark]).await;
    event["RequestId"] = json!("create-3");
    world.succeed(event).await;
}

#[tokio::test]
async fn a_schema_with_other_tables_can_be_used() {
    let world = world().await;
    let mut event = create();
    event["ResourceProperties"]["Schema"] = json!("sales");
    world.succeed(event).await;
    assert_eq!(world.rows("select count(*) from sales.vw_quote").await, [["2"]]);
}

#[tokio::test]
async fn a_refusal_by_the_database_fails_the_event_and_names_the_step() {
    let world = world().await;
    for (property, value, reason) in [
        (
            "Source",
            json!({"Table": "sales.none", "Customer": "Customer", "Skill": "skill", "Cost": "cost"}),
            r#"could not create the view vw_quote_source: ERROR: relation "sales.none" does not exist Position: 361"#,
        ),
        (
            "Readers",
            json!({"Groups": [], "Users": ["zoe"], "Roles": []}),
            r#"could not grant rights to "zoe": ERROR: role "zoe" does not exist"#,
        ),
    ] {
        let mut event = create();
        event["RequestId"] = json!(property);
        event["ResourceProperties"][property] = value;
        let answer = world.handle(event).await;
        assert_eq!(
            (&answer["Status"], &answer["PhysicalResourceId"]),
            (&json!("FAILED"), &json!("acme-write-back/InWarehouse/not-made"))
        );
        let said = answer["Reason"].as_str().unwrap();
        assert_eq!(said.split(" Position").next(), reason.split(" Position").next());
    }
    // Leftovers are not in the way.
    world.succeed(create()).await;
}

#[tokio::test]
async fn names_are_names_whatever_they_contain() {
    let world = world().await;
    let hostile = r#"a"; drop table sales.rates; --"#;
    world.all(&[r#"create user "x""; drop table sales.rates; --" password disable"#]).await;
    let mut event = create();
    event["ResourceProperties"]["Schema"] = json!(hostile);
    event["ResourceProperties"]["Readers"]["Users"] = json!([r#"x"; drop table sales.rates; --"#]);
    world.succeed(event).await;
    assert_eq!(world.rows("select count(*) from sales.rates").await, [["2"]]);
    assert_eq!(world.rows(r#"select count(*) from "a""; drop table sales.rates; --".vw_quote"#).await, [["2"]]);
}

fn columns(relation: &str) -> String {
    format!(
        "select column_name::varchar from information_schema.columns
         where table_schema = 'write_back' and table_name = '{relation}' order by ordinal_position"
    )
}

fn create() -> Value {
    json!({
        "RequestType": "Create",
        "RequestId": "5f1c2a1e-7a1e-4b61-8c8b-3a1f0a1b2c3d",
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/acme-write-back/1b2c",
        "LogicalResourceId": "InWarehouse",
        "ResourceProperties": {
            "ServiceTimeout": "360",
            "Tenant": "acme", "Schema": "write_back",
            "Warehouse": {"Workgroup": "w", "Database": "dev"},
            "Source": {"Table": "sales.rates", "Customer": "Customer", "Skill": "skill", "Cost": "cost"},
            "Sign": {"Function": "acme-sign", "Role": "arn:aws:iam::123456789012:role/acme-invoker"},
            "LinkBase": LINK,
            "Writer": WRITER,
            "Inputs": [{"Name": "comment", "Type": "text", "MaxLength": "500"}],
            "Readers": {"Groups": ["sellers"], "Users": [], "Roles": []},
        },
    })
}
