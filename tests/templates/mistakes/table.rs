//! The mistakes that a synth finds. Each is planted alone and gives exactly one finding.

use std::collections::BTreeMap;

use aws::lambda::function;
use aws::logs::log_group::LogGroup;
use aws::sqs::queue;
use cfn::intrinsic::{equals, find_in_map, if_, select, sub, sub_with};
use cfn::{Attributes, DeletionPolicy, Output, Parameter as TemplateParameter, Stack, Value};
use serde_json::{Value as Json, json};

use crate::resources::*;

/// One mistake.
pub(crate) struct Mistake {
    /// What the author did.
    pub(crate) what: &'static str,
    /// The rules of cfn-lint that find it too.
    pub(crate) rules: &'static [&'static str],
    pub(crate) plant: fn(&mut Stack),
}

/// By subject, as the page lists them.
pub(crate) const MISTAKES: &[(&str, &[Mistake])] = &[
    ("The document", DOCUMENT),
    ("Names and references", REFERENCES),
    ("Conditions, parameters and mappings", CONDITIONS),
    ("Texts", TEXTS),
    ("Single properties", PROPERTIES),
    ("Policies", POLICIES),
    ("Functions and what calls them", FUNCTIONS),
    ("Data", DATA),
    ("APIs, pages and networks", APIS),
    ("Schedules and alarms", SCHEDULES),
];

