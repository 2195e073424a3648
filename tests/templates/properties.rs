//! What holds for every valid tenant file.

use cfn::{BuiltFunctions, CloudAssembly, Format};
use proptest::prelude::*;
use std::collections::BTreeSet;
use template_tests::assembly;

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

prop_compose! {
    fn tenant_file()(
        tenant in name(),
        architecture in prop_oneof![Just("x86_64"), Just("arm64")],
        schedules in prop::collection::btree_map(name(), schedule(), 0..6),
        events in prop::collection::btree_map(name(), event(), 0..4),
        requests in any::<bool>(),
        allowed in app_id(),
    ) -> (String, String) {
        let block = |key: &str, entries: &std::collections::BTreeMap<String, String>| {
            let lines: String = entries.iter().map(|(name, it)| format!("      {name}: {it}\n")).collect();
            if lines.is_empty() { String::new() } else { format!("    {key}:\n{lines}") }
        };
        let schedules = block("schedules", &schedules);
        let events = block("events", &events);
        let text = format!(
            "tenant: {tenant}\narchitecture: {architecture}\nsystems:\n  qlik-reload:\n    tenant_url: https://t.eu.qlikcloud.com\n\
             \x20   requests: {requests}\n    allowed_apps: [{allowed}]\n{schedules}{events}"
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
            ];
            let named = own.iter().filter_map(|it| entry.properties[*it].as_str());
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
        prop_assert!(first.findings.is_empty(), "{text}\n{:#?}", first.findings);
        let files = |it: &CloudAssembly| it.files(&BuiltFunctions::new(), Format::Json);
        prop_assert_eq!(files(&first), files(&assembly(&text)));
    }

    #[test]
    fn two_tenants_share_no_name_that_must_be_unique((a, a_text) in tenant_file(), (b, b_text) in tenant_file()) {
        prop_assume!(a != b);
        let shared: Vec<String> =
            unique_names(&assembly(&a_text)).intersection(&unique_names(&assembly(&b_text))).cloned().collect();
        prop_assert!(shared.is_empty(), "{shared:?}");
    }
}
