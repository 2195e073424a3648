//! What the building blocks promise beyond the systems that use them, and what the checks find.

use aws::apigateway::stage::Stage;
use aws::cognito::user_pool;
use aws::events::rule::Rule;
use aws::iam::role::{Policy, PolicyRequired, Role};
use aws::lambda::event_source_mapping::{EventSourceMapping, Filter, FilterCriteria};
use aws::lambda::function::{Code, Environment, Function, Required, Runtime};
use aws::lambda::permission::{self, Permission};
use cfn::DeletionPolicy::Retain;
use cfn::assertions::assert_includes;
use cfn::intrinsic::sub;
use cfn::{App, Attributes, Json, Referable, Stack, Value};
use constructs::{
    ApiEndpoint, Architecture, Bucket, Cors, HttpApi, Queue, RestApi, RustFunction, Schedule, ScheduleGroup,
    WebSocketApi,
};
use serde_json::json;

fn messages(stack: Stack) -> Vec<String> {
    let assembly = App::default().stack(stack).checks(constructs::checks::ALL).synth();
    assembly.findings.iter().map(|finding| format!("{}: {}", finding.subject, finding.message)).collect()
}

fn role(action: &str, resource: &str) -> Role {
    let statement = json!({ "Effect": "Allow", "Action": action, "Resource": resource });
    let document = json!({ "Version": "2012-10-17", "Statement": [statement] });
    Role::new(json!({}))
        .policies([Policy::new(PolicyRequired { policy_name: "P".into(), policy_document: document.into() })])
}

#[test]
fn a_bucket_is_private_encrypted_versioned_and_kept() {
    let mut stack = Stack::new("s");
    stack.add("Reports", Bucket::default());
    let mut assembly = App::default().stack(stack).checks(constructs::checks::ALL).synth();
    assert!(assembly.findings.is_empty(), "{:?}", assembly.findings);
    let template = assembly.stacks.remove(0).template;
    assert_includes(
        template.properties("Reports"),
        &json!({
            "VersioningConfiguration": { "Status": "Enabled" },
            "PublicAccessBlockConfiguration": { "BlockPublicAcls": true, "RestrictPublicBuckets": true },
        }),
    );
    assert_eq!(template.resources["Reports"].attribute("DeletionPolicy"), Some(&json!("RetainExceptOnCreate")));
    let statement = &template.properties("ReportsPolicy")["PolicyDocument"]["Statement"][0];
    assert_includes(statement, &json!({ "Effect": "Deny", "Condition": { "Bool": { "aws:SecureTransport": false } } }));
}

#[test]
fn rights_on_everything_are_found() {
    let mut stack = Stack::new("s");
    stack.add("All", role("s3:*", "arn:aws:s3:::b"));
    stack.add("Everywhere", role("s3:GetObject", "*"));
    stack.add("Tracing", role("xray:PutTraceSegments", "*"));
    stack.add("AnyonesStatements", role("redshift-data:GetStatementResult", "*"));
    assert_eq!(
        messages(stack),
        [
            "All: grants `s3:*`",
            "Everywhere: grants `s3:GetObject` on every resource",
            "AnyonesStatements: grants `redshift-data:GetStatementResult` on every resource",
        ]
    );
}

#[test]
fn rights_on_statements_need_an_owner() {
    let mut stack = Stack::new("s");
    let owned = |operator: &str, owner: &str| {
        let condition = json!({ operator: { "redshift-data:statement-owner-iam-userid": owner } });
        let statement = json!({ "Effect": "Allow", "Action": "redshift-data:CancelStatement", "Resource": "*", "Condition": condition });
        let document = json!({ "Version": "2012-10-17", "Statement": [statement] });
        Role::new(json!({}))
            .policies([Policy::new(PolicyRequired { policy_name: "P".into(), policy_document: document.into() })])
    };
    stack.add("Own", owned("StringEquals", "${aws:userid}"));
    stack.add("OfOneRole", owned("StringLike", "AROAEXAMPLE:*"));
    stack.add("OfEverybody", owned("StringLike", "*"));
    stack.add("OfAllOthers", owned("StringNotEquals", "${aws:userid}"));
    assert_eq!(
        messages(stack),
        [
            "OfEverybody: grants `redshift-data:CancelStatement` on every resource",
            "OfAllOthers: grants `redshift-data:CancelStatement` on every resource",
        ]
    );
}