const fn mistake(what: &'static str, rules: &'static [&'static str], plant: fn(&mut Stack)) -> Mistake {
    Mistake { what, rules, plant }
}

#[rustfmt::skip]
const DOCUMENT: &[Mistake] = &[
    mistake("a stack without resources", &["E1001", "E3001"], |_| {}),
    mistake("501 resources", &["E3010", "I3010"], |stack| (0..501).for_each(|number| drop(add::<Queue>(stack, &format!("Q{number}"), json!({}))))),
    mistake("a template over a megabyte", &["E1002", "I1002"], |stack| drop(add::<Queue>(stack, "Q", json!({ "Text": "x".repeat(1_000_001) })))),
    mistake("201 outputs", &["E6010", "I6010"], |stack| {
        queue(stack);
        (0..201).for_each(|number| stack.output(&format!("O{number}"), Value::from("x")));
    }),
    mistake("201 parameters", &["E2010", "I2010"], |stack| {
        let all: Vec<Value<String>> = (0..201).map(|number| stack.parameter(&format!("P{number}"), TemplateParameter::string())).collect();
        add::<Queue>(stack, "Q", json!({ "All": all.into_iter().map(Json::from).collect::<Vec<_>>() }));
    }),
    mistake("a description of more than 1,024 bytes", &["E1003", "I1003"], |stack| {
        *stack = Stack::new("s").description(&"x".repeat(1025));
        queue(stack);
    }),
    mistake("201 mappings", &["E7010", "I7010"], |stack| {
        let all: Vec<Value<String>> = (0..201).map(|number| find_in_map(&mapping_of(stack, &format!("M{number}"), "a"), "a", "name")).collect();
        add::<Queue>(stack, "Q", json!({ "All": all.into_iter().map(Json::from).collect::<Vec<_>>() }));
    }),
    mistake("two outputs that export the same name", &["E6102"], |stack| {
        queue(stack);
        stack.output("A", Output::new("a").export("shared"));
        stack.output("B", Output::new("b").export("shared"));
    }),
    mistake("a name of an export with a blank", &[], |stack| {
        queue(stack);
        stack.output("A", Output::new("a").export("my export"));
    }),
    mistake("a snapshot of a resource that has none", &["E3035", "E3036"], |stack| {
        stack.add("Q", raw::<Queue>(json!({})).deletion_policy(DeletionPolicy::Snapshot));
    }),
    mistake("a queue that holds data and has no policy for it", &["I3011", "W3011"], |stack| drop(stack.add("Q", queue::Queue::new()))),
];

#[rustfmt::skip]
const REFERENCES: &[Mistake] = &[
    mistake("two resources with the same logical ID", &[], |stack| { queue(stack); queue(stack); }),
    mistake("a logical ID with a hyphen", &[], |stack| drop(add::<Queue>(stack, "my-queue", json!({})))),
    mistake("an output with an underscore in its name", &["E6004"], |stack| { queue(stack); stack.output("my_output", Value::from("x")); }),
    mistake("a parameter with a hyphen in its name", &["E2003"], |stack| { let value = stack.parameter("my-name", TemplateParameter::string()); named(stack, value); }),
    mistake("a parameter and a resource with the same name", &["E3007"], |stack| { let value = stack.parameter("Q", TemplateParameter::string()); named(stack, value); }),
    mistake("`Ref` of something that does not exist", &["E1020"], |stack| named(stack, sub("${Nowhere}"))),
    mistake("an attribute that does not exist", &["E1010"], |stack| { queue(stack); stack.output("Out", sub("${Q.Arm}")); }),
    mistake("`DependsOn` of a resource of a different stack", &["E3005"], |stack| {
        let other = add::<Queue>(&mut Stack::new("other"), "Elsewhere", json!({}));
        stack.add("Q", raw::<Queue>(json!({})).depends_on([&other]));
    }),
    mistake("three resources that wait for each other", &["E3004"], |stack| {
        for (id, other) in [("A", "B"), ("B", "C"), ("C", "A")] {
            add::<Queue>(stack, id, json!({ "QueueName": { "Ref": other } }));
        }
    }),
    mistake("two queues with the same physical name", &["E3019"], |stack| {
        add::<Queue>(stack, "A", json!({ "QueueName": "jobs" }));
        add::<Queue>(stack, "B", json!({ "QueueName": "jobs" }));
    }),
    mistake("two methods for the same path", &["E3019"], |stack| {
        for id in ["A", "B"] {
            add::<Method>(stack, id, json!({ "HttpMethod": "GET", "ResourceId": "r", "RestApiId": "a", "AuthorizationType": "NONE" }));
        }
    }),
    mistake("an output that always exists, of a resource that may not", &["W1001"], |stack| {
        let stage: Value<String> = stack.parameter("Stage", TemplateParameter::string());
        let large = stack.condition("Large", equals(stage, "large"));
        let queue = stack.add("Q", raw::<Queue>(json!({})).only_if(&large));
        stack.output("Out", queue.reference());
    }),
];

#[rustfmt::skip]
const CONDITIONS: &[Mistake] = &[
    mistake("a condition that does not exist", &["E3015", "E6005", "E8002"], |stack| {
        let elsewhere = Stack::new("other").condition("Elsewhere", equals("a", "b"));
        stack.add("Q", raw::<Queue>(json!({})).only_if(&elsewhere));
    }),
    mistake("a condition that depends on a resource", &["E8001"], |stack| {
        let queue = queue(stack);
        let large = stack.condition("Large", equals(queue.reference(), "x"));
        stack.output("Out", Output::new("x").only_if(&large));
    }),
    mistake("an unused condition", &["W8001"], |stack| { queue(stack); stack.condition("Large", equals("a", "b")); }),
    mistake("an unused parameter", &["W2001"], |stack| { queue(stack); let _: Value<String> = stack.parameter("Stage", TemplateParameter::string()); }),
    mistake("an unused mapping", &["W7001"], |stack| { queue(stack); sizes(stack); }),
    mistake("a parameter of the type `Strnig`", &["E2002", "W2002"], |stack| { let value = stack.parameter("Name", TemplateParameter::of_type("Strnig")); named(stack, value); }),
    mistake("a default that is not among the allowed values", &["E2015", "W2030"], |stack| {
        let value = stack.parameter("Name", TemplateParameter::string().allowed_values(["a", "b"]).default("c"));
        named(stack, value);
    }),
    mistake("a default that does not match the pattern", &["E2015", "W2031"], |stack| {
        let value = stack.parameter("Name", TemplateParameter::string().allowed_pattern("[a-z]+").default("A"));
        named(stack, value);
    }),
    mistake("an output of a secret parameter", &["W2010"], |stack| {
        queue(stack);
        let secret: Value<String> = stack.parameter("Secret", TemplateParameter::string().no_echo());
        stack.output("Out", secret);
    }),
    mistake("a key that a mapping does not have", &["E1011", "W1034"], |stack| { let sizes = sizes(stack); named(stack, find_in_map(&sizes, "prod", "name")); }),
    mistake("a key of a mapping with a blank", &["E7002"], |stack| { let sizes = mapping_of(stack, "Sizes", "my key"); named(stack, find_in_map(&sizes, "my key", "name")); }),
    mistake("a second key that a mapping does not have", &["E1011"], |stack| { let sizes = sizes(stack); named(stack, find_in_map(&sizes, "test", "size")); }),
    mistake("the third item of a list of two", &["E1017", "W1035"], |stack| {
        named(stack, select(2, Value::<Vec<String>>::from(["a", "b"])));
    }),
];

#[rustfmt::skip]
const TEXTS: &[Mistake] = &[
    mistake("`${AWS::Region}` in a text that is not a `Fn::Sub`", &["E1029"], |stack| named(stack, "jobs-${AWS::Region}".into())),
    mistake("the name of a resource in a text that is not a `Fn::Sub`", &["E1029"], |stack| { queue(stack); stack.output("Out", Value::from("${Q.Arn}")); }),
    mistake("a placeholder without an end", &["E1019"], |stack| named(stack, sub("${AWS::Region"))),
    mistake("a placeholder that is not a name", &["E1019"], |stack| named(stack, sub("${AWS Region}"))),
    mistake("a variable that the text does not contain", &["W1019"], |stack| named(stack, sub_with("jobs", [("Stage", "test".into())]))),
    mistake("the text `AWS::Region`", &["W1054"], |stack| named(stack, "AWS::Region".into())),
    mistake("a secure string where none is taken", &["E1027"], |stack| named(stack, "{{resolve:ssm-secure:/name}}".into())),
    mistake("a dynamic reference to an unknown service", &["E1050"], |stack| named(stack, "{{resolve:sm:password}}".into())),
    mistake("a dynamic reference without an end", &["E1050"], |stack| named(stack, "{{resolve:ssm:/name".into())),
    mistake("a dynamic reference with a blank", &["W1053"], |stack| named(stack, "{{resolve:ssm: /name}}".into())),
    mistake("a secret in an output", &["E1051", "E1052"], |stack| { queue(stack); stack.output("Out", Value::from("{{resolve:secretsmanager:a}}")); }),
];

#[rustfmt::skip]
const PROPERTIES: &[Mistake] = &[
    mistake("a number outside of its range", &["E3034"], |stack| drop(stack.add("Q", queue::Queue::new().delay_seconds(901).retain()))),
    mistake("a number outside of its range inside `Fn::If`", &["E3034"], |stack| {
        let stage: Value<String> = stack.parameter("Stage", TemplateParameter::string());
        let large = stack.condition("Large", equals(stage, "large"));
        stack.add("Q", queue::Queue::new().delay_seconds(if_(&large, 901, 0)).retain());
    }),
    mistake("a number that is not in its set", &["E3030"], |stack| drop(stack.add("L", LogGroup::new().retention_in_days(45).retain()))),
    mistake("a text that does not match its pattern", &["E3031", "E1156", "E3511"], |stack| function(stack, "deliver", |function| function)),
    mistake("the same item twice in a list of different ones", &["E3037"], |stack| {
        let integration = aws::apigateway::method::Integration::new(aws::apigateway::method::Type::Mock).cache_key_parameters(["a", "a"]);
        let required = aws::apigateway::method::Required { http_method: "GET".into(), resource_id: "r".into(), rest_api_id: "a".into() };
        stack.add("M", aws::apigateway::method::Method::new(required).authorization_type("NONE").integration(integration));
    }),
    mistake("a text that is too long", &["E3033"], |stack| function(stack, ROLE, |function| function.description("x".repeat(257)))),
    mistake("a list with too many items", &["E3032"], |stack| function(stack, ROLE, |function| function.architectures([function::Architecture::Arm64, function::Architecture::X86_64]))),
    mistake("an item of a list that does not match its pattern", &["E3031", "E1154"], |stack| {
        let network = function::VpcConfig::new().subnet_ids(["net-1"]);
        function(stack, ROLE, |function| function.vpc_config(network));
    }),
    mistake("two tags with the same key", &["E3024"], |stack| drop(add::<Queue>(stack, "Q", json!({ "Tags": [{ "Key": "a", "Value": "1" }, { "Key": "a", "Value": "2" }] })))),
    mistake("a tag with a reserved key", &["E3024"], |stack| drop(add::<Queue>(stack, "Q", json!({ "Tags": [{ "Key": "aws:a", "Value": "1" }] })))),
    mistake("51 tags", &[], |stack| {
        let tags: Vec<Json> = (0..51).map(|number| json!({ "Key": format!("k{number}"), "Value": "v" })).collect();
        add::<Queue>(stack, "Q", json!({ "Tags": tags }));
    }),
];

#[rustfmt::skip]
const POLICIES: &[Mistake] = &[
    mistake("an action that does not exist", &["W3037"], |stack| role(stack, json!({ "Effect": "Allow", "Action": "dynamodb:GetItems", "Resource": TABLE }))),
    mistake("an action of a service that does not exist", &["W3037"], |stack| role(stack, json!({ "Effect": "Allow", "Action": "dynamo:GetItem", "Resource": TABLE }))),
    mistake("an action without a service", &["W3037"], |stack| role(stack, json!({ "Effect": "Allow", "Action": "GetItem", "Resource": TABLE }))),
    mistake("all actions of a service", &[], |stack| role(stack, json!({ "Effect": "Allow", "Action": "dynamodb:*", "Resource": TABLE }))),
    mistake("an action on every resource", &["I3510"], |stack| role(stack, json!({ "Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*" }))),
    mistake("a statement without a resource", &["E3510"], |stack| role(stack, json!({ "Effect": "Allow", "Action": "dynamodb:GetItem" }))),
    mistake("a statement with the effect `allow`", &["E3510"], |stack| role(stack, json!({ "Effect": "allow", "Action": "dynamodb:GetItem", "Resource": TABLE }))),
    mistake("a principal in the policy of a role", &["E3510"], |stack| role(stack, json!({ "Effect": "Allow", "Principal": "*", "Action": "dynamodb:GetItem", "Resource": TABLE }))),
    mistake("a name where a policy needs an ARN", &["E3510", "E3514"], |stack| role(stack, json!({ "Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "table" }))),
    mistake("a bucket policy without a principal", &["E3512"], |stack| {
        let statement = json!({ "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*" });
        add::<BucketPolicy>(stack, "P", json!({ "Bucket": "b", "PolicyDocument": { "Version": "2012-10-17", "Statement": [statement] } }));
    }),
    mistake("a trust policy with a resource", &["E3530"], |stack| {
        let statement = json!({ "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole", "Resource": "*" });
        add::<Role>(stack, "R", json!({ "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [statement] } }));
    }),
    mistake("a policy of a version that IAM does not know", &["W2511"], |stack| {
        let statement = json!({ "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*" });
        add::<BucketPolicy>(stack, "P", json!({ "Bucket": "b", "PolicyDocument": { "Version": "2012-10-18", "Statement": [statement] } }));
    }),
    mistake("a permission for the rules of every account", &[], |stack| drop(add::<Permission>(stack, "P", json!({ "Action": "lambda:InvokeFunction", "FunctionName": "f", "Principal": "events.amazonaws.com" })))),
];

#[rustfmt::skip]
const FUNCTIONS: &[Mistake] = &[
    mistake("a function without a log group", &[], |stack| drop(add::<Function>(stack, "F", json!({ "Handler": "h", "Runtime": "provided.al2023" })))),
    mistake("a password in a variable", &["W2501"], |stack| function_with(stack, json!({ "Environment": { "Variables": { "DB_PASSWORD": "x" } } }))),
    mistake("a variable that Lambda sets itself", &["E3663"], |stack| function_with(stack, json!({ "Environment": { "Variables": { "AWS_REGION": "x" } } }))),
    mistake("a variable with a hyphen", &[], |stack| function_with(stack, json!({ "Environment": { "Variables": { "MY-TABLE": "x" } } }))),
    mistake("variables of more than 4 KB", &["E3697"], |stack| function_with(stack, json!({ "Environment": { "Variables": { "TEXT": "x".repeat(4093) } } }))),
    mistake("a zip without a handler", &["W2533"], |stack| function_with(stack, json!({ "Handler": null }))),
    mistake("inline code for a runtime that is not interpreted", &["E3677"], |stack| function_with(stack, json!({ "Code": { "ZipFile": "x" } }))),
    mistake("inline code without a runtime", &["E3678"], |stack| function_with(stack, json!({ "Code": { "ZipFile": "x" }, "Runtime": null }))),
    mistake("an image with a runtime", &["E3685"], |stack| function_with(stack, json!({ "PackageType": "Image", "Handler": null }))),
    mistake("a log level for logs in text", &["E3696"], |stack| function_with(stack, json!({ "LoggingConfig": { "LogGroup": "g", "SystemLogLevel": "WARN" } }))),
    mistake("a queue whose messages reappear while the function still runs", &["E3505"], |stack| {
        function_with(stack, json!({ "Timeout": 60 }));
        add::<Queue>(stack, "Q", json!({ "VisibilityTimeout": 30 }));
        mapping(stack, json!({ "FunctionName": { "Ref": "F" } }));
    }),
    mistake("a starting position for a queue", &["E3634"], |stack| mapping(stack, json!({ "EventSourceArn": QUEUE, "StartingPosition": "LATEST" }))),
    mistake("a stream without a starting position", &["E3633"], |stack| mapping(stack, json!({ "EventSourceArn": "arn:aws:kinesis:eu-central-1:123456789012:stream/s" }))),
    mistake("batches of 11 messages from a FIFO queue", &["E3705"], |stack| {
        add::<Queue>(stack, "Q", json!({ "FifoQueue": true }));
        mapping(stack, json!({ "BatchSize": 11 }));
    }),
    mistake("large batches without a window", &[], |stack| mapping(stack, json!({ "EventSourceArn": QUEUE, "BatchSize": 100 }))),
];

#[rustfmt::skip]
const DATA: &[Mistake] = &[
    mistake("attributes that are not those of the keys", &["E3039"], |stack| table(stack, json!({ "AttributeDefinitions": [{ "AttributeName": "key", "AttributeType": "S" }] }))),
    mistake("a table without throughput", &["E3639"], |stack| table(stack, json!({ "BillingMode": "PROVISIONED" }))),
    mistake("throughput for a table that is billed per request", &["E3638"], |stack| table(stack, json!({ "ProvisionedThroughput": { "ReadCapacityUnits": 1, "WriteCapacityUnits": 1 } }))),
    mistake("a FIFO queue whose name does not end in .fifo", &["E3501"], |stack| drop(add::<Queue>(stack, "Q", json!({ "FifoQueue": true, "QueueName": "jobs" })))),
    mistake("deduplication for a standard queue", &["E3501"], |stack| drop(add::<Queue>(stack, "Q", json!({ "ContentBasedDeduplication": true })))),
    mistake("a standard queue with a FIFO dead-letter queue", &["E3502"], |stack| {
        add::<Queue>(stack, "Dead", json!({ "FifoQueue": true }));
        add::<Queue>(stack, "Q", json!({ "RedrivePolicy": { "deadLetterTargetArn": { "Fn::GetAtt": ["Dead", "Arn"] }, "maxReceiveCount": 3 } }));
    }),
    mistake("a bucket with the name of an IP address", &["E1161"], |stack| drop(add::<Bucket>(stack, "B", json!({ "BucketName": "192.168.0.1" })))),
    mistake("an access control list that no ownership allows", &["E3045", "W3045"], |stack| drop(add::<Bucket>(stack, "B", json!({ "AccessControl": "PublicRead" })))),
    mistake("a parameter in the store with a reserved name", &["W3701"], |stack| drop(add::<Parameter>(stack, "P", json!({ "Name": "/aws/x", "Type": "String", "Value": "x" })))),
    mistake("deletion protection of a resource that its stack deletes", &[], |stack| drop(add::<UserPool>(stack, "P", json!({ "DeletionProtection": "ACTIVE" })))),
];

#[rustfmt::skip]
const APIS: &[Mistake] = &[
    mistake("a REST API without a name", &["E3660"], |stack| drop(add::<RestApi>(stack, "A", json!({})))),
    mistake("a stage with the deployment of a different API", &["E3698"], |stack| {
        add::<Deployment>(stack, "D", json!({ "RestApiId": "a" }));
        add::<Stage>(stack, "S", json!({ "RestApiId": "b", "DeploymentId": { "Ref": "D" }, "StageName": "v1" }));
    }),
    mistake("a method with the authorizer of a different API", &["E3699"], |stack| {
        add::<Authorizer>(stack, "Z", json!({ "RestApiId": "a", "Type": "TOKEN" }));
        add::<Method>(stack, "M", json!({ "RestApiId": "b", "AuthorizerId": { "Ref": "Z" }, "AuthorizationType": "CUSTOM" }));
    }),
    mistake("a method that does not use its authorizer", &["E3708"], |stack| {
        add::<Authorizer>(stack, "Z", json!({ "RestApiId": "a", "Type": "COGNITO_USER_POOLS" }));
        add::<Method>(stack, "M", json!({ "RestApiId": "a", "AuthorizerId": { "Ref": "Z" }, "AuthorizationType": "CUSTOM" }));
    }),
    mistake("method settings of a path without a slash", &["E3723"], |stack| drop(add::<Stage>(stack, "S", json!({ "RestApiId": "a", "MethodSettings": [{ "ResourcePath": "x" }] })))),
    mistake("a behavior for an origin that does not exist", &["E3057"], |stack| drop(add::<Distribution>(stack, "D", json!({ "DistributionConfig": {
        "Origins": [{ "Id": "page" }],
        "DefaultCacheBehavior": { "TargetOriginId": "pages" },
    } })))),
    mistake("a rule for TCP without ports", &["E3687"], |stack| group(stack, json!({ "IpProtocol": "tcp" }))),
    mistake("a rule with one port -1", &["E3688"], |stack| group(stack, json!({ "IpProtocol": "tcp", "FromPort": -1, "ToPort": 443 }))),
    mistake("a range of ports that ends before it starts", &[], |stack| group(stack, json!({ "IpProtocol": "tcp", "FromPort": 443, "ToPort": 80 }))),
];

#[rustfmt::skip]
const SCHEDULES: &[Mistake] = &[
    mistake("a cron of five fields", &["E3027"], |stack| drop(add::<Rule>(stack, "R", json!({ "ScheduleExpression": "cron(0 6 * * *)" })))),
    mistake("a cron with a star in both day fields", &["E3027"], |stack| drop(add::<Rule>(stack, "R", json!({ "ScheduleExpression": "cron(0 6 * * * *)" })))),
    mistake("a rate of `1 minutes`", &["E3027"], |stack| drop(add::<Schedule>(stack, "S", json!({ "ScheduleExpression": "rate(1 minutes)" })))),
    mistake("an alarm with a period of 45 seconds", &["E3615"], |stack| drop(add::<Alarm>(stack, "A", json!({ "MetricName": "m", "Period": 45 })))),
    mistake("an alarm on a metric and on an expression", &["E3014", "E3018", "E3020"], |stack| drop(add::<Alarm>(stack, "A", json!({ "MetricName": "m", "Period": 60, "Metrics": [{ "Id": "e" }] })))),
    mistake("an alarm that watches nothing", &["E3017", "E3058"], |stack| drop(add::<Alarm>(stack, "A", json!({ "Period": 60 })))),
];

const ROLE: &str = "arn:aws:iam::123456789012:role/r";
const TABLE: &str = "arn:aws:dynamodb:eu-central-1:123456789012:table/t";
const QUEUE: &str = "arn:aws:sqs:eu-central-1:123456789012:q";

fn queue(stack: &mut Stack) -> RawRef {
    add::<Queue>(stack, "Q", json!({}))
}

/// A queue with this name.
fn named(stack: &mut Stack, name: Value<String>) {
    add::<Queue>(stack, "Q", json!({ "QueueName": Json::from(name) }));
}

fn sizes(stack: &mut Stack) -> cfn::Mapping {
    mapping_of(stack, "Sizes", "test")
}

/// A mapping with this one key.
fn mapping_of(stack: &mut Stack, name: &str, key: &str) -> cfn::Mapping {
    stack.mapping(name, [(key, BTreeMap::from([("name".to_owned(), json!("small"))]))])
}

/// A function of the bindings.
#[track_caller]
fn function(stack: &mut Stack, role: &str, set: impl FnOnce(function::Function) -> function::Function) {
    let required =
        function::Required { code: function::Code::new().s3_bucket("bucket").s3_key("key").into(), role: role.into() };
    let logs = function::LoggingConfig::new().log_group("group");
    let function = function::Function::new(required).handler("h").runtime(function::Runtime::ProvidedAl2023);
    stack.add("F", set(function.logging_config(logs)));
}

/// A good function, except for these properties.
fn function_with(stack: &mut Stack, properties: Json) {
    add::<Function>(
        stack,
        "F",
        with(json!({ "Handler": "h", "Runtime": "provided.al2023", "LoggingConfig": { "LogGroup": "g" } }), properties),
    );
}

/// What sends from the queue Q to a function, except for these properties.
fn mapping(stack: &mut Stack, properties: Json) {
    let good = json!({ "EventSourceArn": { "Fn::GetAtt": ["Q", "Arn"] }, "FunctionName": "f" });
    add::<EventSourceMapping>(stack, "M", with(good, properties));
}

/// A good table, except for these properties.
fn table(stack: &mut Stack, properties: Json) {
    let good = json!({
        "AttributeDefinitions": [{ "AttributeName": "claim", "AttributeType": "S" }],
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{ "AttributeName": "claim", "KeyType": "HASH" }],
    });
    add::<Table>(stack, "T", with(good, properties));
}

/// A role with a policy of this statement.
fn role(stack: &mut Stack, statement: Json) {
    let trust =
        json!({ "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole" });
    let document = |statement: Json| json!({ "Version": "2012-10-17", "Statement": [statement] });
    let policy = json!({ "PolicyName": "p", "PolicyDocument": document(statement) });
    add::<Role>(stack, "R", json!({ "AssumeRolePolicyDocument": document(trust), "Policies": [policy] }));
}

fn group(stack: &mut Stack, rule: Json) {
    add::<SecurityGroup>(stack, "G", json!({ "GroupDescription": "g", "SecurityGroupIngress": [rule] }));
}

fn with(mut json: Json, changes: Json) -> Json {
    for (name, value) in changes.as_object().cloned().unwrap_or_default() {
        json[name] = value;
    }
    json
}
