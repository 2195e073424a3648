//! What pictures say about templates.

use std::collections::BTreeSet;

use ferrostack_graph::{Column, Graph, html, mermaid, svg};
use serde_json::{Value, json};

fn graph(resources: Value) -> Graph {
    Graph::of("shop", &json!({ "Resources": resources }))
}

#[track_caller]
fn says(resources: Value, expected: &[&str]) {
    assert_eq!(graph(resources).sentences(), expected);
}

fn function(role: &str) -> Value {
    json!({ "Type": "AWS::Lambda::Function", "Properties": { "Role": { "Fn::GetAtt": [role, "Arn"] } } })
}

fn role(service: &str, statements: Value) -> Value {
    json!({ "Type": "AWS::IAM::Role", "Properties": {
        "AssumeRolePolicyDocument": { "Statement": [{ "Principal": { "Service": service } }] },
        "Policies": [{ "PolicyDocument": { "Statement": statements } }],
    } })
}

#[test]
fn a_right_is_what_the_function_does() {
    let statements = json!([
        { "Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:PutItem"], "Resource": { "Fn::GetAtt": ["Jobs", "Arn"] } },
        { "Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*" },
        { "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::templates/*" },
        { "Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": { "Fn::GetAtt": ["Logs", "Arn"] } },
        { "Effect": "Deny", "Action": "sqs:SendMessage", "Resource": { "Fn::GetAtt": ["Queue", "Arn"] } },
    ]);
    says(
        json!({
            "Jobs": { "Type": "AWS::DynamoDB::Table" },
            "Logs": { "Type": "AWS::Logs::LogGroup" },
            "Queue": { "Type": "AWS::SQS::Queue" },
            "Role": role("lambda.amazonaws.com", statements),
            "Work": function("Role"),
        }),
        &["Work reads and writes Jobs", "Work calls SES", "Work reads templates"],
    );
}

#[test]
fn a_policy_belongs_to_whoever_has_its_role_or_is_trusted_by_it() {
    let policy = |role: &str| {
        json!({ "Type": "AWS::IAM::Policy", "Properties": {
            "Roles": [{ "Ref": role }],
            "PolicyDocument": { "Statement": {
                "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": { "Fn::GetAtt": ["Sign", "Arn"] },
            } },
        } })
    };
    says(
        json!({
            "Sign": { "Type": "AWS::Lambda::Function" },
            "Invoker": role("redshift.amazonaws.com", json!([])),
            "InvokerPolicy": policy("Invoker"),
            "CallerRole": role("lambda.amazonaws.com", json!([])),
            "CallerPolicy": policy("CallerRole"),
            "Caller": function("CallerRole"),
        }),
        &["Caller calls Sign", "Redshift calls Sign"],
    );
}

#[test]
fn what_starts_work_triggers_it() {
    let dead = json!({ "Arn": { "Fn::GetAtt": ["Dead", "Arn"] } });
    let target = json!({ "Arn": { "Fn::GetAtt": ["Work", "Arn"] }, "DeadLetterConfig": dead });
    says(
        json!({
            "Bucket": { "Type": "AWS::S3::Bucket" },
            "Dead": { "Type": "AWS::SQS::Queue" },
            "Rule": { "Type": "AWS::Events::Rule", "Properties": {
                "EventPattern": { "detail": { "bucket": { "name": [{ "Ref": "Bucket" }] } } },
                "Targets": [target],
            } },
            "Schedule": { "Type": "AWS::Scheduler::Schedule", "Properties": { "Target": target } },
            "Topic": { "Type": "AWS::SNS::Topic" },
            "Mail": { "Type": "AWS::SNS::Subscription", "Properties": {
                "TopicArn": { "Ref": "Topic" }, "Protocol": "email", "Endpoint": "a@example.com",
            } },
            "Work": { "Type": "AWS::Lambda::Function", "Properties": {
                "DeadLetterConfig": { "TargetArn": { "Fn::GetAtt": ["Dead", "Arn"] } },
            } },
        }),
        &[
            "Bucket triggers Rule",
            "Rule triggers Work",
            "Schedule triggers Work",
            "Topic triggers Subscribers",
            "Work sends failures to Dead",
        ],
    );
}

#[test]
fn people_come_in_as_the_routes_let_them() {
    for (properties, expected) in [
        (json!({ "ApiKeyRequired": true }), "Programs with an API key call Api"),
        (json!({ "AuthorizationType": "COGNITO_USER_POOLS" }), "People who signed in call Api"),
        (json!({ "AuthorizationType": "AWS_IAM" }), "Callers with an IAM role call Api"),
        (json!({ "AuthorizationType": "NONE" }), "All who have the address call Api"),
    ] {
        let mut method = json!({ "RestApiId": { "Ref": "Api" }, "Integration": { "Uri": {
            "Fn::Sub": "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Work.Arn}/invocations",
        } } });
        method.as_object_mut().expect("an object").extend(properties.as_object().expect("an object").clone());
        says(
            json!({
                "Api": { "Type": "AWS::ApiGateway::RestApi" },
                "Get": { "Type": "AWS::ApiGateway::Method", "Properties": method },
                "Work": { "Type": "AWS::Lambda::Function" },
            }),
            &["Api calls Work", expected],
        );
    }
}

