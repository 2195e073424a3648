//! What a synth would change, resource by resource.

use crate::{folder, report};
use anyhow::{Context, Result};
use cfn::{CloudAssembly, Json, is_intrinsic};
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

/// Prints the difference between what lies in `out` and these assemblies, each with the name of its folder; good unless a stack
/// has errors.
pub(crate) fn show<'a>(assemblies: impl Iterator<Item = (&'a str, CloudAssembly)>, out: &Path) -> Result<bool> {
    let mut good = true;
    for (name, assembly) in assemblies {
        report::findings(&assembly.findings);
        good &= !assembly.has_errors();
        let directory = out.join(name);
        let mut gone = stacks_in(&directory)?;
        for stack in &assembly.stacks {
            let name = &stack.template.stack;
            gone.remove(name.as_str());
            let new: Json = serde_json::from_str(&stack.document).context("a template is JSON")?;
            print(name, &changes(&template(&directory, name)?, &new));
        }
        for name in gone {
            print(&name, &changes(&template(&directory, &name)?, &Json::Null));
        }
    }
    Ok(good)
}

fn print(stack: &str, changes: &[Change]) {
    if changes.is_empty() {
        println!("{stack}: no changes");
        return;
    }
    println!("{stack}:");
    for change in changes {
        println!("  {change}");
    }
}

/// The template of that stack as the last synth left it, or null.
fn template(directory: &Path, stack: &str) -> Result<Json> {
    let path = directory.join(format!("{stack}.template.json"));
    match folder::read(&path)? {
        Some(text) => serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display())),
        None => Ok(Json::Null),
    }
}

fn stacks_in(directory: &Path) -> Result<BTreeSet<String>> {
    let names = folder::names(directory)?;
    Ok(names.iter().filter_map(|it| it.strip_suffix(".template.json")).map(str::to_owned).collect())
}

/// What becomes of one resource, or of another part of the template.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    /// Logical ID, or `Section/Name`.
    name: String,
    /// `AWS::Service::Name`, empty for other parts.
    ty: String,
    kind: Kind,
    /// What becomes of the data, for what holds some.
    data: Option<Data>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Added,
    Removed,
    /// Another type under the same logical ID.
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
    /// It stays behind, outside the stack.
    Kept,
    Lost,
}

/// Every change that leads from `old` to `new`, in the order of the names.
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
    let ty = |it: &Json| it["Type"].as_str().unwrap_or_default().to_owned();
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
            // CloudFormation looks at the policies of the new template when it replaces.
            let data = if replacement == Replacement::No { None } else { data(new, "UpdateReplacePolicy") };
            change(ty(old), Kind::Changed { paths: shown_paths(old, new), replacement }, data)
        }
    }
}

/// Whether one of the changed properties replaces the resource; a type that the bindings do not know may.
fn replacement(ty: &str, changed: &[String]) -> Replacement {
    let Some(schema) = aws::schema(ty) else {
        return if changed.is_empty() { Replacement::No } else { Replacement::Maybe };
    };
    // A change of `A` touches `A/B`, and a change of `A/B` is one of `A`.
    let touches = |listed: &&str| {
        changed
            .iter()
            .any(|it| it == listed || it.starts_with(&format!("{listed}/")) || listed.starts_with(&format!("{it}/")))
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
    let stateful = resource["Type"].as_str().and_then(aws::schema).is_some_and(|it| it.stateful);
    let keeps = ["Retain", "RetainExceptOnCreate", "Snapshot"].iter().any(|it| resource[policy] == *it);
    stateful.then_some(if keeps { Data::Kept } else { Data::Lost })
}

fn names<'a>(old: &'a Json, new: &'a Json) -> BTreeSet<&'a str> {
    [old, new].into_iter().filter_map(Json::as_object).flat_map(|it| it.keys()).map(String::as_str).collect()
}

/// Properties by their own path, attributes such as `DeletionPolicy` by their name.
fn shown_paths(old: &Json, new: &Json) -> Vec<String> {
    let all = paths(old, new).into_iter();
    all.map(|it| it.strip_prefix("Properties/").map(str::to_owned).unwrap_or(it)).collect()
}

/// Where two documents differ: `A/B/C`, down to what is no object in both. An intrinsic call is one value.
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
    use super::*;
    use serde_json::json;

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
    fn a_changed_key_replaces_a_table_and_its_policy_decides_about_the_data() {
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
    fn what_goes_says_what_becomes_of_its_data() {
        assert_eq!(shown(table("Delete", "id"), json!({})), ["- Claims (AWS::DynamoDB::Table), ITS DATA IS LOST"]);
        assert_eq!(shown(function(128, "AWS::Lambda::Function"), json!({})), ["- Reload (AWS::Lambda::Function)"]);
    }

    #[test]
    fn a_changed_property_that_updates_in_place_is_just_named() {
        assert_eq!(
            shown(function(128, "AWS::Lambda::Function"), function(256, "AWS::Lambda::Function")),
            ["~ Reload (AWS::Lambda::Function): MemorySize"]
        );
    }

    #[test]
    fn a_type_that_the_bindings_do_not_know_may_be_replaced() {
        assert_eq!(
            shown(function(128, "Custom::Thing"), function(256, "Custom::Thing")),
            ["~ Reload (Custom::Thing): MemorySize: may be replaced"]
        );
    }
}
