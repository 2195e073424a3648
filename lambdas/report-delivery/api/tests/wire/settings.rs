//! The function's environment.

use loopback::environment;
use report_api::Settings;

fn read(changed: &[(&str, &str)]) -> Result<Settings, String> {
    let given = [
        ("TENANT", "acme"),
        ("JOBS_TABLE", "jobs"),
        ("REPORT_BUCKET", "reports"),
        ("ACCOUNT_ID", "111122223333"),
        ("PAGE_KEY_SECRET", "arn"),
        ("ROW_LEVEL_TAGS", "[]"),
        ("DASHBOARDS", "all"),
    ];
    Settings::read(&environment("", given.iter().chain(changed))).map_err(|invalid| invalid.to_string())
}

#[test]
fn the_variables_that_a_stack_sets_are_accepted() {
    assert_eq!(read(&[]).err(), None);
    for (name, value) in [
        ("URL_SECONDS", "1"),
        ("DASHBOARDS", r#"["d1"]"#),
        ("RECIPIENT_DOMAINS", r#"["example.com"]"#),
        ("ROW_LEVEL_TAGS", r#"[{"key":"a","value":"b"},{"key":"c","claim":"d"}]"#),
    ] {
        assert_eq!(read(&[(name, value)]).err(), None, "{name}={value}");
    }
}

#[test]
fn a_wrong_or_missing_variable_is_reported_by_its_name() {
    for (name, value) in [
        ("TENANT", ""),
        ("JOBS_TABLE", ""),
        ("REPORT_BUCKET", ""),
        ("ACCOUNT_ID", ""),
        ("PAGE_KEY_SECRET", ""),
        ("ROW_LEVEL_TAGS", ""),
        ("URL_SECONDS", "0"),
        ("URL_SECONDS", "301"),
        ("DASHBOARDS", ""),
        ("DASHBOARDS", "d1"),
        ("DASHBOARDS", r#"["d/1"]"#),
        ("RECIPIENT_DOMAINS", r#"["Example.com"]"#),
        ("ROW_LEVEL_TAGS", r#"{"key":"a","value":"b"}"#),
        ("ROW_LEVEL_TAGS", r#"[{"key":"a"}]"#),
        ("ROW_LEVEL_TAGS", r#"[{"key":"a","value":"b","claim":"c"}]"#),
        ("ROW_LEVEL_TAGS", r#"[{"key":"","value":"b"}]"#),
        ("ROW_LEVEL_TAGS", r#"[{"key":"a","claim":""}]"#),
    ] {
        let message = read(&[(name, value)]).err().unwrap_or_default();
        assert!(message.contains(name), "{name}={value}: {message}");
    }
}
