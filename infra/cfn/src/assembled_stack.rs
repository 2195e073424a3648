//! One stack of a cloud assembly.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::built_function::{BuiltFunction, BuiltFunctions};
use crate::{Asset, Environment, Template};

/// One stack of an assembly.
#[derive(Debug)]
pub struct AssembledStack {
    /// The template.
    pub template: Template,
    /// The template as JSON text.
    pub document: String,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) dependencies: Vec<String>,
    pub(crate) environment: Environment,
    /// The functions to build and deploy with it.
    pub assets: Vec<Asset>,
}

/// The format in which templates are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `<stack>.template.json`.
    #[default]
    Json,
    /// `<stack>.template.yaml`.
    Yaml,
}

impl AssembledStack {
    /// The name of the template's file.
    pub fn template_file(&self, format: Format) -> String {
        match format {
            Format::Json => format!("{}.template.json", self.template.stack),
            Format::Yaml => format!("{}.template.yaml", self.template.stack),
        }
    }

    pub(crate) fn text(&self, format: Format) -> Cow<'_, str> {
        match format {
            Format::Json => Cow::Borrowed(&self.document),
            Format::Yaml => Cow::Owned(self.template.to_yaml()),
        }
    }

    pub(crate) fn functions<'a>(&'a self, built: &'a BuiltFunctions) -> Vec<(&'a Asset, &'a BuiltFunction)> {
        self.assets.iter().filter_map(|asset| Some((asset, built.get(&key(asset))?))).collect()
    }

    /// The template for the stock `cdk` CLI, which reads no parameter values from an assembly: the keys of the code are the defaults.
    pub(crate) fn with_code(&self, functions: &[(&Asset, &BuiltFunction)]) -> Template {
        let mut template = self.template.clone();
        for (asset, function) in functions {
            if let Some(parameter) = template.parameters.get_mut(&asset.key_parameter) {
                parameter["Default"] = function.object_key().into();
            }
        }
        template
    }
}

fn key(asset: &Asset) -> (String, String) {
    (asset.package.clone(), asset.architecture.clone())
}
