//! Assertions hold where they should, and fail where they should.

use std::panic::catch_unwind;

use cfn::assertions::{absent, any, assert_findings, assert_includes, capture, changed, contains};
use cfn::{App, CloudAssembly, Finding, Json, LogicalId, Properties, Resource, Stack, Template};
use serde_json::json;

struct Thing(Json);

impl Resource for Thing {
    const TYPE: &'static str = "Test::Of::Thing";
    const STATEFUL: bool = false;
    type Ref = LogicalId;

    fn into_properties(self) -> Properties {
        let properties = self.0.as_object().cloned().unwrap_or_default();
        properties.into_iter().fold(Properties::default(), |all, (name, value)| all.set_raw(&name, value))
    }
}

fn assembly() -> CloudAssembly {
    let mut stack = Stack::new("s");
    stack.add("Small", Thing(json!({ "Size": 1, "Tags": ["a", "b"] })));
    stack.add("Large", Thing(json!({ "Size": 2, "Name": "n", "Parts": [{ "Id": 1 }, { "Id": 2, "Of": "x" }] })));
    stack.finding(Finding::error("Large", "is larger than Small"));
    App::default().stack(stack).synth()
}

fn template() -> Template {
    assembly().stacks.remove(0).template
}

/// What an assertion that fails says.
fn failure(assertion: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = catch_unwind(assertion).expect_err("the assertion holds");
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast_ref::<&str>().expect("a panic has a text").to_string(),
    }
}

/// Whether a value matches a pattern: where it differs.
#[track_caller]
fn differs(actual: Json, pattern: Json, expected: &str) {
    let message = failure(move || drop(assert_includes(&actual, &pattern)));
    assert_eq!(message.lines().next(), Some(expected));
}

#[test]
fn objects_may_have_more_keys_and_nothing_else_may_differ() {
    let actual = json!({ "a": { "b": [1, "x"], "c": null }, "d": true });
    for pattern in [json!({}), json!({ "d": true }), json!({ "a": { "b": [1, "x"] } }), json!({ "a": { "c": null } })] {
        assert_includes(&actual, &pattern);
    }
    differs(actual.clone(), json!({ "d": false }), "`/d` is true, and not false");
    differs(actual.clone(), json!({ "a": { "b": [1] } }), r#"`/a/b` is [1,"x"], and not a list of 1"#);
    differs(actual.clone(), json!({ "a": { "b": [1, "y"] } }), r#"`/a/b/1` is "x", and not "y""#);
    differs(actual.clone(), json!({ "a": { "e": null } }), "`/a/e` does not exist");
    differs(actual.clone(), json!({ "d": {} }), "`/d` is true, and not an object");
    differs(actual, json!({ "d": [] }), "`/d` is true, and not a list of 0");
}

#[test]
fn a_key_can_be_required_to_exist_or_not() {
    let actual = json!({ "a": null });
    assert_includes(&actual, &json!({ "a": any(), "b": absent() }));
    differs(actual.clone(), json!({ "a": absent() }), "`/a` exists, and is null");
    differs(actual, json!({ "b": any() }), "`/b` does not exist");
}

#[test]
fn a_list_can_be_required_to_contain_items() {
    let actual = json!({ "a": ["x", { "b": 1, "c": 2 }] });
    assert_includes(&actual, &json!({ "a": contains([json!({ "c": 2 }), json!("x")]) }));
    assert_includes(&actual, &json!({ "a": contains::<Json>([]) }));
    differs(actual.clone(), json!({ "a": contains(["y"]) }), r#"`/a` does not contain "y""#);
    differs(actual, json!({ "a": { "b": contains(["y"]) } }), r#"`/a` is ["x",{"b":1,"c":2}], and not an object"#);
    differs(json!({ "a": "xy" }), json!({ "a": contains(["x"]) }), r#"`/a` is "xy", and not a list"#);
}

#[test]
fn values_are_captured_where_the_pattern_matches() {
    let actual = json!([{ "id": 1, "of": "x" }, { "id": 2, "of": "y" }]);
    let captured = assert_includes(&actual, &contains([json!({ "of": "y", "id": capture("second") })]));
    assert_eq!(captured.len(), 1);
    assert_eq!(captured["second"], 2);
}

#[test]
fn a_resource_is_found_by_its_type_and_properties() {
    let template = template();
    let found = template.assert_resource("Test::Of::Thing", &json!({ "Size": 2, "Name": capture("name") }));
    assert_eq!((found.id, &found.properties["Size"]), ("Large", &json!(2)));
    assert_eq!(found.captured["name"], "n");
    let message = failure(|| drop(self::template().assert_resource("Test::Of::Thing", &json!({ "Size": 3 }))));
    assert!(message.ends_with("\n  Small: `/Size` is 1, and not 3\n  Large: `/Size` is 2, and not 3"), "{message}");
    let message = failure(|| drop(self::template().assert_resource("Test::Of::Nothing", &json!({}))));
    assert_eq!(message, "no resource of the type Test::Of::Nothing");
}

#[test]
fn a_resource_can_be_required_not_to_exist() {
    template().assert_no_resource("Test::Of::Thing", &json!({ "Size": 3 }));
    template().assert_no_resource("Test::Of::Nothing", &json!({}));
    let message = failure(|| template().assert_no_resource("Test::Of::Thing", &json!({ "Name": any() })));
    assert!(message.starts_with("Large is a Test::Of::Thing that matches "), "{message}");
}

#[test]
fn findings_are_exactly_those_that_are_expected() {
    assert_findings(&assembly(), &[("Large", "is larger")]);
    let message = failure(|| assert_findings(&assembly(), &[]));
    assert_eq!(message, "missing findings:\nunexpected findings:\n  Large: is larger than Small");
    let message = failure(|| assert_findings(&assembly(), &[("Large", "is larger"), ("Small", "is smaller")]));
    assert_eq!(message, "missing findings:\n  Small: is smaller\nunexpected findings:");
}

#[test]
fn a_snapshot_is_compared_with_its_file() {
    cfn::assert_snapshot!("tests/snapshots/things.template.json", assembly().stacks[0].document);
}

#[test]
fn the_first_line_that_changed_is_named() {
    assert_eq!(changed("a\nb\n", "a\nb\n"), None);
    assert_eq!(changed("a\nb\n", "a\nc\n").unwrap(), "line 2 was `b` and is `c`");
    assert_eq!(changed("a\n", "a\nb\n").unwrap(), "line 2 was nothing and is `b`");
    assert_eq!(changed("a\r\n", "a\n").unwrap(), "the ends of lines differ");
}
