//! The cloud assembly: what stock `cdk` CLIs from 2.100 on, `aws cloudformation deploy` and our own deployer read.

use crate::{Asset, Finding, Json, Template};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The version of the cloud assembly schema: the newest that every CLI from 2.100 on reads.
const SCHEMA: &str = "34.0.0";
/// Where `cdk bootstrap` keeps its version.
const BOOTSTRAP_VERSION: &str = "/cdk-bootstrap/hnb659fds/version";
/// The bucket that `cdk bootstrap` makes for files.
const BOOTSTRAP_BUCKET: &str = "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}";

/// What an app becomes: one template a stack, and everything found wrong.
#[derive(Debug, Default)]
pub struct CloudAssembly {
    /// The stacks in the order the app added them.
    pub stacks: Vec<AssembledStack>,
    /// Errors and warnings of all stacks; with an error among them the assembly is not to be written.
    pub findings: Vec<Finding>,
}

/// One stack of an assembly.
#[derive(Debug)]
pub struct AssembledStack {
    /// The template.
    pub template: Template,
    /// The template as JSON text.
    pub document: String,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) dependencies: Vec<String>,
    /// The functions to build and deploy beside it.
    pub assets: Vec<Asset>,
}

/// How templates are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `<stack>.template.json`.
    #[default]
    Json,
    /// `<stack>.template.yaml`.
    Yaml,
}

/// The zips that exist, by package and architecture.
pub type BuiltFunctions = BTreeMap<(String, String), BuiltFunction>;

/// The zip of one built function.
#[derive(Clone, Debug)]
pub struct BuiltFunction {
    /// SHA-256 of the zip, in hex: its name in every bucket.
    pub sha256: String,
    /// Where the zip lies.
    pub path: PathBuf,
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
        let mut artifacts = BTreeMap::new();
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
            artifacts.insert(format!("{name}.assets"), Artifact::Assets(asset_artifact(name)));
            artifacts.insert(name.clone(), stack.artifact(&cdk_file, &hash, &functions));
            files.insert(format!("{name}.assets.json"), pretty(&assets(name, &cdk_file, &hash, &functions)).into());
            files.insert(cdk_file, cdk_template);
        }
        files.insert("manifest.json".to_owned(), pretty(&Manifest { artifacts, version: SCHEMA }).into());
        files
    }

    /// The zips that belong beside those files, by name: `asset.<sha256>.zip` and where its content lies.
    pub fn zips(&self, built: &BuiltFunctions) -> BTreeMap<String, PathBuf> {
        let functions = self.stacks.iter().flat_map(|it| it.functions(built));
        functions.map(|(_, it)| (zip_name(it), it.path.clone())).collect()
    }
}

/// `manifest.json`. Keys are in the order of the alphabet, here and below, as in every other JSON of an assembly.
#[derive(Serialize)]
struct Manifest {
    artifacts: BTreeMap<String, Artifact>,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Artifact {
    Assets(Json),
    Stack(StackArtifact),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StackArtifact {
    dependencies: Vec<String>,
    display_name: String,
    environment: &'static str,
    metadata: BTreeMap<String, [Source; 1]>,
    properties: Json,
    #[serde(rename = "type")]
    ty: &'static str,
}

/// The line of Rust that made a resource.
#[derive(Serialize)]
struct Source {
    data: String,
    #[serde(rename = "type")]
    ty: &'static str,
}

impl AssembledStack {
    /// The name of the template's file.
    pub fn template_file(&self, format: Format) -> String {
        match format {
            Format::Json => format!("{}.template.json", self.template.stack),
            Format::Yaml => format!("{}.template.yaml", self.template.stack),
        }
    }

    fn text(&self, format: Format) -> Cow<'_, str> {
        match format {
            Format::Json => Cow::Borrowed(&self.document),
            Format::Yaml => Cow::Owned(self.template.to_yaml()),
        }
    }

    fn functions<'a>(&'a self, built: &'a BuiltFunctions) -> Vec<(&'a Asset, &'a BuiltFunction)> {
        self.assets.iter().filter_map(|asset| Some((asset, built.get(&key(asset))?))).collect()
    }

    /// The template for the stock `cdk` CLI, which takes no values of parameters from an assembly: the code's keys are their defaults.
    fn with_code(&self, functions: &[(&Asset, &BuiltFunction)]) -> Template {
        let mut template = self.template.clone();
        for (asset, function) in functions {
            if let Some(parameter) = template.parameters.get_mut(&asset.key_parameter) {
                parameter["Default"] = object_key(function).into();
            }
        }
        template
    }

