//! What the engine promises, tested on made-up resource types.

#[path = "engine/acknowledgements.rs"]
mod acknowledgements;
#[path = "engine/structure.rs"]
mod structure;

use std::collections::BTreeMap;

use cfn::assertions::assert_includes;
use cfn::intrinsic::{self, equals, find_in_map, if_, join, sub};
use cfn::{
    App, Attributes, BuiltFunctions, CloudAssembly, Constraint, Construct, Finding, Format, Json, LogicalId, Output,
    Parameter, Properties, Referable, Resource, Scope, Stack, Value,
};
use serde_json::json;

#[derive(Clone, Debug, Default)]
struct Thing(Properties);

#[derive(Clone, Debug)]
struct ThingRef(LogicalId);

impl Thing {
    #[track_caller]
    fn size(self, value: impl Into<Value<i64>>) -> Self {
        const SIZE: Constraint = Constraint { minimum: Some(128.0), maximum: Some(10240.0), ..Constraint::NONE };
        Self(self.0.set_checked("MemorySize", value, &SIZE))
    }

    fn name(self, value: impl Into<Value<String>>) -> Self {
        Self(self.0.set("Name", value))
    }

    fn parts(self, value: impl Into<Value<Vec<Part>>>) -> Self {
        Self(self.0.set("Parts", value))
    }
}

#[derive(Clone, Debug, Default)]
struct Part(Properties);

impl Part {
    #[track_caller]
    fn label(self, value: impl Into<Value<String>>) -> Self {
        const LABEL: Constraint = Constraint { max_length: Some(2), ..Constraint::NONE };
        Self(self.0.set_checked("Label", value, &LABEL))
    }
}

impl cfn::Literal for Part {
    fn into_value(self) -> Value<Self> {
        self.0.into_value()
    }
}

impl Resource for Thing {
    const TYPE: &'static str = "Test::Of::Thing";
    const STATEFUL: bool = false;
    type Ref = ThingRef;

    fn into_properties(self) -> Properties {
        self.0
    }
}

impl From<LogicalId> for ThingRef {
    fn from(value: LogicalId) -> Self {
        Self(value)
    }
}

impl Referable for ThingRef {
    fn logical_id(&self) -> &LogicalId {
        &self.0
    }
}

impl ThingRef {
    fn reference(&self) -> Value<String> {
        Value::reference(&self.0)
    }

    fn arn(&self) -> Value<String> {
        Value::get_att(&self.0, "Arn")
    }
}

/// A thing that holds data.
struct Store;

impl Resource for Store {
    const TYPE: &'static str = "Test::Of::Store";
    const STATEFUL: bool = true;
    type Ref = ThingRef;

    fn into_properties(self) -> Properties {
        Properties::default()
    }
}

/// A construct of two things, whose sizes are chosen by its user and by itself.
struct Pair {
    size: Value<i64>,
}

impl Pair {
    #[track_caller]
    fn new(size: i64) -> Self {
        Self { size: Value::from(size).set_here() }
    }
}

impl Construct for Pair {
    type Ref = ThingRef;

    fn add_to(self, scope: &mut Scope<'_>) -> ThingRef {
        let first = scope.add("First", Thing::default().size(self.size));
        scope.add_here(Thing::default().size(1).name(first.arn()))
    }
}

fn synth(stack: Stack) -> CloudAssembly {
    App::default().stack(stack).synth()
}

fn template(stack: Stack) -> Json {
    let assembly = synth(stack);
    assert!(assembly.findings.is_empty(), "{:?}", assembly.findings);
    serde_json::from_str(&assembly.stacks[0].document).expect("a template is JSON")
}

fn messages(stack: Stack) -> Vec<String> {
    synth(stack).findings.iter().map(|finding| format!("{}: {}", finding.subject, finding.message)).collect()
}

#[test]
fn a_broken_constraint_is_reported_at_the_line_that_set_the_value() {
    let mut stack = Stack::new("s");
    stack.add("Deliver", Thing::default().size(64));
    let line = line!() - 1;
    let finding = &synth(stack).findings[0];
    assert_eq!(finding.subject, "Deliver");
    assert_eq!(finding.message, "memory_size is 64; must be 128 to 10240");
    let location = finding.location.unwrap();
    assert_eq!((location.line(), location.file().ends_with("tests/engine.rs")), (line, true));
    let text = finding.to_string();
    assert!(text.starts_with("error: s: Deliver: memory_size is 64; must be 128 to 10240\n  --> "), "{text}");
}

