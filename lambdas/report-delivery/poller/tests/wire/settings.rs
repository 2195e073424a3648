//! The function's environment.

use loopback::environment;
use report_poller::Settings;

fn read(changed: &[(&str, &str)]) -> Result<Settings, String> {
    let given = [
        ("TENANT", "acme"),
        ("JOBS_TABLE", "jobs"),
        ("REPORT_BUCKET", "reports"),
        ("ACCOUNT_ID", "111122223333"),
        ("SLOT_TABLE", "slots"),
    ];
    Settings::read(&environment("", given.iter().chain(changed))).map_err(|invalid| invalid.to_string())
}

#[test]
fn the_variables_that_a_stack_sets_are_accepted() {
    assert_eq!(read(&[]).err(), None);
    for (name, value) in [("SLOTS", "1"), ("SLOTS", "100"), ("RETENTION_DAYS", "1"), ("RETENTION_DAYS", "3650")] {
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
        ("SLOT_TABLE", ""),
        ("SLOTS", "0"),
        ("SLOTS", "101"),
        ("SLOTS", "-1"),
        ("SLOTS", "many"),
        ("RETENTION_DAYS", "0"),
        ("RETENTION_DAYS", "3651"),
    ] {
        let message = read(&[(name, value)]).err().unwrap_or_default();
        assert!(message.contains(name), "{name}={value}: {message}");
    }
}
