//! Tenant files in general: the messages for wrong ones, and what holds for any set of systems.

use std::collections::BTreeSet;

use stacks::{SYSTEMS, System, Tenant};
use template_tests::{assembly, example, findings, gate_tenants, mistake, properties};

/// Every subset of the systems, with the settings of each system's gate tenants.
#[test]
fn systems_can_be_combined_freely() {
    for option_set in 0..2 {
        for chosen in 0..1 << SYSTEMS.len() {
            let systems: Vec<&System> = SYSTEMS
                .iter()
                .enumerate()
                .filter(|(index, _)| chosen >> index & 1 == 1)
                .map(|(_, system)| system)
                .collect();
            let settings: String = systems.iter().map(|system| settings(system, option_set)).collect();
            let settings = if settings.is_empty() { " {}\n".to_owned() } else { format!("\n{settings}") };
            let mut names = BTreeSet::new();
            // Neither the systems of one tenant nor those of two may clash.
            for tenant in ["acme", "acme-2"] {
                let file = format!("tenant: {tenant}\nsystems:{settings}");
                let assembly = assembly(&file);
                assert!(findings(&assembly).is_empty(), "{file}\n{:#?}", assembly.findings);
                assert_eq!(assembly.stacks.len(), systems.len(), "{file}");
                for name in assembly.stacks.iter().flat_map(|stack| properties::names_of(&stack.template)) {
                    assert!(names.insert(name.clone()), "not unique: {name}\n{file}");
                }
            }
        }
    }
}

/// The block of a system in the file of one of its gate tenants.
fn settings(system: &System, option_set: usize) -> String {
    let files = gate_tenants(system);
    let file = &files[option_set % files.len()];
    let (_, settings) =
        file.split_once("\nsystems:\n").unwrap_or_else(|| panic!("a gate tenant without systems:\n{file}"));
    assert!(
        settings.starts_with(&format!("  {}:", system.name)),
        "a gate tenant of {} starts with another system",
        system.name
    );
    settings.to_owned()
}

#[test]
fn a_gate_tenant_has_only_its_own_system() {
    for system in SYSTEMS {
        for file in gate_tenants(system) {
            let stacks: Vec<String> = assembly(&file).stacks.into_iter().map(|stack| stack.template.stack).collect();
            let expected = format!("-{}", system.name);
            assert!(stacks.len() == 1 && stacks[0].ends_with(&expected), "{}: {stacks:?}\n{file}", system.name);
        }
    }
}

#[test]
fn a_request_that_a_function_could_not_answer_sets_off_an_alarm() {
    for file in SYSTEMS.iter().flat_map(gate_tenants) {
        for stack in assembly(&file).stacks {
            for (id, api) in stack.template.all("AWS::ApiGateway::RestApi") {
                let expected = serde_json::json!([{ "Name": "ApiName", "Value": api["Name"] }]);
                let mut alarms = stack.template.all("AWS::CloudWatch::Alarm");
                let is_told =
                    alarms.any(|(_, alarm)| alarm["MetricName"] == "5XXError" && alarm["Dimensions"] == expected);
                assert!(is_told, "{id} of {}", stack.template.stack);
            }
        }
    }
}

#[test]
fn the_example_has_every_system() {
    let stacks: Vec<String> = assembly(&example()).stacks.into_iter().map(|stack| stack.template.stack).collect();
    let expected: Vec<String> = SYSTEMS.iter().map(|system| format!("example-{}", system.name)).collect();
    assert_eq!(stacks, expected);
}

#[test]
fn an_unknown_key() {
    let systems: Vec<&str> = SYSTEMS.iter().map(|system| system.name).collect();
    assert_eq!(
        mistake("tenant: acme\nsystems:\n  other: {}\n"),
        format!("3:3: unknown key `other`; use one of {}", systems.join(", "))
    );
}

#[test]
fn a_missing_key() {
    assert_eq!(mistake("systems: {}\n"), "1:1: the key `tenant` is missing");
}

#[test]
fn a_wrong_type() {
    assert_eq!(mistake("tenant: [acme]\nsystems: {}\n"), "1:9: `[` is not allowed here; use text");
    assert_eq!(
        mistake("tenant: acme\narchitecture: [arm64]\nsystems: {}\n"),
        "2:15: `[` is not allowed here; use text"
    );
}

#[test]
fn a_bad_tenant_name() {
    let allowed = "is not a valid tenant name; use at most 20 characters a-z, 0-9 and `-`, starting with a letter";
    for name in ["a_b", "A B", "9lives", "twenty-one-characters"] {
        assert_eq!(mistake(&format!("tenant: {name}\nsystems: {{}}\n")), format!("1:9: `{name}` {allowed}"));
    }
}

