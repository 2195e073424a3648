//! What a synth would change, resource by resource.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};
use cfn::{CloudAssembly, Json, is_intrinsic};
use ferrostack_command::{Verbosity, output};

use crate::{folder, synth};

/// How the names of templates end; a synth leaves only one of the two.
const JSON: &str = ".template.json";
const YAML: &str = ".template.yaml";

/// Prints the difference between the templates in `out` and these assemblies, each with the name of its folder. Good unless a stack
/// has errors.
pub(crate) fn print(
    assemblies: impl Iterator<Item = (String, CloudAssembly)>,
    out: &Path,
    verbosity: Verbosity,
) -> Result<bool> {
    let mut good = true;
    for (name, assembly) in assemblies {
        synth::print_findings(&assembly.findings, verbosity);
        good &= !assembly.has_errors();
        let directory = out.join(name);
        let mut gone = stacks_in(&directory)?;
        for stack in &assembly.stacks {
            let name = &stack.template.stack;
            gone.remove(name.as_str());
            let new: Json = serde_json::from_str(&stack.document).context("a template is JSON")?;
            print_stack(name, &changes(&template(&directory, name)?, &new));
        }
        for name in gone {
            print_stack(&name, &changes(&template(&directory, &name)?, &Json::Null));
        }
    }
    Ok(good)
}

fn print_stack(stack: &str, changes: &[Change]) {
    if changes.is_empty() {
        output::line(format_args!("{stack}: no changes"));
        return;
    }
    output::line(format_args!("{stack}:"));
    for change in changes {
        output::line(format_args!("  {change}"));
    }
}

/// The template of that stack as the last synth wrote it, or null.
fn template(directory: &Path, stack: &str) -> Result<Json> {
    let json = directory.join(format!("{stack}{JSON}"));
    if let Some(text) = folder::read(&json)? {
        return serde_json::from_str(&text).with_context(|| format!("{} is not JSON", json.display()));
    }
    let yaml = directory.join(format!("{stack}{YAML}"));
    match folder::read(&yaml)? {
        Some(text) => serde_saphyr::from_str(&text).with_context(|| format!("{} is not YAML", yaml.display())),
        None => Ok(Json::Null),
    }
}

fn stacks_in(directory: &Path) -> Result<BTreeSet<String>> {
    let names = folder::names(directory)?;
    let stacks = names.iter().filter_map(|name| name.strip_suffix(JSON).or(name.strip_suffix(YAML)));
    Ok(stacks.map(str::to_owned).collect())
}

