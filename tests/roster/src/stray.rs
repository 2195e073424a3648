//! Folders and documents that belong to no system of the roster.

use std::path::Path;

use stacks::System;

use crate::{names, read, subfolders};

/// Folders in places where each system has one.
pub(crate) fn folders(root: &Path, systems: &[System]) -> Vec<String> {
    let lambdas = subfolders(&root.join("lambdas")).into_iter().filter(|name| name != "shared");
    let stacks = subfolders(&root.join("stacks"));
    let stacks =
        stacks.into_iter().filter(|name| root.join("stacks").join(name).join("mod.rs").is_file() && name != "shared");
    let tests = subfolders(&root.join("tests/templates/tests"));
    let local = subfolders(&root.join("infra/local/src"));
    let local = local.into_iter().filter(|name| root.join("infra/local/src").join(name).join("tenant.yaml").is_file());
    let templates = names(&root.join("cfn-out/example"), |path| path.is_file());
    let templates = templates
        .iter()
        .filter_map(|file| file.strip_prefix("example-")?.strip_suffix(".template.json").map(str::to_owned));
    let found = lambdas
        .map(|name| (name.clone(), format!("lambdas/{name}/")))
        .chain(stacks.map(|name| (name.clone(), format!("stacks/{name}/"))))
        .chain(tests.into_iter().map(|name| (name.clone(), format!("tests/templates/tests/{name}/"))))
        .chain(local.map(|name| (name.clone(), format!("infra/local/src/{name}/"))))
        .chain(templates.map(|name| (name.clone(), format!("cfn-out/example/example-{name}.template.json"))));
    found
        .map(|(name, path)| (name.replace('_', "-"), path))
        .filter(|(name, _)| systems.iter().all(|system| system.name != name))
        .map(|(name, path)| {
            format!("{name}: there is {path}, but the roster in stacks/lib.rs does not list the system")
        })
        .collect()
}

/// Documents that the index does not mention.
pub(crate) fn documents(root: &Path) -> Vec<String> {
    let index = read(root, "docs/README.md");
    let documents = names(&root.join("docs"), |path| path.extension().is_some_and(|extension| extension == "md"));
    documents
        .iter()
        .filter(|document| *document != "README.md" && !index.contains(&format!("({document})")))
        .map(|document| format!("{}: docs/README.md has no link to docs/{document}", document.trim_end_matches(".md")))
        .collect()
}