#[test]
fn inside_a_construct_the_line_is_the_setters_if_it_kept_it_and_otherwise_the_stacks() {
    let mut stack = Stack::new("s");
    let pair = Pair::new(2);
    let chosen = line!() - 1;
    stack.add("Pair", pair);
    let added = line!() - 1;
    let findings = synth(stack).findings;
    let lines: Vec<(&str, u32)> =
        findings.iter().map(|finding| (finding.subject.as_str(), finding.location.unwrap().line())).collect();
    assert_eq!(lines, [("PairFirst", chosen), ("Pair", added)]);
}

#[test]
fn a_broken_constraint_deep_inside_has_its_whole_path() {
    let mut stack = Stack::new("s");
    stack.add("It", Thing::default().parts([Part::default().label("ok"), Part::default().label("long")]));
    assert_eq!(messages(stack), [r#"It: parts[1].label is "long" with 4 characters; must have at most 2 characters"#]);
}

#[test]
fn refs_and_attributes_become_intrinsics() {
    let mut stack = Stack::new("s");
    let a = stack.add("A", Thing::default());
    stack.add("B", Thing::default().name(join("-", [a.reference(), a.arn()])).depends_on([&a]));
    assert_includes(
        &template(stack)["Resources"]["B"],
        &json!({
            "DependsOn": ["A"],
            "Properties": { "Name": { "Fn::Join": ["-", [{ "Ref": "A" }, { "Fn::GetAtt": ["A", "Arn"] }]] } },
        }),
    );
}

#[test]
fn every_intrinsic_has_cloudformations_shape() {
    let mut stack = Stack::new("s");
    let stage = stack.parameter("Stage", Parameter::string().default("test"));
    let production = stack.condition("Production", equals(&stage, "prod"));
    stack.condition(
        "Other",
        intrinsic::or([intrinsic::not(&production), intrinsic::and([(&production).into(), equals("a", "a")])]),
    );
    let sizes = stack.mapping("Sizes", [("test", BTreeMap::from([("name".to_owned(), json!("small"))]))]);
    let cases: Vec<(Value<String>, Json)> = vec![
        (sub("${Stage}-x"), json!({ "Fn::Sub": "${Stage}-x" })),
        (intrinsic::sub_with("${A}", [("A", "b".into())]), json!({ "Fn::Sub": ["${A}", { "A": "b" }] })),
        (
            if_(&production, "yes", intrinsic::no_value()),
            json!({ "Fn::If": ["Production", "yes", { "Ref": "AWS::NoValue" }] }),
        ),
        (find_in_map(&sizes, &stage, "name"), json!({ "Fn::FindInMap": ["Sizes", { "Ref": "Stage" }, "name"] })),
        (
            intrinsic::select(1, intrinsic::split(",", "a,b")),
            json!({ "Fn::Select": [1, { "Fn::Split": [",", "a,b"] }] }),
        ),
        (intrinsic::base64("a"), json!({ "Fn::Base64": "a" })),
        (intrinsic::select(0, intrinsic::availability_zones("")), json!({ "Fn::Select": [0, { "Fn::GetAZs": "" }] })),
        (
            intrinsic::join_list(",", intrinsic::cidr("10.0.0.0/16", 2, 8)),
            json!({ "Fn::Join": [",", { "Fn::Cidr": ["10.0.0.0/16", 2, 8] }] }),
        ),
        (intrinsic::import_value("x"), json!({ "Fn::ImportValue": "x" })),
        (
            intrinsic::stack_output("other", "Url"),
            json!({ "Fn::GetStackOutput": { "StackName": "other", "OutputName": "Url" } }),
        ),
        (
            intrinsic::stack_output_from("other", "Url", "eu-west-1", Some("r".into())),
            json!({ "Fn::GetStackOutput": { "StackName": "other", "OutputName": "Url", "Region": "eu-west-1", "RoleArn": "r" } }),
        ),
        (intrinsic::account_id(), json!({ "Ref": "AWS::AccountId" })),
    ];
    for (i, (value, expected)) in cases.into_iter().enumerate() {
        assert_eq!(value.json(), &expected);
        stack.add(&format!("It{i}"), Thing::default().name(value));
    }
    stack.output("Chosen", cfn::Output::new("x").only_if(&production));
    let messages = messages(stack);
    assert_eq!(messages, ["Other: this condition is not used"]);
}

#[test]
fn a_missing_name_is_found_wherever_it_is_used() {
    let mut stack = Stack::new("s");
    stack.add("A", Thing::default().name(sub("${Nowhere} ${Gone.Arn} ${AWS::Region}")));
    let mut other = Stack::new("other");
    let foreign = other.add("B", Thing::default());
    let condition = other.condition("Elsewhere", equals("a", "b"));
    stack.add("C", Thing::default().name(foreign.arn()).depends_on([&foreign]));
    stack.add("D", Thing::default().only_if(&condition));
    stack.add("E", Thing::default().update_policy(json!({ "Of": foreign.reference().json() })));
    stack.output("Out", Output::new(foreign.reference()).only_if(&condition));
    assert_eq!(
        messages(stack),
        [
            r#"A: refers to "Nowhere", which is not a resource or parameter of this stack"#,
            r#"A: refers to "Gone", which is not a resource of this stack"#,
            r#"C: refers to "B", which is not a resource of this stack"#,
            r#"D: refers to "Elsewhere", which is not a condition of this stack"#,
            r#"E: refers to "B", which is not a resource or parameter of this stack"#,
            r#"Out: refers to "B", which is not a resource or parameter of this stack"#,
            r#"Out: refers to "Elsewhere", which is not a condition of this stack"#,
            r#"C: depends on "B", which is not a resource of this stack"#,
        ]
    );
}

#[test]
fn duplicate_and_invalid_names_are_findings() {
    let mut stack = Stack::new("s");
    stack.add("A", Thing::default());
    stack.add("A", Thing::default());
    stack.add("a-b", Thing::default());
    stack.output("O", Value::from("1"));
    stack.output("O", Value::from("2"));
    let findings = synth(stack).findings;
    let messages: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "two resources have this logical ID; rename one",
            r#""a-b" is not a valid logical ID; use 1 to 255 letters and digits"#,
            "two outputs have this name; rename one",
        ]
    );
    assert!(findings[0].help.as_deref().unwrap().contains("engine.rs"));
}

