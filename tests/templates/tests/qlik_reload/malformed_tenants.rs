//! The messages for wrong settings of Qlik reload: one sentence each, at the right place.

use stacks::qlik_reload::SYSTEM;
use template_tests::{mistake, tenant_file};

const APP: &str = "687ef393-f0ad-4c64-ac59-6db967126015";
const URL: &str = "tenant_url: https://acme.eu.qlikcloud.com";

fn qlik(lines: &str) -> String {
    mistake(&tenant_file(SYSTEM.name, lines))
}

#[test]
fn an_unknown_key() {
    assert_eq!(
        qlik("tenant_uri: https://acme.eu.qlikcloud.com"),
        "4:5: unknown key `tenant_uri`; use one of tenant_url, schedules, events, requests, allowed_apps, alarm_topic"
    );
}

#[test]
fn a_missing_key() {
    assert_eq!(qlik("requests: false"), "4:5: the key `tenant_url` is missing");
}

#[test]
fn a_key_without_a_value() {
    assert_eq!(qlik(&format!("{URL}\nrequests:")), "5:13: this key has no value; set one or remove the key");
}

#[test]
fn a_wrong_type() {
    assert_eq!(qlik(&format!("{URL}\nrequests: maybe")), "5:15: `maybe` is not allowed here; use true or false");
    assert_eq!(
        qlik(&format!(
            "{URL}\nschedules:\n  a:\n    apps: [{APP}]\n    rate: 1 hour\n    options: {{ weight: heavy }}"
        )),
        "9:28: `heavy` is not allowed here; use a whole number from 0 to 255"
    );
}

#[test]
fn a_bad_name_of_a_schedule() {
    let allowed = "is not a valid name; use at most 20 characters a-z and 0-9, in words that start with a letter and are joined by `-`";
    for name in ["Sales", "a--b", "a-", "a-1", "twenty-one-characters"] {
        let message = qlik(&format!("{URL}\nschedules:\n  {name}: {{ apps: [{APP}], rate: 1 hour }}"));
        assert_eq!(message, format!("6:7: `{name}` {allowed}"));
    }
}

#[test]
fn a_key_that_occurs_twice() {
    assert_eq!(
        qlik(&format!("{URL}\nrequests: true\nrequests: false")),
        "6:5: the key `requests` appears a second time; remove one of them"
    );
}

#[test]
fn an_app_id_that_is_not_valid() {
    let allowed =
        "is not an app ID; must be a GUID in lower case, as in the app's address: 687ef393-f0ad-4c64-ac59-6db967126015";
    for app in ["../users/me", "687EF393-f0ad-4c64-ac59-6db967126015", "687ef393-f0ad-4c64-ac59-6db9671260155"] {
        assert_eq!(qlik(&format!("{URL}\nallowed_apps:\n  - {app}")), format!("6:9: `{app}` {allowed}"));
    }
}

#[test]
fn an_address_that_is_not_a_qlik_tenant() {
    for url in [
        "http://acme.eu.qlikcloud.com",
        "http://169.254.169.254",
        "https://user@acme.eu.qlikcloud.com",
        "https://acme.eu.qlikcloud.com.evil.com",
        "https://acme.eu.qlikcloud.com:444",
        "https://acme.eu.qlikcloud.com/x",
        "https://qlikcloud.com",
    ] {
        let message = qlik(&format!("tenant_url: {url}"));
        assert!(
            message.starts_with(&format!("4:17: `{url}` is not a Qlik Cloud tenant; must be https://")),
            "{message}"
        );
    }
}

#[test]
fn a_cron_expression_that_eventbridge_would_reject() {
    assert_eq!(
        qlik(&format!("{URL}\nschedules:\n  a:\n    apps: [{APP}]\n    cron: 0 6 * * MON-FRI *")),
        "8:15: cron `0 6 * * MON-FRI *` must have `?` in exactly one of its day fields; \
         put `?` in the field that does not matter, as in `0 6 ? * MON-FRI *`"
    );
}

#[test]
fn a_schedule_with_both_cron_and_rate_or_neither() {
    let message = "a schedule has either `cron` or `rate`; give one of them";
    assert!(qlik(&format!("{URL}\nschedules:\n  a: {{ apps: [{APP}] }}")).ends_with(message));
    assert!(
        qlik(&format!("{URL}\nschedules:\n  a: {{ apps: [{APP}], rate: 1 hour, cron: 0 6 ? * * * }}"))
            .ends_with(message)
    );
}

#[test]
fn a_pattern_that_would_match_everything() {
    assert!(
        qlik(&format!("{URL}\nevents:\n  a: {{ pattern: {{}}, app: {APP} }}"))
            .ends_with("the pattern is empty; must have at least one key, such as `source: [my.application]`")
    );
}

fn pattern(pattern: &str) -> String {
    qlik(&format!("{URL}\nevents:\n  a:\n    app: {APP}\n    pattern:\n      {pattern}"))
}

#[test]
fn a_number_in_a_pattern_that_would_not_be_written_as_it_is() {
    for number in [
        "012345670123",
        "0x1F",
        "0o17",
        "1e3",
        "1.50",
        "+5",
        ".5",
        "1.",
        "007",
        "1_000",
        "12345678901234567890123",
        "1234567890123456789012",
        "0.30000000000000004441",
    ] {
        let message = pattern(&format!("account: [{number}]"));
        assert!(message.starts_with(&format!("9:21: `{number}` would be read as ")), "{number}: {message}");
        assert!(message.contains("; put it in quotes"), "{message}");
    }
    assert!(pattern("account: [.nan]").ends_with("is not a finite number"));
}

