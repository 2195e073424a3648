//! From the text of a tenant file to its templates, as the tests want it.

use cfn::{App, CloudAssembly, Template};
use stacks::Tenant;

/// The assembly of the tenant whose file has this text.
///
/// # Panics
///
/// When the file is wrong.
pub fn assembly(tenant_file: &str) -> CloudAssembly {
    let tenant = Tenant::parse(tenant_file).unwrap_or_else(|error| panic!("{error}\n{tenant_file}"));
    App::default().stacks(tenant.stacks()).checks(constructs::checks::ALL).synth()
}

/// The one template of a tenant with one system, which has no finding.
///
/// # Panics
///
/// When the file is wrong, has several systems, or something was found.
pub fn template(tenant_file: &str) -> Template {
    let mut assembly = assembly(tenant_file);
    assert!(assembly.findings.is_empty(), "{:#?}", assembly.findings);
    assert_eq!(assembly.stacks.len(), 1, "one system was expected");
    assembly.stacks.remove(0).template
}
