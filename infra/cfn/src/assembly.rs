//! The cloud assembly: what stock `cdk` CLIs from 2.100 on, `aws cloudformation deploy` and our own deployer read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::assembled_stack::{AssembledStack, Format};
use crate::built_function::{BuiltFunction, BuiltFunctions};
use crate::manifest::{self, Manifest};
use crate::{Asset, Finding, Json};

/// What an app becomes: one template a stack, and everything found wrong.
#[derive(Debug, Default)]
pub struct CloudAssembly {
    /// The stacks in the order the app added them.
    pub stacks: Vec<AssembledStack>,
    /// Errors and warnings of all stacks; with an error among them the assembly is not to be written.
    pub findings: Vec<Finding>,
}

impl CloudAssembly {
    /// Whether it must not be written.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(Finding::is_error)
    }

    /// The templates by the name of their file.
    pub fn templates(&self, format: Format) -> BTreeMap<String, Cow<'_, str>> {
        self.stacks.iter().map(|it| (it.template_file(format), it.text(format))).collect()
    }

    /// The assembly's text files by name: templates, those that hold their code's keys for the stock `cdk` CLI, asset manifests,
    /// parameters and `manifest.json`.
    ///
    /// The same stacks and the same zips give the same bytes on any machine.
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

    /// The zips that belong beside those files, by name: `asset.<sha256>.zip` and where its content lies.
    pub fn zips(&self, built: &BuiltFunctions) -> BTreeMap<String, PathBuf> {
        let functions = self.stacks.iter().flat_map(|it| it.functions(built));
        functions.map(|(_, it)| (it.zip_name(), it.path.clone())).collect()
    }
}

/// What `aws cloudformation deploy --parameter-overrides file://…` reads, in the one form that versions 1 and 2 of the AWS CLI share.
fn parameters(functions: &[(&Asset, &BuiltFunction)]) -> Json {
    functions.iter().map(|(asset, it)| Json::from(format!("{}={}", asset.key_parameter, it.object_key()))).collect()
}

fn pretty(json: &impl Serialize) -> String {
    serde_json::to_string_pretty(json).expect("an assembly's JSON has string keys only") + "\n"
}

/// The SHA-256 of some bytes in lower-case hex, which is how an assembly names its files.
pub fn sha256(bytes: impl AsRef<[u8]>) -> String {
    Sha256::digest(bytes).iter().map(|it| format!("{it:02x}")).collect()
}
