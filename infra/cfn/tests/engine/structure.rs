//! What CloudFormation would reject about a template although each resource is valid.

use cfn::intrinsic::{equals, if_, join, sub};
use cfn::{App, Attributes, Output, Parameter, Stack, Value};

use crate::Thing;

/// A stack with a resource.
fn stack(name: &str) -> Stack {
    let mut stack = Stack::new(name);
    stack.add("Thing", Thing::default());
    stack
}

fn messages_of(app: App) -> Vec<String> {
    let findings = app.synth().findings;
    findings.iter().map(|finding| format!("{}/{}: {}", finding.stack, finding.subject, finding.message)).collect()
}

fn messages(stack: Stack) -> Vec<String> {
    messages_of(App::default().stack(stack))
}

#[test]
fn a_template_without_resources() {
    assert_eq!(messages(Stack::new("s")), ["s/: has no resources; must have at least one"]);
}

#[test]
fn a_long_description() {
    assert_eq!(messages(stack("s").description(&"\u{e9}".repeat(512))), [""; 0]);
    let message = "s/: the description has 1025 bytes; must have at most 1024";
    assert_eq!(messages(stack("s").description(&"x".repeat(1025))), [message]);
}

#[test]
fn names_have_letters_and_digits_only() {
    let mut stack = stack("s");
    let parameter = stack.parameter("a-b", Parameter::string());
    let condition = stack.condition("a_b", equals(&parameter, ""));
    stack.output("", Output::new("x").only_if(&condition));
    stack.output(&"x".repeat(256), Value::from("x"));
    let invalid = |name: &str, what: &str| {
        format!("s/{name}: {name:?} is not a valid {what} name; use 1 to 255 letters and digits")
    };
    let expected = [
        invalid("a-b", "parameter"),
        invalid("a_b", "condition"),
        invalid("", "output"),
        invalid(&"x".repeat(256), "output"),
    ];
    assert_eq!(messages(stack), expected);
}

#[test]
fn a_parameter_with_the_name_of_a_resource() {
    let mut stack = stack("s");
    let parameter = stack.parameter("Thing", Parameter::string());
    stack.output("Out", parameter);
    assert_eq!(messages(stack), ["s/Thing: a parameter and a resource have this name; rename one"]);
}

#[test]
fn types_of_parameters() {
    for ty in [
        "String",
        "Number",
        "List<Number>",
        "CommaDelimitedList",
        "AWS::EC2::VPC::Id",
        "List<AWS::EC2::Subnet::Id>",
        "AWS::SSM::Parameter::Name",
        "AWS::SSM::Parameter::Value<String>",
        "AWS::SSM::Parameter::Value<List<String>>",
        "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>",
    ] {
        let mut stack = stack("s");
        let parameter: Value<String> = stack.parameter("P", Parameter::of_type(ty));
        stack.output("Out", parameter);
        assert_eq!(messages(stack), [""; 0], "{ty}");
    }
    for ty in ["Strnig", "", "List<String>", "List<>", "string", "AWS::EC2", "AWS::SSM::Parameter::Value<Strnig>"] {
        let mut stack = stack("s");
        let parameter: Value<String> = stack.parameter("P", Parameter::of_type(ty));
        stack.output("Out", parameter);
        let [message] = &messages(stack)[..] else { panic!("{ty}") };
        assert!(message.starts_with(&format!("s/P: {ty:?} is not a parameter type; use String, ")), "{message}");
    }
}

#[test]
fn a_condition_that_depends_on_a_resource() {
    let mut stack = stack("s");
    let thing = stack.add("Other", Thing::default());
    let condition = stack.condition("Large", equals(thing.reference(), "x"));
    stack.output("Out", Output::new("x").only_if(&condition));
    let message = "s/Large: refers to the resource Other; a condition may refer to parameters and mappings only";
    assert_eq!(messages(stack), [message]);
}

