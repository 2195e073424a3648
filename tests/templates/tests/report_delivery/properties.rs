//! What holds for every tenant with report_delivery.

use proptest::prelude::*;
use stacks::report_delivery::SYSTEM;
use template_tests::properties;
use template_tests::settings::{block, name, some_of, when};

#[test]
fn valid_settings_give_no_findings_and_the_same_bytes_every_time() {
    properties::no_findings_and_the_same_bytes(&SYSTEM, settings);
}

#[test]
fn two_tenants_share_no_name_that_must_be_unique() {
    properties::no_shared_names(&SYSTEM, settings);
}

fn settings() -> impl Strategy<Value = String> {
    let deliveries = some_of(&[
        "email: { from: reports@a.example, attach_bytes: 1 }",
        "partner_bucket: { name: partner-inbox, account: \"210987654321\", prefix: a/b/ }",
        "sftp: { connector: c-0123456789abcdef0, folder: / }",
    ]);
    let others = some_of(&["slots: 12", "url_seconds: 1", "retention_days: 3650", "throttle: { requests_a_day: 1 }"]);
    let scheduled = prop::collection::btree_map(name(), when(), 0..3);
    (tags(), deliveries, others, scheduled).prop_map(|(tags, deliveries, others, scheduled)| {
        let recipients = if deliveries.contains("email") { ", recipients: [a@b.example]" } else { "" };
        let may_be_scheduled = !deliveries.is_empty() && !tags.contains("claim");
        let schedules: String = scheduled
            .iter()
            .filter(|_| may_be_scheduled)
            .map(|(name, when)| format!("{name}: {{ dashboard: d, sheet: s, format: PDF, {when}{recipients} }}\n"))
            .collect();
        let (deliveries, schedules) = (block("deliveries", &deliveries), block("schedules", &schedules));
        format!("{tags}{deliveries}{others}{schedules}")
    })
}

fn tags() -> impl Strategy<Value = String> {
    let claim = "row_level_tags: [{ key: tenant, claim: 'custom:tenant' }]\n\
                 user_pool: arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_AbCdEf\n\
                 dashboards: [d]\n";
    prop_oneof![
        "[A-Za-z0-9'{}$]{1,9}".prop_map(|value| {
            format!("dashboards: all\nrow_level_tags: [{{ key: tenant, value: '{}' }}]\n", value.replace('\'', "''"))
        }),
        Just(claim.to_owned()),
    ]
}
