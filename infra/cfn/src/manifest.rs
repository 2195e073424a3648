//! `manifest.json` and the manifests of assets, as stock `cdk` CLIs from 2.100 on read them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use crate::assembled_stack::AssembledStack;
use crate::built_function::BuiltFunction;
use crate::{Asset, Json};

/// The version of the cloud assembly schema: the newest that every CLI from 2.100 on reads.
const SCHEMA: &str = "34.0.0";
/// Where `cdk bootstrap` keeps its version.
const BOOTSTRAP_VERSION: &str = "/cdk-bootstrap/hnb659fds/version";
/// The bucket that `cdk bootstrap` creates for files.
const BOOTSTRAP_BUCKET: &str = "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}";

/// `manifest.json`. Keys are in alphabetical order, here and below, as in all other JSON of an assembly.
#[derive(Serialize)]
pub(crate) struct Manifest {
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
    environment: String,
    metadata: BTreeMap<String, [Source; 1]>,
    properties: Json,
    #[serde(rename = "type")]
    ty: &'static str,
}

/// The line of Rust that added a resource.
#[derive(Serialize)]
struct Source {
    data: String,
    #[serde(rename = "type")]
    ty: &'static str,
}

impl Default for Manifest {
    fn default() -> Self {
        Self { artifacts: BTreeMap::new(), version: SCHEMA }
    }
}

impl Manifest {
    /// Adds a stack, whose template is in this file and has this hash, and its asset manifest.
    pub(crate) fn add(
        &mut self,
        stack: &AssembledStack,
        template_file: &str,
        hash: &str,
        functions: &[(&Asset, &BuiltFunction)],
    ) {
        let name = &stack.template.stack;
        self.artifacts.insert(format!("{name}.assets"), Artifact::Assets(asset_artifact(name)));
        self.artifacts.insert(name.clone(), artifact(stack, template_file, hash, functions));
    }
}

fn artifact(
    stack: &AssembledStack,
    template_file: &str,
    hash: &str,
    functions: &[(&Asset, &BuiltFunction)],
) -> Artifact {
    let name = &stack.template.stack;
    let mut dependencies = vec![format!("{name}.assets")];
    dependencies.extend(stack.dependencies.iter().cloned());
    let mut properties = json!({
        "templateFile": template_file,
        "stackName": name,
        "terminationProtection": false,
        "tags": stack.tags,
        "assumeRoleArn": stack.environment.role.clone().unwrap_or_else(|| role("deploy")),
        "cloudFormationExecutionRoleArn": stack.environment.execution_role.clone().unwrap_or_else(|| role("cfn-exec")),
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
        let keys: BTreeMap<&str, String> =
            functions.iter().map(|(asset, function)| (asset.key_parameter.as_str(), function.object_key())).collect();
        properties["parameters"] = json!(keys);
    }
    Artifact::Stack(StackArtifact {
        dependencies,
        display_name: name.clone(),
        environment: stack.environment.uri(),
        metadata: sources(stack),
        properties,
        ty: "aws:cloudformation:stack",
    })
}

/// The line of Rust that added each resource, for a deployer to name if the resource fails. The stock CLI ignores unknown types.
fn sources(stack: &AssembledStack) -> BTreeMap<String, [Source; 1]> {
    let resources = stack.template.resources.iter();
    let source = resources.map(|(id, entry)| {
        let data = format!("{}:{}", entry.location.file(), entry.location.line());
        (format!("/{}/{id}", stack.template.stack), [Source { data, ty: "ferrostack:source" }])
    });
    source.collect()
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

/// `<stack>.assets.json`: what to upload before the stack is deployed, which is its template and the code of its functions.
pub(crate) fn assets(stack: &str, template_file: &str, hash: &str, functions: &[(&Asset, &BuiltFunction)]) -> Json {
    let mut files = serde_json::Map::new();
    let template_key = format!("{hash}{}", extension(template_file));
    files.insert(hash.to_owned(), file(&format!("{stack} template"), template_file, &template_key));
    for (asset, function) in functions {
        files.insert(function.sha256.clone(), file(&asset.package, &function.zip_path(), &function.object_key()));
    }
    json!({ "version": SCHEMA, "files": files, "dockerImages": {} })
}

/// A file to upload as it is; our zips are deterministic, so their hash is their name.
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

/// A role that `cdk bootstrap` creates.
fn role(name: &str) -> String {
    format!(
        "arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/cdk-hnb659fds-{name}-role-${{AWS::AccountId}}-${{AWS::Region}}"
    )
}

fn extension(template_file: &str) -> &str {
    &template_file[template_file.rfind('.').expect("a template file has an extension")..]
}
