//! What holds for every tenant with slack_connector.

use proptest::prelude::*;
use stacks::slack_connector::SYSTEM;
use template_tests::properties;
use template_tests::settings::some_of;

#[test]
fn valid_settings_give_no_findings_and_the_same_bytes_every_time() {
    properties::no_findings_and_the_same_bytes(&SYSTEM, settings);
}

#[test]
fn two_tenants_share_no_name_that_must_be_unique() {
    properties::no_shared_names(&SYSTEM, settings);
}

fn settings() -> impl Strategy<Value = String> {
    some_of(&[
        "booleans: text",
        "members: 5000000",
        "keep_days: 3650",
        "kms_key: arn:aws:kms:eu-west-1:123456789012:key/0f9e8d7c-6b5a-4c3d-8e2f-1a0b9c8d7e6f",
        "dashboard: { employees: { catalog: hr, table: a.b, email: c, department: d }, days: 390, owners: ['arn:aws:quicksight:eu-west-1:123456789012:user/default/a'] }",
        "alarm_topic: arn:aws:sns:eu-west-1:123456789012:on-call",
    ])
    .prop_map(|options| format!("client_id: '1.2'\nenterprise_id: E1\nadmins: [a@b.example]\n{options}"))
}
