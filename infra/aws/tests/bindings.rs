//! What the generated bindings promise, at the template and at the finding.

use aws::dynamodb::table::{
    AttributeDefinition, AttributeDefinitionRequired, AttributeType, BillingMode, KeySchema, KeySchemaRequired, Table,
};
use aws::events::rule::{DeadLetterConfig, RetryPolicy, Rule, State, Target, TargetRequired};
use aws::lambda::function::{Architecture, Code, Environment, Function, Required, Runtime, VpcConfig};
use aws::logs::log_group::LogGroup;
use cfn::assertions::assert_includes;
use cfn::intrinsic::{if_, sub};
use cfn::{App, Attributes, CloudAssembly, Construct, Json, Parameter, Stack, Value};
use serde_json::json;

fn function() -> Function {
    Function::new(Required {
        code: Code::new().s3_bucket("assets").s3_key("a.zip").into(),
        role: "arn:aws:iam::123456789012:role/deliver".into(),
    })
}

fn synth(stack: Stack) -> CloudAssembly {
    App::default().stack(stack).synth()
}

/// The one resource of a stack, which has no finding.
fn resource(stack: Stack, id: &str) -> Json {
    let assembly = synth(stack);
    assert!(assembly.findings.iter().all(|finding| !finding.is_error()), "{:?}", assembly.findings);
    let template: Json = serde_json::from_str(&assembly.stacks[0].document).expect("a template is JSON");
    template["Resources"][id].clone()
}

/// What is wrong with one resource.
fn messages<C: Construct>(resource: C) -> Vec<String> {
    let mut stack = Stack::new("s");
    stack.add("It", resource);
    synth(stack).findings.into_iter().filter(|finding| finding.is_error()).map(|finding| finding.message).collect()
}

#[test]
fn a_value_outside_its_range_is_reported_at_the_line_that_set_it() {
    let mut stack = Stack::new("s");
    let function = function().timeout(3).memory_size(64);
    let line = line!() - 1;
    stack.add("Deliver", function);
    let findings = synth(stack).findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].message, "memory_size is 64; must be 128 to 10240");
    let location = findings[0].location.unwrap();
    assert_eq!((location.line(), location.file().ends_with("tests/bindings.rs")), (line, true));
}

