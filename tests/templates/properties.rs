//! What holds for every valid tenant file.

use cfn::{BuiltFunctions, CloudAssembly, Format};
use proptest::prelude::*;
use std::collections::BTreeSet;
use template_tests::{assembly, findings};

prop_compose! {
    fn app_id()(bits in any::<u128>()) -> String {
        let hex = format!("{bits:032x}");
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    }
}

fn when() -> impl Strategy<Value = String> {
    prop_oneof![
        (2..60u32).prop_map(|it| format!("rate: {it} minutes")),
        Just("rate: 1 day".to_owned()),
        (0..60u32, 0..24u32)
            .prop_map(|(minute, hour)| format!("cron: {minute} {hour} ? * MON-FRI *, time_zone: Europe/Berlin")),
        (1..29u32).prop_map(|day| format!("cron: 0 6 {day} * ? *")),
    ]
}

fn options() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just(", options: { partial: true, wait_for: finished }".to_owned()),
        (1..11u32).prop_map(|it| format!(", options: {{ weight: {it}, variables: {{ v: 'it''s \"{it}\"' }} }}")),
    ]
}

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9]{0,5}(-[a-z][0-9]{0,3}){0,2}"
}

fn schedule() -> impl Strategy<Value = String> {
    (prop::collection::btree_set(app_id(), 1..3), when(), options()).prop_map(|(apps, when, options)| {
        let apps: Vec<String> = apps.into_iter().collect();
        format!("{{ apps: [{}], {when}{options} }}", apps.join(", "))
    })
}

fn event() -> impl Strategy<Value = String> {
    let app = prop_oneof![app_id().prop_map(|it| format!("app: {it}")), Just("app_from: $.detail.app-id".to_owned())];
    (app, options()).prop_map(|(app, options)| format!("{{ pattern: {{ source: [a.b] }}, {app}{options} }}"))
}

/// Each line or not: what is optional in a file.
fn some_of(lines: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(any::<bool>(), lines.len()).prop_map(|chosen| {
        lines.iter().zip(chosen).filter(|it| it.1).map(|(line, _)| format!("    {line}\n")).collect()
    })
}

fn report_delivery() -> impl Strategy<Value = String> {
    let pool = "user_pool: arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_AbCdEf";
    let tags = prop_oneof![
        "[A-Za-z0-9'{}$]{1,9}".prop_map(|it| format!("{{ key: tenant, value: '{}' }}", it.replace('\'', "''"))),
        Just(format!("{{ key: tenant, claim: 'custom:tenant' }}]\n    {pool}\n    dashboards: [any")),
    ];
    let deliveries = some_of(&[
        "  email: { from: reports@a.example, attach_bytes: 1 }",
        "  partner_bucket: { name: partner-inbox, prefix: a/b/ }",
        "  sftp: { connector: c-0123456789abcdef0, folder: / }",
    ]);
    let others = some_of(&["slots: 12", "url_seconds: 1", "retention_days: 3650", "throttle: { requests_a_day: 1 }"]);
    let scheduled = prop::collection::btree_map(name(), when(), 0..3);
    (tags, deliveries, others, scheduled).prop_map(|(tags, deliveries, others, scheduled)| {
        let recipients = if deliveries.contains("email") { ", recipients: [a@b.example]" } else { "" };
        let may_be_scheduled = !deliveries.is_empty() && !tags.contains("claim");
        let schedules: String = scheduled
            .iter()
            .filter(|_| may_be_scheduled)
            .map(|(name, when)| {
                format!("      {name}: {{ dashboard: d, sheet: s, format: PDF, {when}{recipients} }}\n")
            })
            .collect();
        let schedules = if schedules.is_empty() { schedules } else { format!("    schedules:\n{schedules}") };
        let deliveries = if deliveries.is_empty() { deliveries } else { format!("    deliveries:\n{deliveries}") };
        format!("  report-delivery:\n    row_level_tags: [{tags}]\n{deliveries}{others}{schedules}")
    })
}

fn slack_connector() -> impl Strategy<Value = String> {
    some_of(&[
        "booleans: text",
        "members: 5000000",
        "kms_key: arn:aws:kms:eu-west-1:123456789012:key/0f9e8d7c-6b5a-4c3d-8e2f-1a0b9c8d7e6f",
        "dashboard: { employees: { catalog: hr, table: a.b, email: c, department: d }, days: 390, owners: ['arn:aws:quicksight:eu-west-1:123456789012:user/default/a'] }",
        "alarm_topic: arn:aws:sns:eu-west-1:123456789012:on-call",
    ])
    .prop_map(|options| {
        format!("  slack-connector:\n    client_id: '1.2'\n    enterprise_id: E1\n    admins: [a@b.example]\n{options}")
    })
}

fn query_app() -> impl Strategy<Value = String> {
    let warehouse = prop_oneof![
        Just("cluster: { name: c, database: d, user: u }"),
        Just("workgroup: { name: w, id: 0f9e8d7c-6b5a-4c3d-8e2f-1a0b9c8d7e6f, database: d }"),
        Just(
            "create: { database: d, subnets: [subnet-0a1b2c3d, subnet-1a1b2c3d, subnet-2a1b2c3d], security_groups: [sg-0a1b2c3d] }"
        ),
    ];
    let origin =
        some_of(&["domain: { name: a.b.example, certificate: 'arn:aws:acm:us-east-1:123456789012:certificate/c' }"])
            .prop_map(|it| if it.is_empty() { "    origin: http://127.0.0.1:65535\n".to_owned() } else { it });
    let others = some_of(&[
        "schema: s",
        "script: { bucket: b-b, key: a/b.sql }",
        "queries: { bucket: b-b, prefix: a/ }",
        "sign_up: [a.example, b.example]",
        "mfa: required",
        "limits: { rows: 1, per_minute: 600 }",
        "web_acl: 'arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/b'",
    ]);
    (warehouse, origin, others).prop_map(|(warehouse, origin, others)| {
        format!("  query-app:\n    warehouse: {{ {warehouse} }}\n{origin}{others}")
    })
}

