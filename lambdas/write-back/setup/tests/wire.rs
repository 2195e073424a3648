//! The function against a scripted Data API: which properties it accepts, and what it removes.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

use serde_json::{Value, json};
use warehouse_tests::{Scripted, create, later};
use write_back_setup::{Settings, WriteBack, setup};

async fn world() -> Scripted<WriteBack> {
    Scripted::new(|variable, clock| setup(&Settings::read(variable).unwrap(), clock)).await
}

#[tokio::test]
async fn invalid_properties_fail_a_create_with_a_reason() {
    for (property, value, problem) in [
        ("Warehouse", json!({"Database": "d"}), "set exactly one"),
        ("Schema", json!(""), "Schema: the name \"\" is empty"),
        ("Writer", json!("a\u{0}b"), "Writer: "),
        ("LinkBase", json!("https://a.example/?t=' || 'x"), "LinkBase"),
        ("LinkBase", json!("ftp://a.example/"), "LinkBase"),
        ("Sign", json!({"Function": "f'", "Role": "arn:aws:iam::1:role/r"}), "Sign.Function"),
        ("Sign", json!({"Function": "f", "Role": "r"}), "Sign.Role"),
        ("Inputs", json!([{"Name": "a b", "Type": "text"}]), "the input name \"a b\""),
        ("Inputs", json!([{"Name": "a", "Type": "blob"}]), "the type \"blob\""),
        ("Inputs", json!([{"Name": "a", "Type": "text", "MaxLength": "x"}]), "MaxLength"),
        ("Source", json!({"Table": "a.b.c.d", "Customer": "c", "Skill": "s", "Cost": "c"}), "has 4 parts"),
    ] {
        let world = world().await;
        let mut properties = properties();
        properties[property] = value;
        world.handle(create(properties)).await.unwrap();
        let answer = world.answer();
        assert_eq!(answer["Status"], "FAILED");
        assert!(answer["Reason"].as_str().unwrap().contains(problem), "{answer}");
        assert_eq!(world.statements(), [""; 0]);
    }
}

#[tokio::test]
async fn a_delete_removes_rights_views_and_function_and_no_data() {
    let world = world().await;
    let id = "acme-setup/InWarehouse/workgroup:w/d/quotes";
    world.handle(later(&create(properties()), "Delete", id)).await.unwrap();
    assert_eq!(world.answer()["Status"], "SUCCESS");
    let statements = world.statements();
    assert_eq!(statements.len(), 12, "{statements:#?}");
    assert!(!statements.iter().any(|sql| sql.contains("drop table") || sql.contains("drop schema")));
}

fn properties() -> Value {
    json!({
        "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:setup", "ServiceTimeout": "360",
        "Tenant": "acme", "Schema": "quotes",
        "Warehouse": {"Workgroup": "w", "Database": "d"},
        "Source": {"Table": "sales.rates", "Customer": "customer", "Skill": "skill", "Cost": "cost"},
        "Sign": {"Function": "acme-sign", "Role": "arn:aws:iam::123456789012:role/acme-invoker"},
        "LinkBase": "https://a.example/quote?t=",
        "Writer": "IAMR:acme-api",
        "Inputs": [{"Name": "comment", "Type": "text", "MaxLength": "500"}],
        "Readers": {"Groups": ["sellers"], "Users": [], "Roles": []},
    })
}
