//! What the tests of tenant files and templates share.
//!
//! Each system has its own folder in `tests/`, named after its module in `stacks`. Cargo finds it by itself, so no file here
//! lists the systems.

pub mod properties;
pub mod settings;
pub mod wiring;

mod tenants;
use cfn::{App, CloudAssembly, Finding, Json, Template};
use stacks::Tenant;
pub use tenants::{example, gate_tenants};

/// The assembly of the tenant whose file has this text.
///
/// # Panics
///
/// When the file is wrong.
pub fn assembly(tenant_file: &str) -> CloudAssembly {
    let tenant = Tenant::parse(tenant_file).unwrap_or_else(|error| panic!("{error}\n{tenant_file}"));
    App::default().stacks(tenant.stacks()).checks(constructs::checks::ALL).synth()
}

/// The only template of a tenant with one system; it must have no findings.
///
/// # Panics
///
/// When the file is wrong, has several systems, or the template has findings.
pub fn template(tenant_file: &str) -> Template {
    let mut assembly = assembly(tenant_file);
    assert!(findings(&assembly).is_empty(), "{:#?}", assembly.findings);
    assert_eq!(assembly.stacks.len(), 1, "one system was expected");
    assembly.stacks.remove(0).template
}

/// All findings except the one about a template's size, which says nothing about its content.
pub fn findings(assembly: &CloudAssembly) -> Vec<&Finding> {
    assembly.findings.iter().filter(|finding| !finding.message.ends_with("can be sent without a bucket")).collect()
}

/// The file of the tenant `acme` with one system. Its settings are `lines`, indented by four spaces, from line 4 on.
pub fn tenant_file(system: &str, lines: &str) -> String {
    let lines: String = lines.lines().map(|line| format!("    {line}\n")).collect();
    format!("tenant: acme\nsystems:\n  {system}:\n{lines}")
}

/// The message for a wrong tenant file: line, column, and one sentence.
///
/// # Panics
///
/// When the file is valid.
pub fn mistake(tenant_file: &str) -> String {
    Tenant::parse(tenant_file).expect_err(tenant_file).to_string()
}

/// What a role may do, one line per statement: the actions joined by spaces, `: `, and the resource as JSON. Leaves out what
/// every function may do: write its log and its trace, and send to the dead-letter queue.
pub fn rights(template: &Template, role: &str) -> Vec<String> {
    let everyones = ["logs:", "xray:", "sqs:"];
    let statements = template.properties(role)["Policies"][0]["PolicyDocument"]["Statement"].as_array();
    let line = |statement: &Json| {
        let actions: Vec<&str> = statement["Action"].as_array()?.iter().filter_map(Json::as_str).collect();
        let common = actions.iter().all(|action| everyones.iter().any(|start| action.starts_with(start)));
        (!common).then(|| format!("{}: {}", actions.join(" "), statement["Resource"]))
    };
    statements.into_iter().flatten().filter_map(line).collect()
}

/// The logical IDs of the resources that lose data when they are replaced.
pub fn stateful(template: &Template) -> Vec<&str> {
    template.resources.iter().filter(|(_, resource)| resource.stateful).map(|(id, _)| id.as_str()).collect()
}
