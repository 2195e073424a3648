//! What tests say about templates: an assertion that cannot fail would make them all worthless.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cfn::assertions::assert_includes;
use cfn::{App, Json, Stack, Template};
use serde_json::json;

use crate::{Store, Thing};

/// The message with which `assertion` fails.
fn failure(assertion: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assertion)).expect_err("the assertion holds");
    *panic.downcast::<String>().expect("a formatted message")
}

fn template() -> Template {
    let mut stack = Stack::new("s");
    stack.add("One", Thing::default().name("first"));
    stack.add("Two", Thing::default().name("second"));
    stack.add("Kept", Store);
    App::default().stack(stack).synth().stacks.remove(0).template
}

#[test]
fn an_object_includes_itself_and_every_part_of_itself() {
    let actual = json!({ "a": { "b": [1, { "c": 2 }], "d": null }, "e": "f" });
    for expected in [actual.clone(), json!({}), json!({ "e": "f" }), json!({ "a": { "b": [1, { "c": 2 }] } })] {
        assert_includes(&actual, &expected);
    }
}

#[test]
fn a_difference_is_reported_with_its_path() {
    let actual = json!({ "a": { "b": [1, { "c": 2 }] }, "e": "f" });
    let path = |expected: Json| {
        let message = failure(|| {
            assert_includes(&actual, &expected);
        });
        message.split('`').nth(1).unwrap().to_owned()
    };
    assert_eq!(path(json!({ "e": "g" })), "/e");
    assert_eq!(path(json!({ "x": 1 })), "/x");
    assert_eq!(path(json!({ "a": { "b": [1] } })), "/a/b");
    // Lists have the same length; their items may have more than is expected.
    assert_eq!(path(json!({ "a": { "b": [1, { "c": 3 }] } })), "/a/b/1/c");
    assert_includes(&actual, &json!({ "a": { "b": [1, {}] } }));
    assert_eq!(path(json!([])), "");
}

#[test]
fn properties_are_found_by_logical_id_and_by_type() {
    let template = template();
    assert_eq!(template.properties("Two"), &json!({ "Name": "second" }));
    let things: Vec<(&str, &Json)> = template.all("Test::Of::Thing").collect();
    assert_eq!(things, [("One", &json!({ "Name": "first" })), ("Two", &json!({ "Name": "second" }))]);
    assert_eq!(template.all("Test::Of::Nothing").count(), 0);
    let message = failure(|| _ = template.properties("Three"));
    assert_eq!(message, r#"no resource "Three"; the template has ["One", "Two", "Kept"]"#);
}