    fn artifact(&self, template_file: &str, hash: &str, functions: &[(&Asset, &BuiltFunction)]) -> Artifact {
        let name = &self.template.stack;
        let mut dependencies = vec![format!("{name}.assets")];
        dependencies.extend(self.dependencies.iter().cloned());
        let mut properties = json!({
            "templateFile": template_file,
            "stackName": name,
            "terminationProtection": false,
            "tags": self.tags,
            "assumeRoleArn": role("deploy"),
            "cloudFormationExecutionRoleArn": role("cfn-exec"),
            "stackTemplateAssetObjectUrl": format!("s3://{BOOTSTRAP_BUCKET}/{hash}{}", extension(template_file)),
            "requiresBootstrapStackVersion": 6,
            "bootstrapStackVersionSsmParameter": BOOTSTRAP_VERSION,
            "additionalDependencies": [format!("{name}.assets")],
            "lookupRole": {
                "arn": role("lookup"),
                "requiresBootstrapStackVersion": 8,
                "bootstrapStackVersionSsmParameter": BOOTSTRAP_VERSION,
            },
        });
        if !functions.is_empty() {
            let keys: BTreeMap<&str, String> = functions
                .iter()
                .map(|(asset, function)| (asset.key_parameter.as_str(), object_key(function)))
                .collect();
            properties["parameters"] = json!(keys);
        }
        Artifact::Stack(StackArtifact {
            dependencies,
            display_name: name.clone(),
            environment: "aws://unknown-account/unknown-region",
            metadata: self.sources(),
            properties,
            ty: "aws:cloudformation:stack",
        })
    }

    /// The line of Rust that made each resource, for a deployer to name when one fails. The stock CLI skips types it does not know.
    fn sources(&self) -> BTreeMap<String, [Source; 1]> {
        let resources = self.template.resources.iter();
        let source = resources.map(|(id, entry)| {
            let data = format!("{}:{}", entry.location.file(), entry.location.line());
            (format!("/{}/{id}", self.template.stack), [Source { data, ty: "ferrostack:source" }])
        });
        source.collect()
    }
}

fn asset_artifact(stack: &str) -> Json {
    json!({
        "type": "cdk:asset-manifest",
        "properties": {
            "file": format!("{stack}.assets.json"),
            "requiresBootstrapStackVersion": 6,
            "bootstrapStackVersionSsmParameter": BOOTSTRAP_VERSION,
        },
    })
}

fn assets(stack: &str, template_file: &str, hash: &str, functions: &[(&Asset, &BuiltFunction)]) -> Json {
    let mut files = serde_json::Map::new();
    let template_key = format!("{hash}{}", extension(template_file));
    files.insert(hash.to_owned(), file(&format!("{stack} template"), template_file, &template_key));
    for (asset, function) in functions {
        files.insert(function.sha256.clone(), file(&asset.package, &zip_name(function), &object_key(function)));
    }
    json!({ "version": SCHEMA, "files": files, "dockerImages": {} })
}

/// A file to upload as it is: our zips are deterministic, so their hash is their name.
fn file(display_name: &str, path: &str, object_key: &str) -> Json {
    json!({
        "displayName": display_name,
        "source": { "path": path, "packaging": "file" },
        "destinations": {
            "current_account-current_region": {
                "bucketName": BOOTSTRAP_BUCKET,
                "objectKey": object_key,
                "assumeRoleArn": role("file-publishing"),
            },
        },
    })
}

/// What `aws cloudformation deploy --parameter-overrides file://…` reads, in the one form that versions 1 and 2 of the AWS CLI share.
fn parameters(functions: &[(&Asset, &BuiltFunction)]) -> Json {
    functions.iter().map(|(asset, it)| Json::from(format!("{}={}", asset.key_parameter, object_key(it)))).collect()
}

/// A role that `cdk bootstrap` makes.
fn role(name: &str) -> String {
    format!(
        "arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/cdk-hnb659fds-{name}-role-${{AWS::AccountId}}-${{AWS::Region}}"
    )
}

fn key(asset: &Asset) -> (String, String) {
    (asset.package.clone(), asset.architecture.clone())
}

fn object_key(function: &BuiltFunction) -> String {
    format!("{}.zip", function.sha256)
}

fn zip_name(function: &BuiltFunction) -> String {
    format!("asset.{}.zip", function.sha256)
}

fn extension(template_file: &str) -> &str {
    &template_file[template_file.rfind('.').expect("a template file has an extension")..]
}

fn pretty(json: &impl Serialize) -> String {
    serde_json::to_string_pretty(json).expect("an assembly's JSON has string keys only") + "\n"
}

/// The SHA-256 of some bytes in lower-case hex, which is how an assembly names its files.
pub fn sha256(bytes: impl AsRef<[u8]>) -> String {
    Sha256::digest(bytes).iter().map(|it| format!("{it:02x}")).collect()
}