#[test]
fn a_part_that_several_share_does_not_connect_them() {
    let dashboard =
        |set: &str| json!({ "Type": "AWS::QuickSight::Dashboard", "Properties": { "Set": { "Ref": set } } });
    let set = json!({ "Type": "AWS::QuickSight::DataSet", "Properties": { "Source": { "Ref": "Source" } } });
    says(
        json!({
            "One": dashboard("OneSet"),
            "OneSet": set,
            "Source": { "Type": "AWS::QuickSight::DataSource", "Properties": { "Type": "REDSHIFT" } },
            "Two": dashboard("TwoSet"),
            "TwoSet": set,
        }),
        &["One reads Redshift", "Two reads Redshift", "Dashboard readers call One", "Dashboard readers call Two"],
    );
}

#[test]
fn an_unknown_type_is_drawn_if_something_is_known_of_it() {
    let graph = graph(json!({
        "Batch": { "Type": "AWS::Batch::JobQueue", "Properties": { "Where": { "Ref": "Bucket" } } },
        "Bucket": { "Type": "AWS::S3::Bucket" },
        "Loose": { "Type": "AWS::Glue::Crawler" },
    }));
    assert_eq!(graph.sentences(), ["Batch uses Bucket"]);
    assert_eq!(graph.nodes.iter().map(|node| node.kind.as_str()).collect::<Vec<_>>(), ["Batch JobQueue", "S3 bucket"]);
}

#[test]
fn many_alike_are_one() {
    let mut resources =
        json!({ "Work": { "Type": "AWS::Lambda::Function" }, "Other": { "Type": "AWS::Lambda::Function" } });
    for (name, target) in [("A", "Work"), ("B", "Work"), ("C", "Work"), ("D", "Work"), ("E", "Other")] {
        resources[name] = json!({ "Type": "AWS::Scheduler::Schedule", "Properties": {
            "Target": { "Arn": { "Fn::GetAtt": [target, "Arn"] } },
        } });
    }
    says(resources, &["4 × schedule triggers Work", "E triggers Other"]);
}

#[test]
fn circles_and_nonsense_are_drawn_as_far_as_possible() {
    says(
        json!({
            "Alias": { "Type": "AWS::Lambda::Alias", "Properties": { "FunctionName": { "Ref": "Version" } } },
            "Version": { "Type": "AWS::Lambda::Version", "Properties": { "FunctionName": { "Ref": "Alias" } } },
            "Nothing": {},
            "Rule": { "Type": "AWS::Events::Rule", "Properties": { "Targets": [{ "Arn": { "Ref": "Alias" } }, 1, null] } },
        }),
        &[],
    );
    assert!(Graph::of("empty", &json!(null)).nodes.is_empty());
    assert!(svg::draw(&[Graph::default()]).contains("</svg>"));
}

#[test]
fn text_from_a_template_is_escaped_in_every_format() {
    let template = json!({ "Resources": { "a\"<script>&": { "Type": "AWS::S3::Bucket" } } });
    let graphs = [Graph::of("x\"<b>", &template), Graph::of("y", &template)];
    for picture in [svg::draw(&graphs), html::draw("<i>", &graphs), mermaid::draw(&graphs)] {
        assert!(!picture.contains("<script>") && !picture.contains("<b>") && !picture.contains("<i>"), "{picture}");
    }
}

#[test]
fn columns_are_drawn_in_reading_order_and_boxes_do_not_overlap() {
    let mut resources = json!({});
    for index in 0..9 {
        resources[format!("Table{index}")] = json!({ "Type": "AWS::DynamoDB::Table" });
        resources[format!("Work{index}")] = json!({ "Type": "AWS::Lambda::Function" });
    }
    let graph = graph(resources);
    let picture = svg::draw(std::slice::from_ref(&graph));
    let groups = picture.split("<g transform=\"translate(").skip(1).filter(|group| group.contains("<rect"));
    let corners: BTreeSet<_> = groups.filter_map(|group| group.split(')').next()).collect();
    assert_eq!(corners.len(), graph.nodes.len(), "two boxes have the same corner: {picture}");
    let headings = [Column::Functions, Column::Stores].map(|column| picture.find(column.heading()).expect("a heading"));
    assert!(headings[0] < headings[1]);
}
