//! The cloud assembly, which stock `cdk` CLIs from 2.100 on, `aws cloudformation deploy` and our own deployer read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::assembled_stack::{AssembledStack, Format};
use crate::built_function::{BuiltFunction, BuiltFunctions};
use crate::manifest::{self, Manifest};
use crate::{Asset, Finding, Json};

/// The result of synthesizing an app: one template per stack, and all findings.
#[derive(Debug, Default)]
pub struct CloudAssembly {
    /// The stacks in the order the app added them.
    pub stacks: Vec<AssembledStack>,
    /// Errors and warnings of all stacks; if one of them is an error, the assembly must not be written.
    pub findings: Vec<Finding>,
}

impl CloudAssembly {
    /// Whether there are errors, so that the assembly must not be written.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(Finding::is_error)
    }

    /// The templates by file name.
    pub fn templates(&self, format: Format) -> BTreeMap<String, Cow<'_, str>> {
        self.stacks.iter().map(|stack| (stack.template_file(format), stack.text(format))).collect()
    }

    /// The assembly's text files by name: templates, templates with the keys of their code for the stock `cdk` CLI, asset manifests,
    /// parameters and `manifest.json`.
    ///
    /// The same stacks and zips give the same bytes on every machine.
    pub fn files(&self, built: &BuiltFunctions, format: Format) -> BTreeMap<String, Cow<'_, str>> {
        let mut files = BTreeMap::new();
        let mut manifest = Manifest::default();
        for stack in &self.stacks {
            let name = &stack.template.stack;
            let mut cdk_file = stack.template_file(format);
            let mut cdk_template = stack.text(format);
            let functions = stack.functions(built);
            if !functions.is_empty() {
                files.insert(format!("{name}.parameters.json"), pretty(&parameters(&functions)).into());
                files.insert(cdk_file, cdk_template);
                cdk_file = format!("{name}.cdk.json");
                cdk_template = stack.with_code(&functions).to_json().into();
            }
            let hash = sha256(cdk_template.as_ref());
            manifest.add(stack, &cdk_file, &hash, &functions);
            let assets = manifest::assets(name, &cdk_file, &hash, &functions);
            files.insert(format!("{name}.assets.json"), pretty(&assets).into());
            files.insert(cdk_file, cdk_template);
        }
        files.insert("manifest.json".to_owned(), pretty(&manifest).into());
        files
    }

    /// The zips that belong to those files, by their name in the folder [`ASSETS`](crate::ASSETS) next to the assembly's: `<sha256>.zip`, and
    /// the path of each one's content.
    pub fn zips(&self, built: &BuiltFunctions) -> BTreeMap<String, PathBuf> {
        let functions = self.stacks.iter().flat_map(|stack| stack.functions(built));
        functions.map(|(_, function)| (function.object_key(), function.path.clone())).collect()
    }
}

/// What `aws cloudformation deploy --parameter-overrides file://…` reads, in the only form that both version 1 and version 2 of the AWS CLI
/// accept.
fn parameters(functions: &[(&Asset, &BuiltFunction)]) -> Json {
    functions
        .iter()
        .map(|(asset, function)| Json::from(format!("{}={}", asset.key_parameter, function.object_key())))
        .collect()
}

fn pretty(json: &impl Serialize) -> String {
    serde_json::to_string_pretty(json).expect("an assembly's JSON has only string keys") + "\n"
}

/// The SHA-256 of some bytes in lower-case hex, by which an assembly names its files.
pub fn sha256(bytes: impl AsRef<[u8]>) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
