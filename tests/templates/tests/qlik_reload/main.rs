//! The template of the Qlik reload system.

mod malformed_tenants;
mod properties;
mod raw_values;

use cfn::Json;
use cfn::assertions::assert_includes;
use serde_json::json;
use template_tests::template;

const APP: &str = "687ef393-f0ad-4c64-ac59-6db967126015";

fn tenant(lines: &str) -> String {
    let lines: String = lines.lines().map(|line| format!("    {line}\n")).collect();
    format!("tenant: acme\nsystems:\n  qlik-reload:\n    tenant_url: https://acme.eu.qlikcloud.com\n{lines}")
}

fn one_schedule(when: &str) -> String {
    tenant(&format!("schedules:\n  sales: {{ apps: [{APP}], {when} }}"))
}

#[test]
fn a_schedule_calls_the_function_with_its_app_and_an_id_for_each_tick() {
    let template = template(&one_schedule("cron: 0/5 8-17 ? * MON-FRI *, time_zone: Europe/Berlin"));
    let schedule = template.properties("ScheduleSales");
    assert_includes(
        schedule,
        &json!({
            "ScheduleExpression": "cron(0/5 8-17 ? * MON-FRI *)",
            "ScheduleExpressionTimezone": "Europe/Berlin",
            "GroupName": { "Ref": "Schedules" },
        }),
    );
    assert_includes(
        &schedule["Target"],
        &json!({
            "Arn": { "Fn::GetAtt": ["Reload", "Arn"] },
            "RoleArn": { "Fn::GetAtt": ["SchedulesRole", "Arn"] },
            "DeadLetterConfig": { "Arn": { "Fn::GetAtt": ["DeadLetters", "Arn"] } },
            "RetryPolicy": { "MaximumEventAgeInSeconds": 240, "MaximumRetryAttempts": 5 },
        }),
    );
    let input: Json = serde_json::from_str(schedule["Target"]["Input"].as_str().unwrap()).unwrap();
    let delivery = "<aws.scheduler.schedule-arn>/<aws.scheduler.scheduled-time>";
    assert_eq!(input, json!({ "appId": APP, "deliveryId": delivery }));
}

#[test]
fn the_schedulers_role_serves_this_group_only_and_calls_one_function() {
    let template = template(&one_schedule("rate: 1 hour"));
    let role = template.properties("SchedulesRole");
    assert_includes(
        &role["AssumeRolePolicyDocument"]["Statement"][0],
        &json!({
            "Principal": { "Service": "scheduler.amazonaws.com" },
            "Condition": { "StringEquals": {
                "aws:SourceAccount": { "Ref": "AWS::AccountId" },
                "aws:SourceArn": { "Fn::GetAtt": ["Schedules", "Arn"] },
            } },
        }),
    );
    let statements = &role["Policies"][0]["PolicyDocument"]["Statement"];
    assert_eq!(statements[0]["Action"], json!(["lambda:InvokeFunction"]));
    assert_eq!(statements[0]["Resource"], json!({ "Fn::GetAtt": ["Reload", "Arn"] }));
}

#[test]
fn a_list_of_apps_is_one_schedule_each_and_the_first_keeps_its_id() {
    let second = "3f1b7c52-9d0e-4a7b-8f57-1f1f0c1f2a01";
    let template = template(&tenant(&format!("schedules:\n  sales: {{ apps: [{APP}, {second}], rate: 5 minutes }}")));
    let ids: Vec<&str> = template.all("AWS::Scheduler::Schedule").map(|(id, _)| id).collect();
    assert_eq!(ids, ["ScheduleSales", "Schedule2Sales"]);
    assert!(template.properties("Schedule2Sales")["Target"]["Input"].as_str().unwrap().contains(second));
}

