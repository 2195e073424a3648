//! What holds for every tenant with qlik_reload.

use std::collections::BTreeMap;

use proptest::prelude::*;
use stacks::qlik_reload::SYSTEM;
use template_tests::properties;
use template_tests::settings::{block, name, when};

#[test]
fn valid_settings_give_no_findings_and_the_same_bytes_every_time() {
    properties::no_findings_and_the_same_bytes(&SYSTEM, settings);
}

#[test]
fn two_tenants_share_no_name_that_must_be_unique() {
    properties::no_shared_names(&SYSTEM, settings);
}

fn settings() -> impl Strategy<Value = String> {
    let schedules = prop::collection::btree_map(name(), schedule(), 0..6);
    let events = prop::collection::btree_map(name(), event(), 0..4);
    (schedules, events, any::<bool>(), app_id()).prop_map(|(schedules, events, requests, allowed)| {
        let entries = |entries: BTreeMap<String, String>| -> String {
            entries.iter().map(|(name, settings)| format!("{name}: {settings}\n")).collect()
        };
        format!(
            "tenant_url: https://t.eu.qlikcloud.com\nrequests: {requests}\nallowed_apps: [{allowed}]\n{}{}",
            block("schedules", &entries(schedules)),
            block("events", &entries(events)),
        )
    })
}

fn schedule() -> impl Strategy<Value = String> {
    (prop::collection::btree_set(app_id(), 1..3), when(), options()).prop_map(|(apps, when, options)| {
        let apps: Vec<String> = apps.into_iter().collect();
        format!("{{ apps: [{}], {when}{options} }}", apps.join(", "))
    })
}

fn event() -> impl Strategy<Value = String> {
    let app = prop_oneof![app_id().prop_map(|id| format!("app: {id}")), Just("app_from: $.detail.app-id".to_owned())];
    (app, options()).prop_map(|(app, options)| format!("{{ pattern: {{ source: [a.b] }}, {app}{options} }}"))
}

fn options() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just(", options: { partial: true, wait_for: finished }".to_owned()),
        (1..11u32)
            .prop_map(|weight| format!(", options: {{ weight: {weight}, variables: {{ v: 'it''s \"{weight}\"' }} }}")),
    ]
}

prop_compose! {
    fn app_id()(bits in any::<u128>()) -> String {
        let hex = format!("{bits:032x}");
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    }
}