#[test]
fn a_bare_function_is_found_without_logs_and_with_a_secret() {
    let mut stack = Stack::new("s");
    let variables: [(&str, &str); 3] = [("API_TOKEN", "x"), ("API_TOKEN_SECRET", "arn"), ("PASSWORD", "x")];
    stack.add(
        "Bare",
        Function::new(Required { code: Code::new().into(), role: "arn:aws:iam::123456789012:role/r".into() })
            .handler("bootstrap")
            .runtime(Runtime::ProvidedAl2023)
            .environment(Environment::new().variables(variables)),
    );
    assert_eq!(
        messages(stack),
        [
            "Bare: has no log group in the stack",
            "Bare: has a secret in the environment variable `API_TOKEN`",
            "Bare: has a secret in the environment variable `PASSWORD`",
        ]
    );
}

#[test]
fn a_permission_for_everyones_rules_is_found() {
    let mut stack = Stack::new("s");
    stack.add(
        "Open",
        Permission::new(permission::Required {
            action: "lambda:InvokeFunction".into(),
            function_name: "f".into(),
            principal: "events.amazonaws.com".into(),
        }),
    );
    assert_eq!(messages(stack), ["Open: lets any account call the function"]);
}

#[test]
fn a_traced_stage_is_found() {
    let mut stack = Stack::new("s");
    let api = stack.add("Api", aws::apigateway::rest_api::RestApi::new().name("api"));
    for (id, is_traced) in [("Traced", true), ("Untraced", false)] {
        stack.add(id, Stage::new(api.reference()).stage_name(id.to_lowercase()).tracing_enabled(is_traced));
    }
    assert_eq!(messages(stack), ["Traced: lets X-Ray keep the whole address of each request"]);
}

#[test]
fn a_cron_that_aws_would_reject_is_a_finding_at_the_line_that_added_it() {
    let mut stack = Stack::new("s");
    let dead_letters = stack.add("DeadLetters", Queue::dead_letters());
    let function = stack.add("F", RustFunction::new("f", Architecture::X86_64).dead_letters(&dead_letters));
    let group = stack.add("Schedules", ScheduleGroup::new(&function, &dead_letters));
    stack.add("Daily", Schedule::cron("0 6 * * *", Json::Null, &group));
    let line = line!() - 1;
    let findings = App::default().stack(stack).synth().findings;
    let [finding] = &findings.iter().filter(|finding| finding.subject == "Daily").collect::<Vec<_>>()[..] else {
        panic!("one mistake is one finding: {findings:#?}")
    };
    assert!(finding.message.starts_with("cron `0 6 * * *` has 5 fields; must have six"), "{}", finding.message);
    assert_eq!(finding.location.map(|location| location.line()), Some(line));
}

#[test]
fn a_functions_memory_is_checked_at_the_line_that_chose_it() {
    let mut stack = Stack::new("s");
    let function = RustFunction::new("f", Architecture::Arm64).memory(64);
    let line = line!() - 1;
    stack.add("Deliver", function);
    let findings = App::default().stack(stack).synth().findings;
    let finding = findings.iter().find(|finding| finding.message.contains("memory")).expect("64 MB is too little");
    assert_eq!(finding.message, "memory_size is 64; must be 128 to 10240");
    assert_eq!(finding.location.map(|location| location.line()), Some(line));
}

#[test]
fn a_protected_resource_that_cloudformation_is_to_delete_is_found() {
    let users = || user_pool::UserPool::new().deletion_protection(user_pool::DeletionProtection::Active);
    let mut stack = Stack::new("s");
    stack.add("Kept", users().retain());
    stack.add("Deleted", users().disposable());
    stack.add("KeptInAnyCase", users().deletion_policy(Retain).update_replace_policy(Retain));
    stack.add("Unprotected", user_pool::UserPool::new().retain());
    let fault = "has DeletionProtection, but its DeletionPolicy";
    assert_eq!(
        messages(stack),
        [
            format!("Kept: {fault} RetainExceptOnCreate lets CloudFormation delete it"),
            format!("Deleted: {fault} Delete lets CloudFormation delete it"),
        ]
    );
}

#[test]
fn a_resource_that_outlives_its_stack_has_no_fixed_name() {
    let queue = |name: Value<String>| aws::sqs::queue::Queue::new().queue_name(name);
    let mut stack = Stack::new("s");
    stack.add("Kept", queue("jobs".into()).retain());
    stack.add("NamedAfterTheStack", queue(sub("${AWS::StackName}-jobs")).retain());
    stack.add("Deleted", queue("jobs-2".into()).disposable());
    stack.add("NamedAfterThisStackOnly", queue(sub("jobs-${AWS::StackId}")).retain());
    stack.add("Unnamed", aws::sqs::queue::Queue::new().retain());
    let fault = "outlives its stack, which then cannot be created again";
    assert_eq!(
        messages(stack),
        [
            format!("Kept: has the fixed QueueName \"jobs\", but {fault}"),
            format!(
                "NamedAfterTheStack: has the fixed QueueName {{\"Fn::Sub\":\"${{AWS::StackName}}-jobs\"}}, but {fault}"
            ),
        ]
    );
}

