//! Random settings that several systems have.

use proptest::prelude::*;

/// The name of a tenant, or of an entry in a tenant file.
pub fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9]{0,5}(-[a-z][0-9]{0,3}){0,2}"
}

/// When a schedule runs: `rate`, or `cron` with or without a time zone.
pub fn when() -> impl Strategy<Value = String> {
    prop_oneof![
        (2..60u32).prop_map(|minutes| format!("rate: {minutes} minutes")),
        Just("rate: 1 day".to_owned()),
        (0..60u32, 0..24u32)
            .prop_map(|(minute, hour)| format!("cron: {minute} {hour} ? * MON-FRI *, time_zone: Europe/Berlin")),
        (1..29u32).prop_map(|day| format!("cron: 0 6 {day} * ? *")),
    ]
}

/// A cluster or a workgroup that exists, or a warehouse that the stack creates.
pub fn warehouse() -> impl Strategy<Value = String> {
    let create = "create: { database: d, subnets: [subnet-0a1b2c3d, subnet-1a1b2c3d, subnet-2a1b2c3d], security_groups: [sg-0a1b2c3d] }";
    prop_oneof![
        Just("cluster: { name: c, database: d, user: u }"),
        Just("workgroup: { name: w, id: 0f9e8d7c-6b5a-4c3d-8e2f-1a0b9c8d7e6f, database: d }"),
        Just(create),
    ]
    .prop_map(|settings| format!("warehouse: {{ {settings} }}\n"))
}

/// Any of these lines, each with a line break.
pub fn some_of(lines: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(any::<bool>(), lines.len()).prop_map(|chosen| {
        lines.iter().zip(chosen).filter(|(_, is_chosen)| *is_chosen).map(|(line, _)| format!("{line}\n")).collect()
    })
}

/// The lines as the value of a key, or nothing if there are no lines.
pub fn block(key: &str, lines: &str) -> String {
    let lines: String = lines.lines().map(|line| format!("  {line}\n")).collect();
    if lines.is_empty() { lines } else { format!("{key}:\n{lines}") }
}
