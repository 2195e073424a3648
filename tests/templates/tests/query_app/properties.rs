//! What holds for every tenant with query_app.

use proptest::prelude::*;
use stacks::query_app::SYSTEM;
use template_tests::properties;
use template_tests::settings::{some_of, warehouse};

#[test]
fn valid_settings_give_no_findings_and_the_same_bytes_every_time() {
    properties::no_findings_and_the_same_bytes(&SYSTEM, settings);
}

#[test]
fn two_tenants_share_no_name_that_must_be_unique() {
    properties::no_shared_names(&SYSTEM, settings);
}

fn settings() -> impl Strategy<Value = String> {
    let origin =
        some_of(&["domain: { name: a.b.example, certificate: 'arn:aws:acm:us-east-1:123456789012:certificate/c' }"])
            .prop_map(
                |settings| if settings.is_empty() { "origin: http://127.0.0.1:65535\n".to_owned() } else { settings },
            );
    let others = some_of(&[
        "schema: s",
        "script: { bucket: b-b, key: a/b.sql }",
        "queries: { bucket: b-b, prefix: a/ }",
        "sign_up: [a.example, b.example]",
        "mfa: required",
        "limits: { rows: 1, per_minute: 600 }",
        "web_acl: 'arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/b'",
    ]);
    (warehouse(), origin, others).prop_map(|(warehouse, origin, others)| format!("{warehouse}{origin}{others}"))
}