#[test]
fn a_file_that_is_not_a_tenant() {
    assert_eq!(mistake(""), "1:1: the file is empty or ends too early");
    assert_eq!(mistake("- acme\n"), "1:1: `-` is not allowed here; use a mapping, `key: value`");
    assert!(
        mistake("tenant: acme\nsystems: {}\n---\ntenant: other\n").starts_with("4:1: a second document begins here")
    );
}

#[test]
fn a_key_without_a_value() {
    let nothing = "this key has no value; set one or remove the key";
    assert_eq!(mistake("tenant: acme\nsystems:\n"), format!("2:8: {nothing}"));
    assert_eq!(mistake("tenant:\nsystems: {}\n"), format!("1:7: {nothing}"));
    assert_eq!(mistake("tenant: acme\narchitecture:\nsystems: {}\n"), format!("2:13: {nothing}"));
    assert_eq!(mistake("tenant: null\nsystems: {}\n"), "1:9: `null` is not allowed here; use text");
    for system in SYSTEMS {
        let column = "  :".len() + system.name.len();
        let file = format!("tenant: acme\nsystems:\n  {}:\n", system.name);
        assert_eq!(mistake(&file), format!("3:{column}: {nothing}"));
    }
}

#[test]
fn every_key_of_the_example_needs_a_value() {
    let example = template_tests::example();
    let lines: Vec<&str> = example.lines().collect();
    let depth = |line: &str| line.len() - line.trim_start().len();
    for (number, line) in lines.iter().enumerate() {
        let Some((key, _)) = line.split_once(": ").or(line.strip_suffix(':').map(|key| (key, ""))) else { continue };
        if key.trim_start().starts_with(['#', '-']) {
            continue;
        }
        // The line without its value, and without the lines that are deeper.
        let after = lines[number + 1..].iter().skip_while(|next| next.trim().is_empty() || depth(next) > depth(line));
        let left: Vec<&str> = lines[..number].iter().chain(after).copied().collect();
        let mut text = left[..number].join("\n");
        text.push_str(&format!("\n{key}:\n{}\n", left[number..].join("\n")));
        assert!(Tenant::parse(&text).is_err(), "`{key}:` is accepted without a value");
    }
}

/// The texts of a file, whatever they are for: the deployment would put a secret into the tenant's own stack.
#[test]
fn a_dynamic_reference_is_refused_in_every_text() {
    const REFERENCE: &str = "{{resolve:secretsmanager:other-tenant:SecretString:key}}";
    let example = example();
    let mut refused = 0;
    for (number, line) in example.lines().enumerate() {
        let Some((key, value)) = line.split_once(": ") else { continue };
        // A single text, at the end of its line.
        if key.contains(['#', '{']) || value.contains(['[', '{', '#', '"']) || value.parse::<f64>().is_ok() {
            continue;
        }
        for reference in [REFERENCE, "{{ Resolve:ssm:/x}}"] {
            let replaced = format!("{key}: \"x{reference}\"");
            let text: Vec<&str> =
                example.lines().enumerate().map(|(n, other)| if n == number { &replaced } else { other }).collect();
            let message = mistake(&text.join("\n"));
            assert!(message.starts_with(&format!("{}:{}: ", number + 1, key.len() + 3)), "{replaced}: {message}");
            refused += 1;
        }
    }
    assert!(refused > 40, "{refused}");
}

/// Every ARN of the example and of the gate tenants, with something wrong in it.
#[test]
fn an_arn_with_a_wrong_partition_region_or_account_is_refused() {
    let files = SYSTEMS.iter().flat_map(gate_tenants).chain([example()]);
    let mut refused = 0;
    for file in files {
        for (start, _) in file.match_indices("arn:aws:") {
            let commented = file[..start].rsplit('\n').next().is_some_and(|line| line.trim_start().starts_with('#'));
            if commented {
                continue;
            }
            let (before, arn) = file.split_at(start);
            for (from, to) in [("arn:aws:", "arn:awsx:"), (":eu-", ":xx-"), (":123456789012:", ":12345678901:")] {
                // Only in this ARN, which ends with its line or its list.
                let end = arn.find(['\n', ',', ']', ' ', '"', '\'']).unwrap_or(arn.len());
                let (arn, after) = arn.split_at(end);
                if arn.contains(from) {
                    let wrong = format!("{before}{}{after}", arn.replacen(from, to, 1));
                    assert!(mistake(&wrong).contains(to), "{wrong}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 30, "{refused}");
}
