//! The files of a cloud assembly, as far as the deployer reads them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

pub(crate) const STACK: &str = "aws:cloudformation:stack";
pub(crate) const ASSETS: &str = "cdk:asset-manifest";
pub(crate) const SOURCE: &str = "ferrostack:source";

#[derive(Deserialize)]
pub(crate) struct Manifest {
    #[serde(default)]
    pub(crate) artifacts: BTreeMap<String, Artifact>,
}

#[derive(Deserialize)]
pub(crate) struct Artifact {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) environment: Option<String>,
    #[serde(default)]
    pub(crate) dependencies: Vec<String>,
    #[serde(default)]
    pub(crate) properties: Properties,
    #[serde(default)]
    pub(crate) metadata: BTreeMap<String, Vec<Note>>,
}

#[derive(Deserialize)]
pub(crate) struct Note {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) data: Value,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Properties {
    pub(crate) template_file: Option<String>,
    pub(crate) stack_name: Option<String>,
    pub(crate) file: Option<String>,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) assume_role_arn: Option<String>,
    pub(crate) cloud_formation_execution_role_arn: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct AssetManifest {
    #[serde(default)]
    pub(crate) files: BTreeMap<String, AssetEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssetEntry {
    pub(crate) display_name: Option<String>,
    pub(crate) source: AssetSource,
    pub(crate) destinations: BTreeMap<String, Destination>,
}

#[derive(Deserialize)]
pub(crate) struct AssetSource {
    pub(crate) path: String,
    pub(crate) packaging: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Destination {
    pub(crate) object_key: String,
}

#[derive(Deserialize)]
pub(crate) struct Template {
    #[serde(rename = "Parameters", default)]
    pub(crate) parameters: BTreeMap<String, Parameter>,
    #[serde(rename = "Resources", default)]
    pub(crate) resources: BTreeMap<String, Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Parameter {
    #[serde(default)]
    pub(crate) default: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Resource {
    #[serde(rename = "Type", default)]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) properties: ResourceProperties,
    pub(crate) deletion_policy: Option<String>,
    pub(crate) update_replace_policy: Option<String>,
}

/// The only properties that a deployment depends on.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ResourceProperties {
    pub(crate) protocol_type: Value,
}

impl Template {
    /// What the stack needs from the platform stack, for a sentence; `None` if it needs nothing.
    pub(crate) fn platform_need(&self) -> Option<&'static str> {
        let from_platform = |parameter: &Parameter| {
            parameter.default.as_str().is_some_and(|name| name.starts_with("/ferrostack/platform/"))
        };
        if self.parameters.values().any(from_platform) {
            return Some("the table of QuickSight slots");
        }
        self.resources
            .values()
            .any(Resource::writes_access_logs)
            .then_some("the role with which API Gateway writes logs")
    }
}

impl Resource {
    /// Whether API Gateway needs the role of the account to write its logs. HTTP APIs use resource policies of the log groups instead.
    fn writes_access_logs(&self) -> bool {
        match self.kind.as_str() {
            "AWS::ApiGateway::Stage" => true,
            "AWS::ApiGatewayV2::Api" => self.properties.protocol_type == "WEBSOCKET",
            _ => false,
        }
    }

    pub(crate) fn is_retained(&self) -> bool {
        [&self.deletion_policy, &self.update_replace_policy].into_iter().flatten().any(|policy| policy != "Delete")
    }
}
