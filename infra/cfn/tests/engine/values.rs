//! Values, their JSON, and the lines and paths of their problems.

use std::collections::BTreeMap;

use cfn::intrinsic::{self, equals, if_};
use cfn::{
    App, Constraint, Construct, Finding, Json, Literal, Output, Parameter, Properties, Referable, Scope, Stack, Value,
    is_intrinsic, rust_name,
};
use serde_json::json;

use crate::{Part, Thing, ThingRef, messages, template};

#[test]
fn literals_are_the_json_that_they_look_like() {
    let text = "a".to_owned();
    let texts: [Value<String>; 3] = ["a".into(), text.clone().into(), (&text).into()];
    assert!(texts.iter().all(|value| value.json() == "a"));
    assert_eq!(Value::<bool>::from(true).json(), &json!(true));
    assert_eq!(Value::<Json>::from(json!({ "a": [1] })).json(), &json!({ "a": [1] }));
    let numbers: [Value<i64>; 4] = [7_i32.into(), 7_u32.into(), 7_i64.into(), 7_u16.into()];
    assert!(numbers.iter().all(|value| value.json() == 7));
    assert_eq!(Value::<f64>::from(0.5).json(), &json!(0.5));
    let list = json!(["a", "b"]);
    assert_eq!(Value::<Vec<String>>::from(["a", "b"]).json(), &list);
    assert_eq!(Value::<Vec<String>>::from(vec!["a", "b"]).json(), &list);
    let map = json!({ "k": "v" });
    assert_eq!(Value::<BTreeMap<String, String>>::from([("k", "v")]).json(), &map);
    assert_eq!(Value::<BTreeMap<String, String>>::from(BTreeMap::from([("k".to_owned(), "v")])).json(), &map);
    assert_eq!(Value::<Part>::from(Part::default().label("ab")).json(), &json!({ "Label": "ab" }));
}

#[test]
fn a_copy_is_the_same_value() {
    let value: Value<i64> = Value::raw(json!({ "Ref": "A" }));
    assert_eq!(format!("{value:?}"), format!("{:?}", value.json()));
    assert_eq!(value.clone().json(), value.json());
    assert_eq!(Value::<i64>::from(&value).json(), value.json());
    assert_eq!(Json::from(value.clone()), json!({ "Ref": "A" }));
    assert_eq!(value.cast::<String>().json(), &json!({ "Ref": "A" }));
}

#[test]
fn copies_and_other_types_keep_the_line_and_the_problems() {
    let mut stack = Stack::new("s");
    let chosen = Value::<i64>::from(1).set_here();
    let line = line!() - 1;
    let copied = Value::from(&chosen);
    stack.add("A", Thing::default().size(chosen.clone()));
    stack.add("B", Thing::default().size(copied));
    stack.add("C", Thing::default().size(Value::<String>::from("x").cast::<i64>()));
    // A problem inside a value that is copied is reported for each copy.
    let part = Part::default().label("long").into_value();
    stack.add("D", Thing::default().parts([part.clone(), part]));
    let findings = App::default().stack(stack).synth().findings;
    let lines = |subject: &str| {
        let of_subject = findings.iter().filter(|finding| finding.subject == subject);
        of_subject.map(|finding| finding.location.unwrap().line()).collect::<Vec<_>>()
    };
    assert_eq!((lines("A"), lines("B"), lines("C").len(), lines("D").len()), (vec![line], vec![line], 0, 2));
}

/// A thing whose properties are given as they are.
#[derive(Default)]
struct Free(Properties);

impl cfn::Resource for Free {
    const TYPE: &'static str = "Test::Of::Free";
    const STATEFUL: bool = false;
    type Ref = ThingRef;

    fn into_properties(self) -> Properties {
        self.0
    }
}

#[test]
fn a_problem_has_the_whole_path_through_lists_and_maps() {
    let part = || Part::default().label("long");
    let list: Value<Vec<Value<Part>>> = Value::from([Value::<Part>::from(part())]).cast();
    let map: Value<BTreeMap<String, Part>> = Value::from([("key", part())]);
    let mut stack = Stack::new("s");
    stack.add("A", Free(Properties::default().set::<Vec<Value<Part>>>("SomeParts", list)));
    stack.add("B", Free(Properties::default().set::<BTreeMap<String, Part>>("Named", map)));
    stack.add("C", Free(Properties::default().set::<Part>("Inner", part())));
    let what = r#"label is "long" with 4 characters; must have at most 2 characters"#;
    assert_eq!(
        messages(stack),
        [format!("A: some_parts[0].{what}"), format!("B: named.key.{what}"), format!("C: inner.{what}")]
    );
}

#[test]
fn raw_properties_are_neither_renamed_nor_checked() {
    let mut stack = Stack::new("s");
    stack.add("A", Free(Properties::default().set_raw("newProperty", json!({ "Deep": [1] }))));
    assert_eq!(template(stack)["Resources"]["A"]["Properties"], json!({ "newProperty": { "Deep": [1] } }));
}