#[test]
fn patterns_of_rules_and_filters_of_sources_are_checked() {
    let rule = |pattern: Json| Rule::new().event_pattern(pattern);
    let source = |function: &str, pattern: &str| {
        let filters = FilterCriteria::new().filters([Filter::new().pattern(pattern)]);
        EventSourceMapping::new(function)
            .event_source_arn("arn:aws:sqs:eu-central-1:123456789012:q")
            .filter_criteria(filters)
    };
    let mut stack = Stack::new("s");
    let queue = stack.add("Dead", aws::sqs::queue::Queue::new().disposable());
    stack.add(
        "Good",
        rule(json!({ "source": [Json::from(queue.arn())], "detail": { "size": [{ "numeric": [">", 5] }] } })),
    );
    stack.add("Nested", rule(json!({ "source": [["aws.s3"]] })));
    stack.add("Unknown", rule(json!({ "detail": { "key": [{ "startsWith": "a" }] } })));
    stack.add("Empty", rule(json!({})));
    stack.add("Filtered", source("f", r#"{"body":{"kind":["a"]}}"#));
    stack.add("Misfiltered", source("g", r#"{"body":{"kind":"a"}}"#));
    stack.add("NoJson", source("h", "body"));
    let found = messages(stack);
    let starts = [
        "Nested: `source` of the pattern contains a list in its list",
        "Unknown: `key` of the pattern has the unknown matcher `startsWith`",
        "Empty: the pattern is empty",
        "Misfiltered: `kind` of the pattern is \"a\"; must be a list",
        "NoJson: the pattern is \"body\"",
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    assert!(found.iter().zip(starts).all(|(message, start)| message.starts_with(start)), "{found:#?}");
}

/// The settings of [`deployment`].
#[derive(Clone)]
struct Published {
    vpc: &'static str,
    subnet: &'static str,
    users: &'static str,
    users_name: &'static str,
    origin: &'static str,
    path: &'static str,
    schema: Json,
}

/// The logical ID of the deployment of an API that refers to an endpoint and a user pool.
fn deployment(published: Published) -> String {
    let mut stack = Stack::new("s");
    let endpoint = ApiEndpoint::new(published.vpc, vec![published.subnet.to_owned()], vec!["10.0.0.0/8".to_owned()]);
    let endpoint = stack.add("Endpoint", endpoint);
    let users = user_pool::UserPool::new().user_pool_name(published.users_name);
    let users = stack.add(published.users, users.retain());
    let function = stack.add("F", RustFunction::new("f", Architecture::X86_64));
    let api = RestApi::new("An API")
        .route_with_body("POST", published.path, &function, published.schema)
        .users_of(Some(users.arn()))
        .cors(Cors { origin: published.origin.into(), allowed_headers: vec!["authorization"] })
        .private(Some(endpoint.reference()));
    stack.add("Api", api);
    let template = App::default().stack(stack).synth().stacks.remove(0).template;
    let mut deployments = template.all("AWS::ApiGateway::Deployment").map(|(id, _)| id.to_owned());
    deployments.next().expect("an API has a deployment")
}

#[test]
fn an_api_is_deployed_again_when_what_it_publishes_changes() {
    let before = Published {
        vpc: "vpc-0a1b2c3d",
        subnet: "subnet-0a1b2c3d",
        users: "Users",
        users_name: "a",
        origin: "https://a.example",
        path: "/x",
        schema: json!({ "type": "object" }),
    };
    let unchanged = deployment(before.clone());
    for (what, after) in [
        ("the endpoint is updated in place", Published { subnet: "subnet-1a1b2c3d", ..before.clone() }),
        ("the pool is updated in place", Published { users_name: "b", ..before.clone() }),
    ] {
        assert_eq!(deployment(after), unchanged, "{what}");
    }
    for (what, after) in [
        ("the endpoint is replaced", Published { vpc: "vpc-1a1b2c3d", ..before.clone() }),
        ("the pool is replaced", Published { users: "People", ..before.clone() }),
        ("another origin", Published { origin: "https://b.example", ..before.clone() }),
        ("another path", Published { path: "/y", ..before.clone() }),
        ("another body", Published { schema: json!({}), ..before }),
    ] {
        assert_ne!(deployment(after), unchanged, "{what}");
    }
}

#[test]
fn apis_accept_tls_1_2_and_an_endpoint_leads_to_apis_of_its_own_account_only() {
    let mut stack = Stack::new("s");
    let function = stack.add("F", RustFunction::new("f", Architecture::X86_64));
    let endpoint = ApiEndpoint::new("vpc-0a1b2c3d", vec!["subnet-0a1b2c3d".to_owned()], vec!["10.0.0.0/8".to_owned()]);
    stack.add("Endpoint", endpoint);
    stack.add("Api", RestApi::new("An API").route("GET", "/x", &function));
    let template = App::default().stack(stack).synth().stacks.remove(0).template;
    assert_includes(
        template.properties("Api"),
        &json!({ "SecurityPolicy": "SecurityPolicy_TLS13_1_2_2021_06", "EndpointAccessMode": "BASIC" }),
    );
    assert_eq!(
        template.properties("Endpoint")["PolicyDocument"]["Statement"],
        json!([{
            "Effect": "Allow",
            "Principal": "*",
            "Action": "execute-api:Invoke",
            "Resource": { "Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:*" },
        }])
    );
}

#[test]
fn the_log_group_of_an_http_api_has_a_name_that_fits_any_number_of_apis() {
    let mut stack = Stack::new("s");
    stack.add("Install", HttpApi::new("An API"));
    stack.add("Messages", WebSocketApi::new("An API"));
    let template = App::default().stack(stack).synth().stacks.remove(0).template;
    let name = |id: &str| template.properties(id)["LogGroupName"].clone();
    assert_eq!(name("InstallLogs"), json!({ "Fn::Sub": "/aws/vendedlogs/apigateway/${AWS::StackName}-Install" }));
    assert_eq!(name("MessagesLogs"), Json::Null);
}

#[test]
fn actions_that_have_no_resource_may_name_all() {
    let mut stack = Stack::new("s");
    for (id, action) in [
        ("Metrics", "cloudwatch:PutMetricData"),
        ("Interfaces", "ec2:CreateNetworkInterface"),
        ("Subnets", "ec2:DescribeSubnets"),
        ("Instances", "ec2:TerminateInstances"),
    ] {
        stack.add(id, role(action, "*"));
    }
    assert_eq!(messages(stack), ["Instances: grants `ec2:TerminateInstances` on every resource"]);
}

#[test]
fn a_bucket_name_that_s3_rejects_is_found() {
    let mut stack = Stack::new("s");
    stack.add("Bucket", aws::s3::bucket::Bucket::new().bucket_name("192.168.0.1").disposable());
    let message = "Bucket: `192.168.0.1` is not a valid bucket name, because it looks like an IP address";
    assert_eq!(messages(stack), [message]);
}

#[test]
fn schedules_of_rules_are_checked_too() {
    for (expression, part) in [
        ("cron(0 6 * * *)", "has 5 fields"),
        ("cron(0 6 * * * *)", "exactly one of its day fields"),
        ("rate(5 minute)", "rate `5 minute` is not valid"),
        ("every day", "must match"),
    ] {
        let mut stack = Stack::new("s");
        stack.add("Daily", aws::events::rule::Rule::new().schedule_expression(expression));
        let [message] = &messages(stack)[..] else { panic!("{expression} is accepted, or has two findings") };
        assert!(message.starts_with("Daily: ") && message.contains(part), "{message}");
    }
    for expression in ["cron(0 6 * * ? *)", "rate(1 day)"] {
        let mut stack = Stack::new("s");
        stack.add("Daily", aws::events::rule::Rule::new().schedule_expression(expression));
        assert_eq!(messages(stack), [""; 0]);
    }
}

#[test]
fn an_attribute_that_does_not_exist_is_found() {
    let mut stack = Stack::new("s");
    let queue = stack.add("Letters", aws::sqs::queue::Queue::new().disposable());
    stack.add("Other", aws::sqs::queue::Queue::new().queue_name(sub("x-${Letters.Arm}")).disposable());
    stack.add("Right", aws::sqs::queue::Queue::new().queue_name(sub("x-${Letters.Arn}")).disposable());
    stack.output("Out", Value::<String>::get_att(queue.logical_id(), "Url"));
    assert_eq!(
        messages(stack),
        [
            "Other: reads Letters.Arm, but AWS::SQS::Queue has no such attribute",
            "Out: reads Letters.Url, but AWS::SQS::Queue has no such attribute",
        ]
    );
}
