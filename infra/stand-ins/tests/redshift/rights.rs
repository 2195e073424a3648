//! Users, groups, roles and grants as Redshift writes them, and that they hold.

use loopback::reply;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_user_may_what_was_granted_to_it_its_group_or_its_role_and_nothing_else() {
    let world = World::with(|_, _| reply(200, json!({"success": true, "num_records": 1, "results": ["signed"]}))).await;
    // Users and groups belong to the whole PostgreSQL, which other tests share.
    let named = |sql: &str| sql.replace('%', &world.database);
    let all = [
        r#"create user "IAMR:writer-%" password disable"#,
        "create user reader_% password disable",
        "create user stranger_% password disable",
        "create group readers_%",
        "alter group readers_% add user reader_%",
        "create role seniors_%",
        "create schema quotes",
        "create external function quotes.f_sign(varchar) returns varchar volatile lambda 'signer' iam_role default",
        "revoke execute on function quotes.f_sign(varchar) from public",
        "create table quotes.history (id varchar(36)) diststyle auto sortkey (id)",
        "create view quotes.links as select quotes.f_sign('a') as link",
        r#"grant usage on schema quotes to "IAMR:writer-%""#,
        r#"grant select, insert on quotes.history to "IAMR:writer-%""#,
        "grant usage on schema quotes to group readers_%, role seniors_%",
        "grant select on quotes.links to group readers_%",
        "grant select on quotes.links to role seniors_%",
        "grant execute on function quotes.f_sign(varchar) to group readers_%",
    ]
    .map(named);
    world.all(&all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let writer = named("IAMR:writer-%");
    let insert = "insert into quotes.history values (:id)";
    let run = async |sql: &str, user: &str| {
        let parameters: &[_] = if sql.contains(":id") { &[("id", "q1")] } else { &[] };
        world.run_with(sql, parameters, Some(user)).await.error().map(str::to_owned)
    };
    assert_eq!(run(insert, &writer).await, None);
    assert!(run("delete from quotes.history", &writer).await.unwrap().contains("permission denied"));
    let reader = named("reader_%");
    assert_eq!(run("select * from quotes.links", &reader).await, None);
    assert!(run(insert, &reader).await.unwrap().contains("permission denied for table history"));
    world.all(&[&named("revoke execute on function quotes.f_sign(varchar) from group readers_%")]).await;
    let denied = run("select * from quotes.links", &reader).await.unwrap();
    assert!(denied.contains("permission denied for function f_sign"), "{denied}");
    let stranger = run("select * from quotes.links", &named("stranger_%")).await.unwrap();
    assert!(stranger.contains("permission denied for schema quotes"), "{stranger}");
}

#[tokio::test]
async fn functions_that_postgresql_lacks_are_there() {
    let world = World::new().await;
    let rows = world.rows("select nvl(null, 'b'), len('abc'), getdate() <= sysdate, 'x'::varchar(max)").await;
    assert_eq!(rows, [["b", "3", "true", "x"]]);
}
