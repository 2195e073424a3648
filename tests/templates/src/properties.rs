//! What holds for every valid tenant file.

use std::collections::BTreeSet;

use cfn::{BuiltFunctions, CloudAssembly, Format, Template};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use stacks::System;

use crate::settings::name;
use crate::{assembly, findings};

/// Synthesizes tenants that have one system with random settings: no template may have findings, and the same file must give
/// the same bytes every time.
///
/// # Panics
///
/// When that is not so, with the tenant file.
pub fn no_findings_and_the_same_bytes<S: Strategy<Value = String>>(system: &System, settings: impl Fn() -> S) {
    let holds = |(_, text): (String, String)| {
        let first = assembly(&text);
        prop_assert!(findings(&first).is_empty(), "{text}\n{:#?}", first.findings);
        let (second, built) = (assembly(&text), BuiltFunctions::new());
        prop_assert_eq!(first.files(&built, Format::Json), second.files(&built, Format::Json));
        Ok(())
    };
    runner().run(&tenant_file(system, settings()), holds).unwrap_or_else(|error| panic!("{error}"));
}

/// Synthesizes two tenants that have one system with random settings: they may share no name that must be unique.
///
/// # Panics
///
/// When they share one, with the name.
pub fn no_shared_names<S: Strategy<Value = String>>(system: &System, settings: impl Fn() -> S) {
    let holds = |((a, a_text), (b, b_text)): ((String, String), (String, String))| {
        prop_assume!(a != b);
        let (names, others) = (unique_names(&assembly(&a_text)), unique_names(&assembly(&b_text)));
        let shared: Vec<&String> = names.intersection(&others).collect();
        prop_assert!(shared.is_empty(), "{shared:?}\n{a_text}\n{b_text}");
        Ok(())
    };
    let two = (tenant_file(system, settings()), tenant_file(system, settings()));
    runner().run(&two, holds).unwrap_or_else(|error| panic!("{error}"));
}

fn runner() -> TestRunner {
    TestRunner::new(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })
}

/// The name of a tenant, and its file.
fn tenant_file(system: &System, settings: impl Strategy<Value = String>) -> impl Strategy<Value = (String, String)> {
    let system = system.name;
    (name(), prop_oneof![Just("x86_64"), Just("arm64")], settings).prop_map(move |(tenant, architecture, settings)| {
        let settings: String = settings.lines().map(|line| format!("    {line}\n")).collect();
        let text = format!("tenant: {tenant}\narchitecture: {architecture}\nsystems:\n  {system}:\n{settings}");
        (tenant, text)
    })
}

/// The names in an assembly that must be unique in an account.
pub fn unique_names(assembly: &CloudAssembly) -> BTreeSet<String> {
    assembly.stacks.iter().flat_map(|stack| names_of(&stack.template)).collect()
}

/// The names in a template that must be unique in an account: its own, and the physical names that it chooses.
pub fn names_of(template: &Template) -> Vec<String> {
    const NAMES: [&str; 13] = [
        "FunctionName",
        "TableName",
        "QueueName",
        "RoleName",
        "RuleName",
        "LogGroupName",
        "BucketName",
        "Name",
        "NamespaceName",
        "WorkgroupName",
        "DashboardId",
        "DataSetId",
        "DataSourceId",
    ];
    // The `Name` of these is a heading, or is unique only within its API.
    const FREE: [&str; 3] =
        ["AWS::QuickSight::Dashboard", "AWS::ApiGateway::Authorizer", "AWS::ApiGatewayV2::Authorizer"];
    let mut names = vec![format!("stack {}", template.stack)];
    for entry in template.resources.values() {
        let own = NAMES.iter().filter(|name| **name != "Name" || !FREE.contains(&entry.ty));
        let named = own.filter_map(|name| Some((name, entry.properties[*name].as_str()?)));
        names.extend(named.map(|(property, name)| format!("{property} {name} of {}", entry.ty)));
    }
    names
}