#[test]
fn an_intrinsic_call_has_one_key() {
    let call = |json: Json| is_intrinsic(json.as_object().unwrap());
    assert!(call(json!({ "Ref": "A" })));
    assert!(call(json!({ "Fn::GetAtt": ["A", "Arn"] })));
    assert!(!call(json!({})));
    assert!(!call(json!({ "Reference": "A" })));
    assert!(!call(json!({ "Condition": "A" })));
    assert!(!call(json!({ "Ref": "A", "Fn::Sub": "B" })));
}

#[test]
fn limits_of_a_property() {
    const TEXT: Constraint = Constraint { min_length: Some(2), max_length: Some(3), ..Constraint::NONE };
    const EXACT: Constraint = Constraint { min_length: Some(2), max_length: Some(2), ..Constraint::NONE };
    const CHOICE: Constraint = Constraint { values: &["on", "off"], ..Constraint::NONE };
    const AT_LEAST: Constraint = Constraint { minimum: Some(1.0), ..Constraint::NONE };
    const AT_MOST: Constraint = Constraint { maximum: Some(9.0), ..Constraint::NONE };
    const SOME: Constraint = Constraint { min_items: Some(1), max_items: Some(2), ..Constraint::NONE };
    const TEXTS: Constraint = Constraint { items: Some(&TEXT), ..Constraint::NONE };
    let problem = |json: Json, constraint: &'static Constraint| {
        let mut stack = Stack::new("s");
        stack.add("A", Free(Properties::default().set_checked::<Json>("Value", json, constraint)));
        messages(stack).pop().unwrap_or_default()
    };
    for (json, constraint) in [
        (json!("ab"), &TEXT),
        (json!("abc"), &TEXT),
        // Characters, not bytes.
        (json!("\u{e9}\u{e9}\u{e9}"), &TEXT),
        (json!("off"), &CHOICE),
        (json!(1), &AT_LEAST),
        (json!(1.5), &AT_LEAST),
        (json!(9), &AT_MOST),
        (json!(["a"]), &SOME),
        (json!(["a", "a"]), &SOME),
        (json!({ "k": "ab" }), &TEXTS),
        (json!(true), &TEXT),
    ] {
        assert_eq!(problem(json.clone(), constraint), "", "{json}");
    }
    for (json, constraint, message) in [
        (json!("a"), &TEXT, r#"A: value is "a" with 1 characters; must have 2 to 3 characters"#),
        (json!("abcd"), &TEXT, r#"A: value is "abcd" with 4 characters; must have 2 to 3 characters"#),
        (json!("a"), &EXACT, r#"A: value is "a" with 1 characters; must have exactly 2 characters"#),
        (json!("no"), &CHOICE, r#"A: value is "no"; must be one of on, off"#),
        (json!(0.5), &AT_LEAST, "A: value is 0.5; must be at least 1"),
        (json!(9.5), &AT_MOST, "A: value is 9.5; must be at most 9"),
        (json!([]), &SOME, "A: value has 0 items; must have 1 to 2"),
        (json!(["a", "b", "c"]), &SOME, "A: value has 3 items; must have 1 to 2"),
        (json!(["ab", "a"]), &TEXTS, r#"A: value[1] is "a" with 1 characters; must have 2 to 3 characters"#),
        (json!({ "k": "a" }), &TEXTS, r#"A: value["k"] is "a" with 1 characters; must have 2 to 3 characters"#),
        (
            json!({ "Ref": "a", "k": "ab" }),
            &TEXTS,
            r#"A: value["Ref"] is "a" with 1 characters; must have 2 to 3 characters"#,
        ),
    ] {
        assert_eq!(problem(json, constraint), message);
    }
    let long = "x".repeat(61);
    let start = &long[..60];
    assert_eq!(
        problem(json!(long), &TEXT),
        format!("A: value is {start:?}… with 61 characters; must have 2 to 3 characters")
    );
}

#[test]
fn names_of_setters() {
    for (name, expected) in [
        ("A1B", "a1_b"),
        ("Is.Odd", "is_odd"),
        ("x", "x"),
        ("_A", "a"),
        ("A__B", "a_b"),
        ("ABs", "abs"),
        ("ABsC", "abs_c"),
        ("ABc", "a_bc"),
        ("ABsent", "a_bsent"),
    ] {
        assert_eq!(rust_name(name), expected);
    }
}

#[test]
fn every_pseudo_parameter_is_a_ref() {
    let texts = [
        (intrinsic::account_id(), "AWS::AccountId"),
        (intrinsic::region(), "AWS::Region"),
        (intrinsic::partition(), "AWS::Partition"),
        (intrinsic::stack_id(), "AWS::StackId"),
        (intrinsic::stack_name(), "AWS::StackName"),
        (intrinsic::url_suffix(), "AWS::URLSuffix"),
        (intrinsic::no_value(), "AWS::NoValue"),
        (intrinsic::join_list(",", intrinsic::notification_arns()), ""),
    ];
    let mut stack = Stack::new("s");
    for (i, (value, name)) in texts.into_iter().enumerate() {
        if !name.is_empty() {
            assert_eq!(value.json(), &json!({ "Ref": name }));
        }
        stack.add(&format!("It{i}"), Thing::default().name(value));
    }
    assert_eq!(messages(stack), [""; 0]);
}

#[test]
fn one_unchecked_value_of_a_condition_leaves_the_other_unchecked_too() {
    let mut stack = Stack::new("s");
    let large = stack.condition("Large", equals("a", "b"));
    stack.add("Then", Thing::default().size(if_(&large, Value::raw(1), 1)));
    stack.add("Otherwise", Thing::default().size(if_(&large, 1, Value::raw(1))));
    stack.add("Neither", Thing::default().size(if_(&large, 1, 128)));
    assert_eq!(messages(stack), ["Neither: memory_size is 1; must be 128 to 10240"]);
}

#[test]
fn parameters_and_outputs_have_cloudformations_shape() {
    let mut stack = Stack::new("s");
    let text = Parameter::string().description("What it is.").default("a").allowed_pattern("[a-z]+");
    let text = stack.parameter("Text", text);
    let number = stack.parameter("Number", Parameter::number().default(3));
    stack.add("A", Thing::default().size(number));
    stack.output("Out", Output::new(text).description("What comes out.").export("exported"));
    let template = template(stack);
    assert_eq!(
        template["Parameters"],
        json!({
            "Text": { "Type": "String", "Description": "What it is.", "Default": "a", "AllowedPattern": "[a-z]+" },
            "Number": { "Type": "Number", "Default": 3 },
        })
    );
    let output =
        json!({ "Value": { "Ref": "Text" }, "Description": "What comes out.", "Export": { "Name": "exported" } });
    assert_eq!(template["Outputs"], json!({ "Out": output }));
    assert_eq!(template["Resources"]["A"]["Properties"], json!({ "MemorySize": { "Ref": "Number" } }));
}

/// Adds what its scope offers, twice.
struct Scoped;

impl Construct for Scoped {
    type Ref = ThingRef;

    fn add_to(self, scope: &mut Scope<'_>) -> ThingRef {
        let size = scope.parameter::<i64>("Size", Parameter::number().default(scope.path().len()));
        let large = scope.condition("Large", equals("a", scope.path()));
        let before = scope.template().resources.len();
        let name = format!("{} {} {before}", scope.stack_name(), scope.path());
        let thing = scope.add_here(Thing::default().name(name).size(if_(&large, &size, 128)));
        scope.finding("is scoped", Some("do not"));
        scope.finding(format!("is {}", thing.logical_id()), None);
        thing
    }
}

#[test]
fn a_scope_knows_its_place_and_declares_names_once() {
    let mut stack = Stack::new("s");
    let one = stack.add("One", Scoped);
    let line = line!() - 1;
    stack.add("Second", Scoped);
    stack.finding(Finding::warning("Own", "is mine").help("keep it"));
    assert_eq!(one.logical_id().as_str(), "One");
    let assembly = App::default().stack(stack).synth();
    let texts: Vec<String> = assembly.findings.iter().map(ToString::to_string).collect();
    assert_eq!(texts[0], format!("error: s: One: is scoped\n  --> {}:{line}:21\n  = help: do not", file!()));
    assert_eq!(texts[1], format!("error: s: One: is One\n  --> {}:{line}:21", file!()));
    assert!(texts[4].starts_with("warning: s: Own: is mine\n  --> "), "{}", texts[4]);
    assert_eq!(Finding::warning("", "is odd").to_string(), "warning: is odd");
    let template: Json = serde_json::from_str(&assembly.stacks[0].document).unwrap();
    assert_eq!(template["Parameters"], json!({ "Size": { "Type": "Number", "Default": 3 } }));
    assert_eq!(template["Conditions"], json!({ "Large": { "Fn::Equals": ["a", "One"] } }));
    assert_eq!(template["Resources"]["One"]["Properties"]["Name"], "s One 0");
    assert_eq!(template["Resources"]["Second"]["Properties"]["Name"], "s Second 1");
}

#[test]
fn every_second_name_is_a_finding() {
    let mut stack = Stack::new("s");
    stack.add("A", Thing::default());
    for _ in 0..2 {
        stack.parameter::<String>("P", Parameter::string());
        stack.condition("C", equals("a", "b"));
        stack.mapping("M", [("a", BTreeMap::from([("b".to_owned(), json!(1))]))]);
        stack.output("O", Output::new("x"));
    }
    let twice: Vec<String> = messages(stack).into_iter().filter(|message| message.contains("two ")).collect();
    let expected = [("P", "parameters"), ("C", "conditions"), ("M", "mappings"), ("O", "outputs")];
    assert_eq!(twice, expected.map(|(name, what)| format!("{name}: two {what} have this name; rename one")));
}
