//! What holds for every tenant with write_back.

use proptest::prelude::*;
use stacks::write_back::SYSTEM;
use template_tests::properties;
use template_tests::settings::{block, some_of, warehouse};

#[test]
fn valid_settings_give_no_findings_and_the_same_bytes_every_time() {
    properties::no_findings_and_the_same_bytes(&SYSTEM, settings);
}

#[test]
fn two_tenants_share_no_name_that_must_be_unique() {
    properties::no_shared_names(&SYSTEM, settings);
}

fn settings() -> impl Strategy<Value = String> {
    let access = some_of(&[
        "only_from: [203.0.113.0/24, 0.0.0.0/0]",
        "api_key: true",
        "firewall: { requests_in_five_minutes: 10 }",
        "private: { vpc: vpc-0a1b2c3d, subnets: [subnet-0a1b2c3d], callers: [10.0.0.0/8] }",
        "requests_a_second: 1",
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
    (warehouse(), access, others).prop_map(|(warehouse, access, others)| {
        let source = "source: { table: s.t, customer: c, skill: s, cost: k }\n";
        format!("{warehouse}{source}{}{others}", block("access", &access))
    })
}
