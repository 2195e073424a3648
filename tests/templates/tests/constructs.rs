//! What the building blocks promise beyond the systems that use them, and what the checks find.

use aws::iam::role::{Policy, PolicyRequired, Role};
use aws::lambda::function::{Code, Environment, Function, Required};
use aws::lambda::permission::{self, Permission};
use cfn::assertions::assert_includes;
use cfn::{App, Json, Stack};
use constructs::{Architecture, Bucket, Queue, RustFunction, Schedule, ScheduleGroup};
use serde_json::json;

fn messages(stack: Stack) -> Vec<String> {
    let assembly = App::default().stack(stack).checks(constructs::checks::ALL).synth();
    assembly.findings.iter().map(|it| format!("{}: {}", it.subject, it.message)).collect()
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
fn a_cron_that_aws_would_reject_is_a_finding_at_the_line_that_added_it() {
    let mut stack = Stack::new("s");
    let dead_letters = stack.add("DeadLetters", Queue::dead_letters());
    let function = stack.add("F", RustFunction::new("f", Architecture::X86_64).dead_letters(&dead_letters));
    let group = stack.add("Schedules", ScheduleGroup::new(&function, &dead_letters));
    stack.add("Daily", Schedule::cron("0 6 * * *", Json::Null, &group));
    let line = line!() - 1;
    let findings = App::default().stack(stack).synth().findings;
    let finding = findings.iter().find(|it| it.subject == "Daily").expect("the cron has five fields");
    assert!(finding.message.starts_with("cron `0 6 * * *` has 5 fields; must have six"), "{}", finding.message);
    assert_eq!(finding.location.map(|it| it.line()), Some(line));
}

#[test]
fn a_functions_memory_is_checked_at_the_line_that_chose_it() {
    let mut stack = Stack::new("s");
    let function = RustFunction::new("f", Architecture::Arm64).memory(64);
    let line = line!() - 1;
    stack.add("Deliver", function);
    let findings = App::default().stack(stack).synth().findings;
    let finding = findings.iter().find(|it| it.message.contains("memory")).expect("64 MB is too little");
    assert_eq!(finding.message, "memory_size is 64; must be 128 to 10240");
    assert_eq!(finding.location.map(|it| it.line()), Some(line));
}