fn write_back() -> impl Strategy<Value = String> {
    let warehouse = prop_oneof![
        Just("cluster: { name: c, database: d, user: u }"),
        Just("workgroup: { name: w, id: 0f9e8d7c-6b5a-4c3d-8e2f-1a0b9c8d7e6f, database: d }"),
        Just(
            "create: { database: d, subnets: [subnet-0a1b2c3d, subnet-1a1b2c3d, subnet-2a1b2c3d], security_groups: [sg-0a1b2c3d] }"
        ),
    ];
    let access = some_of(&[
        "  only_from: [203.0.113.0/24, 0.0.0.0/0]",
        "  api_key: true",
        "  firewall: { requests_in_five_minutes: 10 }",
        "  private: { vpc: vpc-0a1b2c3d, subnets: [subnet-0a1b2c3d], callers: [10.0.0.0/8] }",
        "  requests_a_second: 1",
    ]);
    let others = some_of(&[
        "write_on_click: true",
        "locale: de",
        "rotation_days: 0",
        "currency: EUR",
        "inputs: [{ name: a, label: A, type: date, minimum: 2030-01-01 }, { name: b, label: B, type: text, required: true }]",
        "dashboard: { secret: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:s', vpc_connection: 'arn:aws:quicksight:eu-west-1:123456789012:vpcConnection/v', owners: ['arn:aws:quicksight:eu-west-1:123456789012:user/default/a'] }",
        "readers: { groups: [g], roles: ['sys:operator'] }",
    ]);
    (warehouse, access, others).prop_map(|(warehouse, access, others)| {
        let access = if access.is_empty() { access } else { format!("    access:\n{access}") };
        format!(
            "  write-back:\n    warehouse: {{ {warehouse} }}\n    source: {{ table: s.t, customer: c, skill: s, cost: k }}\n{access}{others}"
        )
    })
}

prop_compose! {
    fn tenant_file()(
        tenant in name(),
        architecture in prop_oneof![Just("x86_64"), Just("arm64")],
        schedules in prop::collection::btree_map(name(), schedule(), 0..6),
        events in prop::collection::btree_map(name(), event(), 0..4),
        requests in any::<bool>(),
        allowed in app_id(),
        query_app in prop::option::of(query_app()),
        report_delivery in prop::option::of(report_delivery()),
        slack_connector in prop::option::of(slack_connector()),
        write_back in prop::option::of(write_back()),
    ) -> (String, String) {
        let block = |key: &str, entries: &std::collections::BTreeMap<String, String>| {
            let lines: String = entries.iter().map(|(name, it)| format!("      {name}: {it}\n")).collect();
            if lines.is_empty() { String::new() } else { format!("    {key}:\n{lines}") }
        };
        let schedules = block("schedules", &schedules);
        let events = block("events", &events);
        let text = format!(
            "tenant: {tenant}\narchitecture: {architecture}\nsystems:\n  qlik-reload:\n    tenant_url: https://t.eu.qlikcloud.com\n\
             \x20   requests: {requests}\n    allowed_apps: [{allowed}]\n{schedules}{events}{}{}{}{}",
            query_app.unwrap_or_default(),
            report_delivery.unwrap_or_default(),
            slack_connector.unwrap_or_default(),
            write_back.unwrap_or_default(),
        );
        (tenant, text)
    }
}

/// Names that must be unique in an account: of stacks, and physical names that a template chooses.
fn unique_names(assembly: &CloudAssembly) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for stack in &assembly.stacks {
        names.insert(format!("stack {}", stack.template.stack));
        for entry in stack.template.resources.values() {
            let own = [
                "FunctionName",
                "TableName",
                "QueueName",
                "RoleName",
                "RuleName",
                "LogGroupName",
                "BucketName",
                "Name",
                "NamespaceName",
                "WorkgroupName",
                "DashboardId",
                "DataSetId",
                "DataSourceId",
            ];
            // What people read above a dashboard need not be unique; its id has to.
            let read = ["AWS::QuickSight::Dashboard", "AWS::ApiGateway::Authorizer", "AWS::ApiGatewayV2::Authorizer"];
            let own = own.iter().filter(|it| **it != "Name" || !read.contains(&entry.ty));
            let named = own.filter_map(|it| entry.properties[*it].as_str());
            names.extend(named.map(|it| format!("{} {it}", entry.ty)));
        }
    }
    names
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_valid_tenant_file_gives_no_finding_and_the_same_bytes_every_time((_, text) in tenant_file()) {
        let first = assembly(&text);
        prop_assert!(findings(&first).is_empty(), "{text}\n{:#?}", first.findings);
        let (second, built) = (assembly(&text), BuiltFunctions::new());
        prop_assert_eq!(first.files(&built, Format::Json), second.files(&built, Format::Json));
    }

    #[test]
    fn two_tenants_share_no_name_that_must_be_unique((a, a_text) in tenant_file(), (b, b_text) in tenant_file()) {
        prop_assume!(a != b);
        let shared: Vec<String> =
            unique_names(&assembly(&a_text)).intersection(&unique_names(&assembly(&b_text))).cloned().collect();
        prop_assert!(shared.is_empty(), "{shared:?}");
    }
}