#[test]
fn a_cycle_is_reported_without_the_resources_before_and_after_it() {
    let mut stack = Stack::new("s");
    let a = stack.add("A", Thing::default().name(sub("${B}")));
    stack.add("B", Thing::default().name(sub("${C.Arn} ${E}")));
    stack.add("C", Thing::default().depends_on([&a]));
    stack.add("D", Thing::default().name(sub("${A}")));
    stack.add("E", Thing::default().name(sub("${F}")));
    stack.add("F", Thing::default());
    assert_eq!(messages(stack), ["A: depends on itself: A → B → C → A"]);
}

#[test]
fn a_resource_with_data_must_have_a_policy() {
    let mut stack = Stack::new("s");
    stack.add("Bare", Store);
    stack.add("Kept", Store.retain());
    stack.add("Gone", Store.disposable());
    assert_eq!(
        messages(stack),
        ["Bare: Test::Of::Store holds data; it must have a DeletionPolicy and an UpdateReplacePolicy"]
    );
}

#[test]
fn retained_resources_survive_everything_but_a_failed_first_create() {
    let mut stack = Stack::new("s");
    stack.add("Kept", Store.retain());
    assert_eq!(
        template(stack)["Resources"]["Kept"],
        json!({ "Type": "Test::Of::Store", "DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain" })
    );
}

#[test]
fn attributes_metadata_and_conditions_are_in_the_places_of_cloudformation() {
    let mut stack = Stack::new("s");
    stack.metadata("Owner", "platform");
    let stage = stack.parameter("Stage", Parameter::string().allowed_values(["test", "prod"]).no_echo());
    let production = stack.condition("Production", equals(&stage, "prod"));
    let policy = json!({ "ResourceSignal": { "Count": 1 } });
    stack.add(
        "A",
        Thing::default()
            .only_if(&production)
            .metadata(json!({ "k": "v" }))
            .creation_policy(policy.clone())
            .update_policy(json!({ "UseOnlineResharding": true })),
    );
    assert_includes(
        &template(stack),
        &json!({
            "Metadata": { "Owner": "platform" },
            "Parameters": { "Stage": { "Type": "String", "AllowedValues": ["test", "prod"], "NoEcho": true } },
            "Conditions": { "Production": { "Fn::Equals": [{ "Ref": "Stage" }, "prod"] } },
            "Resources": { "A": {
                "Condition": "Production",
                "Metadata": { "k": "v" },
                "CreationPolicy": policy,
                "UpdatePolicy": { "UseOnlineResharding": true },
            } },
        }),
    );
}