#[test]
fn a_required_value_is_checked_at_the_line_that_gave_it() {
    let mut stack = Stack::new("s");
    let required = Required { code: Code::new().into(), role: "deliver".into() };
    let function = Function::new(required);
    let line = line!() - 1;
    stack.add("Deliver", function);
    let findings = synth(stack).findings;
    assert!(findings[0].message.starts_with(r#"role is "deliver"; must match ^arn:"#), "{findings:?}");
    assert_eq!(findings[0].location.unwrap().line(), line);
}

#[test]
fn a_function_looks_as_cloudformation_wants_it() {
    let mut stack = Stack::new("s");
    stack.add(
        "Deliver",
        function()
            .runtime(Runtime::ProvidedAl2023)
            .architectures([Architecture::Arm64])
            .environment(Environment::new().variables([("TABLE", "claims")]))
            .tags([aws::Tag::new("owner", "team")]),
    );
    assert_eq!(
        resource(stack, "Deliver"),
        json!({
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Architectures": ["arm64"],
                "Code": { "S3Bucket": "assets", "S3Key": "a.zip" },
                "Environment": { "Variables": { "TABLE": "claims" } },
                "Role": "arn:aws:iam::123456789012:role/deliver",
                "Runtime": "provided.al2023",
                "Tags": [{ "Key": "owner", "Value": "team" }],
            },
        })
    );
}

#[test]
fn intrinsics_pass_where_a_literal_would_be_checked() {
    let mut stack = Stack::new("s");
    let memory = stack.parameter("Memory", Parameter::<i64>::number());
    let billing = stack.parameter("Billing", Parameter::string());
    let large = stack.condition("Large", cfn::intrinsic::equals(&billing, "PROVISIONED"));
    stack.add("Deliver", function().memory_size(&memory).function_name(sub("${AWS::StackName}")));
    stack.add("Claims", table().billing_mode(billing.cast()).retain());
    stack.add(
        "Orders",
        table().billing_mode(if_(&large, BillingMode::Provisioned, BillingMode::PayPerRequest)).retain(),
    );
    let assembly = synth(stack);
    assert!(assembly.findings.iter().all(|finding| !finding.is_error()), "{:?}", assembly.findings);
    let template: Json = serde_json::from_str(&assembly.stacks[0].document).unwrap();
    assert_includes(
        &template["Resources"],
        &json!({
            "Deliver": { "Properties": { "MemorySize": { "Ref": "Memory" } } },
            "Claims": { "Properties": { "BillingMode": { "Ref": "Billing" } } },
            "Orders": { "Properties": { "BillingMode": { "Fn::If": ["Large", "PROVISIONED", "PAY_PER_REQUEST"] } } },
        }),
    );
}

#[test]
fn a_mistake_deep_inside_has_its_whole_path() {
    let target = Target::new(TargetRequired { arn: "arn:aws:sqs:eu-west-1:123456789012:q".into(), id: "a b".into() })
        .retry_policy(RetryPolicy::new().maximum_retry_attempts(186))
        .dead_letter_config(DeadLetterConfig::new().arn(""));
    assert_eq!(
        messages(Rule::new().targets([target])),
        [
            r#"targets[0].id is "a b"; must match ^[\.\-_A-Za-z0-9]+$"#,
            "targets[0].retry_policy.maximum_retry_attempts is 186; must be 0 to 185",
            r#"targets[0].dead_letter_config.arn is "" with 0 characters; must have 1 to 1600 characters"#,
        ]
    );
}

#[test]
fn lists_are_checked_for_their_length_and_item_by_item() {
    let network = VpcConfig::new().subnet_ids(["subnet-1", "net-2"]);
    let wrong = function().vpc_config(network).architectures([Architecture::Arm64, Architecture::X86_64]);
    assert_eq!(
        messages(wrong),
        [
            r#"vpc_config.subnet_ids[1] is "net-2"; must match ^subnet-[0-9a-z]*$"#,
            "architectures has 2 items; must have exactly 1",
        ]
    );
}

#[test]
fn a_closed_set_of_numbers_is_checked() {
    let message = &messages(LogGroup::new().retention_in_days(45).retain())[0];
    assert!(message.starts_with("retention_in_days is 45; must be one of 1, 3, 5, 7, 14, 30, 60, "), "{message}");
    assert!(messages(LogGroup::new().retention_in_days(30).retain()).is_empty());
}

#[test]
fn there_is_a_way_past_what_the_specification_does_not_know_yet() {
    let mut stack = Stack::new("s");
    let newer = function().runtime(Value::raw("nodejs99.x")).with_raw("MemorySize", 20_480).with_raw("Novelty", true);
    stack.add("Deliver", newer);
    let expected = json!({ "Runtime": "nodejs99.x", "MemorySize": 20480, "Novelty": true });
    assert_includes(&resource(stack, "Deliver")["Properties"], &expected);
}

#[test]
fn a_ref_gives_the_attributes_of_its_type() {
    let mut stack = Stack::new("s");
    let table = stack.add("Claims", table().retain());
    assert_eq!(table.reference().json(), &json!({ "Ref": "Claims" }));
    assert_eq!(table.arn().json(), &json!({ "Fn::GetAtt": ["Claims", "Arn"] }));
    assert_eq!(table.stream_arn().json(), &json!({ "Fn::GetAtt": ["Claims", "StreamArn"] }));
}

#[test]
fn values_of_a_set_are_spelled_as_cloudformation_spells_them() {
    assert_eq!(
        Value::from(State::EnabledWithAllCloudtrailManagementEvents).json(),
        "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    );
    assert_eq!(Architecture::X86_64.as_str(), "x86_64");
    assert_eq!(Runtime::Python3_12.as_str(), "python3.12");
}

#[test]
fn tools_learn_what_a_change_does() {
    let table = aws::schema("AWS::DynamoDB::Table").unwrap();
    assert!(table.stateful);
    assert!(table.replaces_on.contains(&"KeySchema"));
    assert!(table.replaces_on.contains(&"ImportSourceSpecification/S3BucketSource/S3Bucket"));
    assert!(!table.replaces_on.contains(&"BillingMode"));
    for data in ["AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::Logs::LogGroup", "AWS::SecretsManager::Secret"] {
        assert!(aws::schema(data).is_some_and(|schema| schema.stateful), "{data}");
    }
    assert!(aws::schema("AWS::Lambda::Function").is_some_and(|schema| !schema.stateful));
    assert_eq!(aws::schema("AWS::Nothing::Here"), None);
}

fn table() -> Table {
    Table::new([KeySchema::new(KeySchemaRequired { attribute_name: "id".into(), key_type: "HASH".into() })])
        .attribute_definitions([AttributeDefinition::new(AttributeDefinitionRequired {
            attribute_name: "id".into(),
            attribute_type: AttributeType::S.into(),
        })])
}