/// What happens to one resource, or to another part of the template.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    /// Logical ID, or `Section/Name`.
    name: String,
    /// `AWS::Service::Name`, empty for other parts.
    ty: String,
    kind: Kind,
    /// What happens to the data, if the resource holds any.
    data: Option<Data>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Added,
    Removed,
    /// A different type under the same logical ID.
    TypeChanged(String),
    Changed {
        paths: Vec<String>,
        replacement: Replacement,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Replacement {
    No,
    Maybe,
    Yes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Data {
    /// It is kept outside the stack.
    Kept,
    Lost,
}

/// Every change from `old` to `new`, in the order of names.
fn changes(old: &Json, new: &Json) -> Vec<Change> {
    let mut changes = Vec::new();
    for id in names(&old["Resources"], &new["Resources"]) {
        changes.extend(resource(id, &old["Resources"][id], &new["Resources"][id]));
    }
    for section in ["Parameters", "Mappings", "Conditions", "Outputs"] {
        for name in names(&old[section], &new[section]) {
            let kind = match (&old[section][name], &new[section][name]) {
                (old, new) if old == new => continue,
                (Json::Null, _) => Kind::Added,
                (_, Json::Null) => Kind::Removed,
                (old, new) => Kind::Changed { paths: paths(old, new), replacement: Replacement::No },
            };
            changes.push(Change { name: format!("{section}/{name}"), ty: String::new(), kind, data: None });
        }
    }
    changes
}

fn resource(id: &str, old: &Json, new: &Json) -> Option<Change> {
    let ty = |resource: &Json| resource["Type"].as_str().unwrap_or_default().to_owned();
    let change = |ty: String, kind, data| Some(Change { name: id.to_owned(), ty, kind, data });
    match (old, new) {
        (old, new) if old == new => None,
        (Json::Null, new) => change(ty(new), Kind::Added, None),
        (old, Json::Null) => change(ty(old), Kind::Removed, data(old, "DeletionPolicy")),
        (old, new) if ty(old) != ty(new) => {
            change(ty(old), Kind::TypeChanged(ty(new)), data(old, "UpdateReplacePolicy"))
        }
        (old, new) => {
            let replacement = replacement(&ty(old), &paths(&old["Properties"], &new["Properties"]));
            // When CloudFormation replaces a resource, it follows the policies of the new template.
            let data = if replacement == Replacement::No { None } else { data(new, "UpdateReplacePolicy") };
            change(ty(old), Kind::Changed { paths: shown_paths(old, new), replacement }, data)
        }
    }
}

/// Whether one of the changed properties replaces the resource. A type without bindings may be replaced.
fn replacement(ty: &str, changed: &[String]) -> Replacement {
    let Some(schema) = aws::schema(ty) else {
        return if changed.is_empty() { Replacement::No } else { Replacement::Maybe };
    };
    // A change to `A` touches `A/B`, and a change to `A/B` touches `A`.
    let touches = |listed: &&str| {
        changed.iter().any(|path| {
            path == listed || path.starts_with(&format!("{listed}/")) || listed.starts_with(&format!("{path}/"))
        })
    };
    if schema.replaces_on.iter().any(&touches) {
        Replacement::Yes
    } else if schema.may_replace_on.iter().any(touches) {
        Replacement::Maybe
    } else {
        Replacement::No
    }
}

fn data(resource: &Json, policy: &str) -> Option<Data> {
    let stateful = resource["Type"].as_str().and_then(aws::schema).is_some_and(|schema| schema.stateful);
    let keeps = ["Retain", "RetainExceptOnCreate", "Snapshot"].iter().any(|kept| resource[policy] == *kept);
    stateful.then_some(if keeps { Data::Kept } else { Data::Lost })
}

fn names<'a>(old: &'a Json, new: &'a Json) -> BTreeSet<&'a str> {
    [old, new].into_iter().filter_map(Json::as_object).flat_map(|object| object.keys()).map(String::as_str).collect()
}

/// Properties by their path, attributes such as `DeletionPolicy` by their name.
fn shown_paths(old: &Json, new: &Json) -> Vec<String> {
    let all = paths(old, new).into_iter();
    all.map(|path| path.strip_prefix("Properties/").map(str::to_owned).unwrap_or(path)).collect()
}

/// Where two documents differ: `A/B/C`, as deep as both have objects. An intrinsic call is one value.
fn paths(old: &Json, new: &Json) -> Vec<String> {
    fn collect(old: &Json, new: &Json, path: &str, found: &mut Vec<String>) {
        let objects =
            matches!((old, new), (Json::Object(old), Json::Object(new)) if !is_intrinsic(old) && !is_intrinsic(new));
        if old == new {
        } else if objects {
            for name in names(old, new) {
                let path = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
                collect(&old[name], &new[name], &path, found);
            }
        } else {
            found.push(path.to_owned());
        }
    }
    let mut found = Vec::new();
    collect(old, new, "", &mut found);
    found
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.kind {
            Kind::Added => '+',
            Kind::Removed => '-',
            Kind::TypeChanged(_) | Kind::Changed { .. } => '~',
        };
        write!(f, "{sign} {}", self.name)?;
        if !self.ty.is_empty() {
            write!(f, " ({})", self.ty)?;
        }
        match &self.kind {
            Kind::Added | Kind::Removed => {}
            Kind::TypeChanged(new) => write!(f, " becomes {new}: replaced")?,
            Kind::Changed { paths, replacement } => {
                write!(f, ": {}", paths.join(", "))?;
                match replacement {
                    Replacement::No => {}
                    Replacement::Maybe => write!(f, ": may be replaced")?,
                    Replacement::Yes => write!(f, ": replaced")?,
                }
            }
        }
        match self.data {
            None => Ok(()),
            Some(Data::Kept) => write!(f, ", its data is kept outside the stack"),
            Some(Data::Lost) => write!(f, ", ITS DATA IS LOST"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(old: Json, new: Json) -> Vec<String> {
        let template = |resources: Json| json!({ "Resources": resources });
        changes(&template(old), &template(new)).iter().map(Change::to_string).collect()
    }

    fn table(policy: &str, key: &str) -> Json {
        let keys = json!([{ "AttributeName": key, "KeyType": "HASH" }]);
        json!({ "Claims": {
            "Type": "AWS::DynamoDB::Table",
            "DeletionPolicy": policy,
            "UpdateReplacePolicy": policy,
            "Properties": { "KeySchema": keys, "BillingMode": "PAY_PER_REQUEST" },
        } })
    }

    fn function(memory: i64, ty: &str) -> Json {
        json!({ "Reload": { "Type": ty, "Properties": { "MemorySize": memory, "FunctionName": { "Ref": "Name" } } } })
    }

    #[test]
    fn equal_templates_have_no_changes() {
        assert!(shown(table("Retain", "id"), table("Retain", "id")).is_empty());
    }

    #[test]
    fn a_changed_key_replaces_a_table_and_its_policy_decides_what_happens_to_the_data() {
        assert_eq!(
            shown(table("Delete", "id"), table("Delete", "key")),
            ["~ Claims (AWS::DynamoDB::Table): KeySchema: replaced, ITS DATA IS LOST"]
        );
        assert_eq!(
            shown(table("Retain", "id"), table("Retain", "key")),
            ["~ Claims (AWS::DynamoDB::Table): KeySchema: replaced, its data is kept outside the stack"]
        );
    }

    #[test]
    fn a_removed_resource_says_what_happens_to_its_data() {
        assert_eq!(shown(table("Delete", "id"), json!({})), ["- Claims (AWS::DynamoDB::Table), ITS DATA IS LOST"]);
        assert_eq!(shown(function(128, "AWS::Lambda::Function"), json!({})), ["- Reload (AWS::Lambda::Function)"]);
    }

    #[test]
    fn a_property_that_updates_in_place_is_named() {
        assert_eq!(
            shown(function(128, "AWS::Lambda::Function"), function(256, "AWS::Lambda::Function")),
            ["~ Reload (AWS::Lambda::Function): MemorySize"]
        );
    }

    #[test]
    fn a_type_without_bindings_may_be_replaced() {
        assert_eq!(
            shown(function(128, "Custom::Thing"), function(256, "Custom::Thing")),
            ["~ Reload (Custom::Thing): MemorySize: may be replaced"]
        );
    }
}