#[test]
fn a_pattern_that_eventbridge_would_reject() {
    for (written, expected) in [
        (
            "source: a.b",
            "`source` of the pattern is \"a.b\"; must be a list of values to match, as in `source: [\"a.b\"]`",
        ),
        ("source: []", "`source` of the pattern is []; must be a list of values to match, as in `source: [[]]`"),
        ("source: [[a]]", "`source` of the pattern contains a list in its list; remove the inner brackets"),
        (
            "source: [{ starts-with: a }]",
            "`source` of the pattern has the unknown matcher `starts-with`; must be prefix, suffix, anything-but, equals-ignore-case, wildcard, numeric, exists or cidr",
        ),
        (
            "source: [{ prefix: a, suffix: b }]",
            "`source` of the pattern has a matcher with 2 keys; must be one of prefix, suffix, anything-but, equals-ignore-case, wildcard, numeric, exists or cidr",
        ),
        (
            "source: [{ prefix: [a] }]",
            "`source` of the pattern has the matcher `prefix` with [\"a\"], which EventBridge does not accept there",
        ),
        (
            "source: [{ numeric: ['>'] }]",
            "`source` of the pattern has the matcher `numeric` with [\">\"], which EventBridge does not accept there",
        ),
        (
            "source: [{ exists: 'yes' }]",
            "`source` of the pattern has the matcher `exists` with \"yes\", which EventBridge does not accept there",
        ),
        (
            "source: [{ anything-but: { exists: true } }]",
            "`source` of the pattern has the matcher `anything-but` with {\"exists\":true}, which EventBridge does not accept there",
        ),
        ("detail: {}", "the pattern is empty; must have at least one key, such as `source: [my.application]`"),
    ] {
        let message = pattern(written);
        assert!(message.ends_with(expected), "{written}: {message}");
    }
    let long = format!("source: [{}]", "x".repeat(2048 - 14));
    assert!(
        pattern(&long).ends_with("the pattern has 2049 characters as JSON; must be at most 2048"),
        "{}",
        pattern(&long)
    );
}

#[test]
fn an_app_id_that_is_not_taken_from_the_detail_of_an_event() {
    for path in ["$.source", "$.detail", "detail.appId", "$.detail.", "$.detail.a[0]", "$.detail..a"] {
        let message = qlik(&format!("{URL}\nevents:\n  a: {{ pattern: {{ source: [a] }}, app_from: '{path}' }}"));
        assert!(message.contains("is not a path to a value in an event's detail"), "{message}");
    }
}

#[test]
fn requests_without_allowed_apps() {
    assert_eq!(
        qlik(&format!("{URL}\nrequests: true")),
        "4:5: 0 apps can be reloaded; must be 1 to 90 if `requests` or `app_from` let others name the app; \
         list them under `allowed_apps`"
    );
}

#[test]
fn variables_that_exceed_the_limits_of_qlik() {
    let with = |variables: &str| {
        qlik(&format!(
            "{URL}\nschedules:\n  a: {{ apps: [{APP}], rate: 1 hour, options: {{ variables: {{ {variables} }} }} }}"
        ))
    };
    let many: Vec<String> = (0..21).map(|number| format!("v{number}: x")).collect();
    assert!(with(&many.join(", ")).ends_with("there are 21 variables; must be at most 20"));
    assert!(
        with(&format!("v: {}", "x".repeat(257))).ends_with("variable `v` has 257 characters; must have at most 256")
    );
    assert!(with("v: '<b>'").contains("which EventBridge treats as a placeholder"));
}

#[test]
fn a_weight_out_of_range() {
    let weight = |weight: &str| {
        qlik(&format!("{URL}\nschedules:\n  a: {{ apps: [{APP}], rate: 1 hour, options: {{ weight: {weight} }} }}"))
    };
    assert!(weight("0").ends_with("weight is 0; must be 1 to 10"));
    assert!(weight("11").ends_with("weight is 11; must be 1 to 10"));
}

#[test]
fn an_unknown_time_zone() {
    assert!(
        qlik(&format!(
            "{URL}\nschedules:\n  a:\n    apps: [{APP}]\n    cron: 0 6 ? * * *\n    time_zone: Europe/Berln"
        ))
        .starts_with("9:20: `Europe/Berln` is not a time zone")
    );
}

#[test]
fn a_text_that_starts_with_a_special_character_of_yaml() {
    let cron = |cron: &str| qlik(&format!("{URL}\nschedules:\n  a:\n    apps: [{APP}]\n    cron: {cron}"));
    let message = "has a special meaning in YAML; quote text that starts with it";
    assert_eq!(cron("* * * * ? *"), format!("8:15: `*` {message}"));
    assert_eq!(cron("*/5 * * * ? *"), format!("8:15: `*` {message}"));
    assert_eq!(cron("*five"), format!("8:15: `*` {message}"));
    assert_eq!(cron("@daily"), format!("8:15: `@` {message}"));
}

#[test]
fn a_value_with_line_breaks_is_shown_on_one_line() {
    let message = qlik("tenant_url: \"https://a\\nb\\e[2J\"");
    assert!(message.starts_with(r"4:17: `https://a\nb\u{1b}[2J` is not a Qlik Cloud tenant"), "{message}");
}