#[test]
fn an_event_is_passed_on_as_app_and_delivery_id_with_retries_and_a_dead_letter_queue() {
    let template = template(&tenant(
        "allowed_apps: [687ef393-f0ad-4c64-ac59-6db967126015]\nevents:\n  asked: { pattern: { source: [a.b] }, app_from: $.detail.appId, options: { partial: true } }",
    ));
    let rule = template.properties("EventAsked");
    assert_eq!(rule["EventPattern"], json!({ "source": ["a.b"] }));
    assert_eq!(
        rule["Name"],
        json!({ "Fn::Sub": "${AWS::StackName}-EventAsked" }),
        "the queue's policy goes by this name"
    );
    assert_includes(
        &rule["Targets"][0],
        &json!({
            "InputTransformer": {
                "InputPathsMap": { "detail": "$.detail", "id": "$.id" },
                "InputTemplate": r#"{"partial": true, "appIdFrom": "$.detail.appId", "detail": <detail>, "deliveryId": <id>}"#,
            },
            "DeadLetterConfig": { "Arn": { "Fn::GetAtt": ["DeadLetters", "Arn"] } },
            "RetryPolicy": { "MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 10 },
        }),
    );
}

#[test]
fn all_events_share_one_permission_because_a_functions_policy_has_room_for_about_fifty() {
    let events: String =
        (0..120).map(|n| format!("  e{n}: {{ pattern: {{ source: [a.b] }}, app: {APP} }}\n")).collect();
    let template = template(&tenant(&format!("events:\n{events}")));
    assert_eq!(template.all("AWS::Events::Rule").count(), 120);
    let permissions: Vec<&str> = template.all("AWS::Lambda::Permission").map(|(id, _)| id).collect();
    assert_eq!(permissions, ["EventsPermission"]);
    let rules = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/${AWS::StackName}-*";
    assert_includes(
        template.properties("EventsPermission"),
        &json!({ "Principal": "events.amazonaws.com", "SourceArn": { "Fn::Sub": rules } }),
    );
}

#[test]
fn names_of_events_do_not_collide() {
    let event = |name: &str| format!("  {name}: {{ pattern: {{ source: [a.b] }}, app: {APP} }}\n");
    let names = ["a", "a-permission", "permission", "s-permission", "s"];
    let template = template(&tenant(&format!("events:\n{}", names.map(event).concat())));
    assert_eq!(template.all("AWS::Events::Rule").count(), names.len());
}

#[test]
fn a_pattern_is_passed_on_as_it_was_written() {
    let pattern = |pattern: &str| {
        let template = template(&tenant(&format!("events:\n  a: {{ app: {APP}, pattern: {pattern} }}")));
        template.properties("EventA")["EventPattern"].clone()
    };
    for (written, expected) in [
        ("{ account: ['012345670123'] }", json!({ "account": ["012345670123"] })),
        (
            "{ detail: { n: [1, -2, 0.5, true, null, 123456789012] } }",
            json!({ "detail": { "n": [1, -2, 0.5, true, null, 123_456_789_012_u64] } }),
        ),
        (
            "{ detail: { n: [{ numeric: ['>', 0, '<=', 10] }] } }",
            json!({ "detail": { "n": [{ "numeric": [">", 0, "<=", 10] }] } }),
        ),
        (
            "{ source: [{ prefix: a. }, { anything-but: [b] }, { anything-but: { suffix: c } }] }",
            json!({ "source": [{ "prefix": "a." }, { "anything-but": ["b"] }, { "anything-but": { "suffix": "c" } }] }),
        ),
        (
            "{ detail: { a: [{ exists: false }, { prefix: { equals-ignore-case: x } }, { wildcard: a*b }, { cidr: 10.0.0.0/24 }] } }",
            json!({ "detail": { "a": [{ "exists": false }, { "prefix": { "equals-ignore-case": "x" } }, { "wildcard": "a*b" }, { "cidr": "10.0.0.0/24" }] } }),
        ),
        (
            "{ $or: [{ source: [a] }, { detail-type: [b] }] }",
            json!({ "$or": [{ "source": ["a"] }, { "detail-type": ["b"] }] }),
        ),
    ] {
        assert_eq!(pattern(written), expected, "{written}");
    }
}

#[test]
fn an_active_reload_is_shared_if_the_tenant_asks_for_that() {
    let template = template(&one_schedule("rate: 1 hour, options: { skip_if_active: true }"));
    let input = template.properties("ScheduleSales")["Target"]["Input"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Json>(input).unwrap()["skipIfActive"], json!(true));
}

#[test]
fn the_tenants_address_is_the_same_with_a_slash_and_without() {
    let text = one_schedule("rate: 1 hour");
    let with_slash = text.replace("qlikcloud.com", "qlikcloud.com/");
    for text in [text, with_slash] {
        let template = template(&text);
        let variables = &template.properties("Reload")["Environment"]["Variables"];
        assert_eq!(variables["QLIK_TENANT_URL"], json!("https://acme.eu.qlikcloud.com"));
    }
}

#[test]
fn only_apps_that_others_may_name_are_listed_for_the_function() {
    let variables = |text: &str| template(text).properties("Reload")["Environment"]["Variables"].clone();
    assert_eq!(variables(&one_schedule("rate: 1 hour"))["ALLOWED_APPS"], Json::Null);
    let other = "3f1b7c52-9d0e-4a7b-8f57-1f1f0c1f2a01";
    let with_requests = variables(&tenant(&format!(
        "requests: true\nallowed_apps: [{other}]\nschedules:\n  sales: {{ apps: [{APP}], rate: 1 hour }}"
    )));
    assert_eq!(with_requests["ALLOWED_APPS"], json!(format!("{other},{APP}")));
}

#[test]
fn requests_need_an_api_key_and_a_body_that_fits() {
    let template = template(&tenant(&format!("requests: true\nallowed_apps: [{APP}]")));
    for (id, method) in template.all("AWS::ApiGateway::Method") {
        assert_eq!(method["ApiKeyRequired"], json!(true), "{id}");
    }
    assert_includes(
        template.properties("RequestsPostReloads"),
        &json!({ "RequestModels": { "application/json": { "Ref": "RequestsPostReloadsBody" } } }),
    );
    let schema = &template.properties("RequestsPostReloadsBody")["Schema"];
    assert_eq!(schema["additionalProperties"], json!(false));
}

#[test]
fn settings_without_routes_keep_the_deployment() {
    let deployments = |text: &str| {
        let template = template(text);
        template.all("AWS::ApiGateway::Deployment").map(|(id, _)| id.to_owned()).collect::<Vec<_>>()
    };
    let one = deployments(&tenant(&format!("requests: true\nallowed_apps: [{APP}]")));
    assert_eq!(one.len(), 1);
    assert_eq!(
        one,
        deployments(&tenant(&format!(
            "requests: true\nallowed_apps: [{APP}]\nalarm_topic: arn:aws:sns:eu-west-1:123456789012:t"
        )))
    );
}

#[test]
fn the_function_has_only_the_rights_it_needs() {
    let template = template(&one_schedule("rate: 1 hour"));
    let role = template.properties("ReloadRole");
    let statements = role["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap();
    let actions: Vec<&str> = statements
        .iter()
        .flat_map(|statement| statement["Action"].as_array().unwrap())
        .map(|action| action.as_str().unwrap())
        .collect();
    assert_eq!(
        actions,
        [
            "secretsmanager:GetSecretValue",
            "dynamodb:PutItem",
            "dynamodb:DeleteItem",
            "sqs:SendMessage",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
            "xray:PutTraceSegments",
            "xray:PutTelemetryRecords",
        ]
    );
}

#[test]
fn the_function_has_fifteen_minutes_only_if_a_reload_is_followed_to_its_end() {
    let timeout = |text: &str| template(text).properties("Reload")["Timeout"].clone();
    assert_eq!(timeout(&one_schedule("rate: 1 hour")), json!(60));
    assert_eq!(timeout(&one_schedule("rate: 1 hour, options: { wait_for: finished }")), json!(900));
}

#[test]
fn alarms_notify_the_topic_if_there_is_one() {
    let topic = "arn:aws:sns:eu-west-1:123456789012:on-call";
    let with = template(&tenant(&format!("alarm_topic: {topic}")));
    for (id, alarm) in with.all("AWS::CloudWatch::Alarm") {
        assert_eq!(alarm["AlarmActions"], json!([topic]), "{id}");
    }
    let without = template(&tenant("requests: false"));
    assert_eq!(without.all("AWS::CloudWatch::Alarm").count(), 2);
    assert!(without.all("AWS::CloudWatch::Alarm").all(|(_, alarm)| alarm["AlarmActions"].is_null()));
}

/// Changing one of these replaces the resource, and with it what it holds.
#[test]
fn logical_ids_of_resources_with_data_do_not_change() {
    let template = template(&one_schedule("rate: 1 hour"));
    let stateful: Vec<&str> =
        template.resources.iter().filter(|(_, resource)| resource.stateful).map(|(id, _)| id.as_str()).collect();
    assert_eq!(stateful, ["QlikApiKey", "Claims", "DeadLetters", "ReloadLogs"]);
}
