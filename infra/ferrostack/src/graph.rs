//! Pictures of stacks.

use std::fs;

use anyhow::{Context, Result, bail};
use cfn::Json;
use ferrostack_command::{Verbosity, output};
use ferrostack_graph::{Graph, html, mermaid, svg};

use crate::tenants::Project;
use crate::{cli, synth};

/// Draws the selected stacks of these tenants. Good unless a stack has errors, in which case nothing is drawn.
pub(crate) fn draw(project: &Project, options: &cli::Graph, verbosity: Verbosity) -> Result<bool> {
    let mut graphs = Vec::new();
    let mut names = Vec::new();
    let mut good = true;
    for (tenant, assembly) in synth::assemblies(project, &options.selection) {
        // A warning does not concern the picture.
        synth::print_findings(&assembly.findings, Verbosity { quiet: true, ..verbosity });
        good &= !assembly.has_errors();
        for stack in &assembly.stacks {
            let name = &stack.template.stack;
            if options.system.as_ref().is_some_and(|system| *name != format!("{tenant}-{system}")) {
                continue;
            }
            let template: Json = serde_json::from_str(&stack.document).context("a template is JSON")?;
            graphs.push(Graph::of(name, &template));
            names.push(tenant.clone());
        }
    }
    if !good {
        return Ok(false);
    }
    let Some(first) = names.first() else {
        let system = options.system.as_deref().unwrap_or_default();
        bail!("no tenant has the system `{system}`; `ferrostack list` shows the stacks, which are named TENANT-SYSTEM");
    };
    let picture = if options.html {
        let title = if names.iter().all(|name| name == first) { first.as_str() } else { "All tenants" };
        html::draw(title, &graphs)
    } else if options.svg {
        svg::draw(&graphs)
    } else {
        mermaid::draw(&graphs)
    };
    match &options.out {
        Some(file) => fs::write(file, picture + "\n").with_context(|| format!("cannot write {}", file.display()))?,
        None => output::line(picture.trim_end()),
    }
    Ok(true)
}
