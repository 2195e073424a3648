//! The function's environment.

use loopback::environment;
use report_sender::Settings;

fn read(changed: &[(&str, &str)]) -> Result<Settings, String> {
    let given = [("TENANT", "acme"), ("JOBS_TABLE", "jobs"), ("REPORT_BUCKET", "reports")];
    Settings::read(&environment("", given.iter().chain(changed))).map_err(|invalid| invalid.to_string())
}

#[test]
fn the_variables_that_a_stack_sets_are_accepted() {
    assert_eq!(read(&[]).err(), None);
    for (name, value) in [
        ("MAIL_ATTACH_BYTES", "0"),
        ("MAIL_ATTACH_BYTES", "25000000"),
        ("MAIL_LINK_BASE", "https://x.example.com/dev/qs-anonymous-snapshot"),
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
        ("MAIL_ATTACH_BYTES", "25000001"),
        ("MAIL_ATTACH_BYTES", "much"),
        ("MAIL_LINK_BASE", "http://x.example.com"),
    ] {
        let message = read(&[(name, value)]).err().unwrap_or_default();
        assert!(message.contains(name), "{name}={value}: {message}");
    }
}