#[test]
fn limits_are_reported_from_four_fifths_on() {
    let with = |count: usize| {
        let mut stack = Stack::new("s");
        for i in 0..count {
            stack.add(&format!("It{i}"), Thing::default());
        }
        synth(stack).findings
    };
    assert!(with(399).is_empty());
    let warning = &with(400)[0];
    assert_eq!((warning.is_error(), warning.message.as_str()), (false, "400 resources of at most 500"));
    let error = &with(501)[0];
    assert_eq!((error.is_error(), error.message.as_str()), (true, "501 resources; must be at most 500"));
}

#[test]
fn a_template_over_the_inline_size_is_a_warning_and_over_a_megabyte_an_error() {
    let sized = |bytes: usize| {
        let mut stack = Stack::new("s");
        stack.add("It", Thing::default().name("x".repeat(bytes)));
        synth(stack).findings
    };
    assert!(sized(51_000).is_empty());
    assert!(matches!(&sized(52_000)[..], [Finding { severity: cfn::Severity::Warning, .. }]));
    assert!(matches!(&sized(1_000_001)[..], [Finding { severity: cfn::Severity::Error, .. }]));
}

#[test]
fn unused_parameters_are_a_warning() {
    let mut stack = Stack::new("s");
    stack.parameter("Lonely", Parameter::string());
    let findings = synth(stack).findings;
    assert_eq!(findings[0].message, "this parameter is not used");
    assert!(!findings[0].is_error());
}

#[test]
fn stack_names_are_checked_and_must_differ() {
    let named = |name: &str| {
        let mut stack = Stack::new(name);
        stack.add("A", Thing::default());
        stack
    };
    let app = App::default().stack(named("a_b")).stack(named("same")).stack(named("same"));
    let messages: Vec<String> =
        app.synth().findings.iter().map(|finding| format!("{}: {}", finding.stack, finding.message)).collect();
    assert!(messages[0].starts_with("a_b: is not a valid stack name"), "{messages:?}");
    assert_eq!(messages[1], "same: two stacks have this name; rename one");
}

#[test]
fn the_assembly_names_its_files_and_their_hashes() {
    let mut stack = Stack::new("s").tag("k", "v");
    stack.deploy_after("platform");
    stack.add("A", Thing::default());
    let mut platform = Stack::new("platform");
    platform.add("A", Thing::default());
    let mut assembly = App::default().stack(platform).stack(stack).synth();
    assembly.stacks.remove(0);
    let files = assembly.files(&BuiltFunctions::new(), Format::Json);
    assert_eq!(files.keys().collect::<Vec<_>>(), ["manifest.json", "s.assets.json", "s.template.json"]);
    let manifest: Json = serde_json::from_str(&files["manifest.json"]).unwrap();
    assert_includes(
        &manifest,
        &json!({ "version": "34.0.0", "artifacts": { "s": {
            "type": "aws:cloudformation:stack",
            "dependencies": ["s.assets", "platform"],
            "properties": { "templateFile": "s.template.json", "tags": { "k": "v" } },
        } } }),
    );
}

#[test]
fn a_raw_value_is_not_checked() {
    let mut stack = Stack::new("s");
    let large = stack.condition("Large", equals("a", "b"));
    stack.add("A", Thing::default().size(Value::raw(64)));
    stack.add("B", Thing::default().size(if_(&large, Value::raw(64), 128)));
    stack.add("C", Thing::default().size(if_(&large, 64, 128)));
    assert_eq!(messages(stack), ["C: memory_size is 64; must be 128 to 10240"]);
}

#[test]
fn yaml_and_json_are_equivalent() {
    let mut stack = Stack::new("s").description("no: yes");
    stack.add("A", Thing::default().name("on").size(128));
    let assembly = synth(stack);
    let json: Json =
        serde_json::from_str(&assembly.files(&BuiltFunctions::new(), Format::Json)["s.template.json"]).unwrap();
    let yaml: Json =
        serde_saphyr::from_str(&assembly.files(&BuiltFunctions::new(), Format::Yaml)["s.template.yaml"]).unwrap();
    assert_eq!(json, yaml);
}
