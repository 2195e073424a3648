//! Counts and sizes that CloudFormation limits, each at its border.

use std::collections::BTreeMap;

use cfn::intrinsic::{find_in_map, join};
use cfn::{App, Attributes, Finding, Output, Parameter, Stack, Value};
use serde_json::json;

use crate::{Store, Thing, messages};

/// The severities and messages about the whole stack.
fn of_the_stack(stack: Stack) -> Vec<(bool, String)> {
    let findings = App::default().stack(stack).synth().findings;
    findings
        .into_iter()
        .filter(|finding| finding.subject.is_empty())
        .map(|finding| (finding.is_error(), finding.message))
        .collect()
}

fn warning(message: &str) -> Vec<(bool, String)> {
    vec![(false, message.to_owned())]
}

fn error(message: &str) -> Vec<(bool, String)> {
    vec![(true, message.to_owned())]
}

#[test]
fn resources() {
    let with = |count: usize| {
        let mut stack = Stack::new("s");
        (0..count).for_each(|i| drop(stack.add(&format!("It{i}"), Thing::default())));
        of_the_stack(stack)
    };
    assert_eq!(with(399), []);
    assert_eq!(with(400), warning("400 resources of at most 500"));
    assert_eq!(with(500), warning("500 resources of at most 500"));
    assert_eq!(with(501), error("501 resources; must be at most 500"));
}

#[test]
fn parameters_outputs_and_mappings() {
    type Add = fn(&mut Stack, &str);
    let with = |count: usize, add: Add| {
        let mut stack = Stack::new("s");
        stack.add("Thing", Thing::default());
        (0..count).for_each(|i| add(&mut stack, &format!("N{i}")));
        of_the_stack(stack)
    };
    let add: [(&str, Add); 3] = [
        ("parameters", |stack, name| drop(stack.parameter::<String>(name, Parameter::string()))),
        ("outputs", |stack, name| stack.output(name, Output::new("x"))),
        ("mappings", |stack, name| drop(stack.mapping(name, [("a", BTreeMap::from([("b".to_owned(), json!(1))]))]))),
    ];
    for (what, add) in add {
        assert_eq!(with(159, add), [], "{what}");
        assert_eq!(with(160, add), warning(&format!("160 {what} of at most 200")));
        assert_eq!(with(200, add), warning(&format!("200 {what} of at most 200")));
        assert_eq!(with(201, add), error(&format!("201 {what}; must be at most 200")));
    }
}

#[test]
fn the_most_frequent_types_help_to_split_a_stack() {
    let mut stack = Stack::new("s");
    (0..398).for_each(|i| drop(stack.add(&format!("Thing{i}"), Thing::default())));
    (0..3).for_each(|i| drop(stack.add(&format!("Store{i}"), Store.disposable())));
    let findings = App::default().stack(stack).synth().findings;
    let help = "the most frequent types: 398 Test::Of::Thing, 3 Test::Of::Store";
    assert_eq!(findings.iter().map(|finding| finding.help.as_deref()).collect::<Vec<_>>(), [Some(help)]);
}

/// Bytes are those of the document that is written.
#[test]
fn the_size_of_a_template() {
    let sized = |bytes: usize| {
        let document = |padding: usize| {
            let mut stack = Stack::new("big");
            stack.add("It", Thing::default().name("x".repeat(padding)));
            App::default().stack(stack).synth()
        };
        let assembly = document(bytes - document(0).stacks[0].document.len());
        assert_eq!(assembly.stacks[0].document.len(), bytes);
        assembly.findings
    };
    let only = |findings: Vec<Finding>| {
        let [finding] = &findings[..] else { panic!("{findings:?}") };
        (finding.is_error(), finding.stack.clone(), finding.message.clone())
    };
    let of = |is_error: bool, message: &str| (is_error, "big".to_owned(), message.to_owned());
    assert_eq!(sized(51_200), []);
    assert_eq!(only(sized(51_201)), of(false, "51201 bytes; at most 51200 can be sent without a bucket"));
    assert_eq!(only(sized(799_999)), of(false, "799999 bytes; at most 51200 can be sent without a bucket"));
    assert_eq!(only(sized(800_000)), of(false, "800000 bytes of at most 1000000"));
    assert_eq!(only(sized(1_000_000)), of(false, "1000000 bytes of at most 1000000"));
    assert_eq!(only(sized(1_000_001)), of(true, "1000001 bytes; must be at most 1000000"));
}

#[test]
fn names() {
    let long = "x".repeat(255);
    let mut stack = Stack::new("a".repeat(128));
    stack.add(&long, Thing::default());
    stack.output(&long, Output::new("x"));
    assert_eq!(messages(stack), [""; 0]);
    let mut stack = Stack::new("s");
    stack.add(&format!("{long}x"), Thing::default());
    stack.add("", Thing::default());
    let invalid = |id: &str| format!("{id}: {id:?} is not a valid logical ID; use 1 to 255 letters and digits");
    assert_eq!(messages(stack), [invalid(&format!("{long}x")), invalid("")]);
}

#[test]
fn names_of_stacks() {
    let named = |name: &str| {
        let mut stack = Stack::new(name);
        stack.add("Thing", Thing::default());
        App::default().stack(stack).synth().findings
    };
    for name in ["a", "A-1", &"a".repeat(128)] {
        assert_eq!(named(name), [], "{name}");
    }
    for name in ["", "1a", "-a", "a_b", "a.b", "\u{e9}a", &"a".repeat(129)] {
        assert_eq!(named(name).len(), 1, "{name}");
    }
}

#[test]
fn what_is_used_and_what_is_not() {
    let mut stack = Stack::new("s");
    let used = stack.parameter("Used", Parameter::string());
    stack.parameter::<String>("Unused", Parameter::string());
    let row = || [("a", BTreeMap::from([("b".to_owned(), json!("c"))]))];
    let sizes = stack.mapping("Sizes", row());
    stack.mapping("Others", row());
    let size: Value<String> = find_in_map(&sizes, &used, "b");
    stack.add("Thing", Thing::default().name(join("-", [size, cfn::intrinsic::url_suffix()])));
    assert_eq!(messages(stack), ["Unused: this parameter is not used", "Others: this mapping is not used"]);
}