#[test]
fn what_always_exists_and_refers_to_what_may_not() {
    let mut stack = stack("s");
    let stage = stack.parameter("Stage", Parameter::string());
    let large = stack.condition("Large", equals(&stage, "large"));
    let thing = stack.add("Sometimes", Thing::default().only_if(&large));
    let either = || if_(&large, thing.reference(), "none");
    stack.add("Always", Thing::default().name(thing.reference()));
    stack.add("InText", Thing::default().name(sub("x-${Sometimes}")));
    stack.add("Also", Thing::default().name(thing.reference()).only_if(&large));
    stack.add("Either", Thing::default().name(either()));
    stack.add("Joined", Thing::default().name(join("-", ["a".into(), either()])));
    stack.output("Out", thing.reference());
    stack.output("OutAlso", Output::new(thing.reference()).only_if(&large));
    let message = "always exists, but refers to Sometimes, which exists only if Large";
    assert_eq!(messages(stack), ["Always", "InText", "Out"].map(|subject| format!("s/{subject}: {message}")));
}

#[test]
fn independent_cycles_are_reported_one_by_one_as_a_path() {
    let mut stack = Stack::new("s");
    for (id, other) in [
        ("Zeta", "Alpha"),
        ("Alpha", "Mid"),
        ("Mid", "Zeta"),
        ("One", "Two"),
        ("Two", "One"),
        ("Self", "Self"),
        ("End", "One"),
    ] {
        stack.add(id, Thing::default().name(sub(format!("${{{other}}}"))));
    }
    assert_eq!(
        messages(stack),
        [
            "s/Zeta: depends on itself: Zeta \u{2192} Alpha \u{2192} Mid \u{2192} Zeta",
            "s/One: depends on itself: One \u{2192} Two \u{2192} One",
            "s/Self: depends on itself: Self \u{2192} Self",
        ]
    );
}

#[test]
fn a_cycle_through_depends_on() {
    let mut stack = Stack::new("s");
    let first = stack.add("First", Thing::default().name(sub("${Second}")));
    stack.add("Second", Thing::default().depends_on([&first]));
    assert_eq!(messages(stack), ["s/First: depends on itself: First \u{2192} Second \u{2192} First"]);
}

#[test]
fn the_order_of_stacks() {
    let after = |name: &str, other: &str| {
        let mut stack = stack(name);
        stack.deploy_after(other);
        stack
    };
    let app = |stacks: Vec<Stack>| messages_of(App::default().stacks(stacks));
    assert_eq!(app(vec![stack("a"), after("b", "a"), after("c", "b")]), [""; 0]);
    assert_eq!(app(vec![after("a", "gone")]), [r#"a/: is deployed after "gone", which is not a stack of this app"#]);
    assert_eq!(app(vec![after("a", "a")]), ["a/: is deployed after itself"]);
    let circle = app(vec![after("c", "a"), after("a", "b"), after("b", "c"), after("d", "a")]);
    assert_eq!(circle, ["a/: is deployed after itself: a \u{2192} b \u{2192} c \u{2192} a"]);
}

#[test]
fn tags() {
    let tagged = |key: &str, value: &str| messages(stack("s").tag(key, value));
    assert_eq!(tagged(&"k".repeat(128), &"v".repeat(256)), [""; 0]);
    assert!(tagged(&"k".repeat(129), "v")[0].ends_with("has 129 characters; must have 1 to 128"));
    assert!(tagged("", "v")[0].ends_with("has 0 characters; must have 1 to 128"));
    assert!(tagged("k", &"v".repeat(257))[0].ends_with("has 257 characters; must have at most 256"));
    for key in ["aws:x", "AWS:x"] {
        let message = format!("s/: the tag {key:?} starts with `aws:`, which is reserved for AWS; use a different key");
        assert_eq!(tagged(key, "v"), [message]);
    }
    let many = |count: usize| messages((0..count).fold(stack("s"), |stack, i| stack.tag(&i.to_string(), "v")));
    assert_eq!(many(50), [""; 0]);
    assert_eq!(many(51), ["s/: has 51 tags; must have at most 50"]);
}
