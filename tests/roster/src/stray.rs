//! Folders and documents that belong to no system of the roster.

use std::path::Path;

use stacks::System;

use crate::{names, read, subfolders};

/// Folders in places where each system has one.
pub(crate) fn folders(root: &Path, systems: &[System]) -> Vec<String> {
    let lambdas = subfolders(&root.join("lambdas")).into_iter().filter(|it| it != "shared");
    let stacks = subfolders(&root.join("stacks"));
    let stacks =
        stacks.into_iter().filter(|it| root.join("stacks").join(it).join("mod.rs").is_file() && it != "shared");
    let tests = subfolders(&root.join("tests/templates/tests"));
    let local = subfolders(&root.join("infra/local/src"));
    let local = local.into_iter().filter(|it| root.join("infra/local/src").join(it).join("tenant.yaml").is_file());
    let templates = names(&root.join("cfn-out/example"), |it| it.is_file());
    let templates = templates
        .iter()
        .filter_map(|it| it.strip_prefix("example-")?.strip_suffix(".template.json").map(str::to_owned));
    let found = lambdas
        .map(|it| (it.clone(), format!("lambdas/{it}/")))
        .chain(stacks.map(|it| (it.clone(), format!("stacks/{it}/"))))
        .chain(tests.into_iter().map(|it| (it.clone(), format!("tests/templates/tests/{it}/"))))
        .chain(local.map(|it| (it.clone(), format!("infra/local/src/{it}/"))))
        .chain(templates.map(|it| (it.clone(), format!("cfn-out/example/example-{it}.template.json"))));
    found
        .map(|(name, path)| (name.replace('_', "-"), path))
        .filter(|(name, _)| systems.iter().all(|it| it.name != name))
        .map(|(name, path)| {
            format!("{name}: there is {path}, but the roster in stacks/lib.rs does not list the system")
        })
        .collect()
}

/// Documents that the index does not mention.
pub(crate) fn documents(root: &Path) -> Vec<String> {
    let index = read(root, "docs/README.md");
    let documents = names(&root.join("docs"), |it| it.extension().is_some_and(|it| it == "md"));
    documents
        .iter()
        .filter(|it| *it != "README.md" && !index.contains(&format!("({it})")))
        .map(|it| format!("{}: docs/README.md has no link to docs/{it}", it.trim_end_matches(".md")))
        .collect()
}
