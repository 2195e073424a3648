//! What exists in the account, whichever stack created it, and what refuses to be created or deleted.

use std::collections::{BTreeMap, BTreeSet};

use cfn::{Reference, references};
use serde_json::Value;

use crate::stack::Stack;

/// One operation on one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Create,
    Update,
    /// The update that brings a resource back to what it was.
    Revert,
    Delete,
}

/// A resource that exists.
#[derive(Debug, Clone)]
pub(crate) struct Existing {
    pub(crate) kind: String,
    pub(crate) logical_id: String,
    /// What must be unique in the account and region, if the template decides about it.
    name: Option<String>,
    pub(crate) stack_id: String,
    /// The tags of the stack, which CloudFormation passes on.
    pub(crate) tags: BTreeMap<String, String>,
    /// Why it refuses to be deleted.
    refusal: Option<&'static str>,
}

#[derive(Clone, Default)]
pub(crate) struct Account {
    pub(crate) stacks: BTreeMap<String, Stack>,
    /// Stacks that were deleted, by ID.
    pub(crate) deleted: BTreeMap<String, Stack>,
    /// By physical ID.
    pub(crate) resources: BTreeMap<String, Existing>,
    /// What fails, by logical ID, until it is removed from here.
    pub(crate) faults: BTreeSet<(Step, String)>,
    /// Uploaded templates, by key.
    pub(crate) objects: BTreeMap<String, String>,
    next: u32,
}

impl Account {
    pub(crate) fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    /// Type and logical ID of the resources that belong to no stack.
    pub(crate) fn orphans(&self) -> BTreeSet<String> {
        let members = self.stacks.values().flat_map(|stack| stack.members.values());
        let members: BTreeSet<_> = members.map(|member| &member.physical).collect();
        let orphans = self.resources.iter().filter(|(id, _)| !members.contains(id));
        orphans.map(|(_, orphan)| format!("{} {}", orphan.kind, orphan.logical_id)).collect()
    }

    /// Creates a resource; returns its physical ID.
    pub(crate) fn create(&mut self, stack: &Stack, logical_id: &str, definition: &Value) -> Result<String, String> {
        if self.faults.contains(&(Step::Create, logical_id.to_owned())) {
            return Err("the model was told to refuse its creation".to_owned());
        }
        let kind = definition["Type"].as_str().unwrap().to_owned();
        let name = unique_name(&kind, &definition["Properties"], stack);
        if let Some(name) = &name
            && self.resources.values().any(|other| other.kind == kind && other.name.as_ref() == Some(name))
        {
            return Err(format!("{name} already exists"));
        }
        let number = self.number();
        let physical =
            physical_id(&kind, name.as_deref(), &format!("{}-{logical_id}-{number}", stack.name).to_lowercase());
        let existing = Existing {
            refusal: refusal(&kind, &definition["Properties"]),
            kind,
            logical_id: logical_id.to_owned(),
            name,
            stack_id: stack.id.clone(),
            tags: stack.tags.clone(),
        };
        self.resources.insert(physical.clone(), existing);
        Ok(physical)
    }

    pub(crate) fn update(
        &mut self,
        step: Step,
        logical_id: &str,
        physical: &str,
        definition: &Value,
        tags: &BTreeMap<String, String>,
    ) -> Result<(), String> {
        if self.faults.contains(&(step, logical_id.to_owned())) {
            return Err("the model was told to refuse its update".to_owned());
        }
        let existing = self.resources.get_mut(physical).ok_or("it does not exist")?;
        existing.refusal = refusal(&existing.kind, &definition["Properties"]);
        existing.tags.clone_from(tags);
        Ok(())
    }

    /// Deletes a resource, whoever asks. One that does not exist counts as deleted, as CloudFormation sees it.
    pub(crate) fn delete(&mut self, physical: &str) -> Result<(), String> {
        let Some(existing) = self.resources.get(physical) else { return Ok(()) };
        if self.faults.contains(&(Step::Delete, existing.logical_id.clone())) {
            return Err("the model was told to refuse its deletion".to_owned());
        }
        if let Some(refusal) = existing.refusal {
            return Err(refusal.to_owned());
        }
        self.resources.remove(physical);
        Ok(())
    }
}

/// Why AWS refuses to delete such a resource.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithTables.Basics.html#WorkingWithTables.Basics.DeletionProtection>,
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-deletion-protection.html>
fn refusal(kind: &str, properties: &Value) -> Option<&'static str> {
    match kind {
        "AWS::DynamoDB::Table" if properties["DeletionProtectionEnabled"] == true => {
            Some("Resource cannot be deleted as it is currently protected against deletion")
        }
        "AWS::Cognito::UserPool" if properties["DeletionProtection"] == "ACTIVE" => {
            Some("The user pool cannot be deleted because deletion protection is activated")
        }
        _ => None,
    }
}

/// The name that must be unique, if the template gives one: the properties that replace the resource when they change, and that name it.
fn unique_name(kind: &str, properties: &Value, stack: &Stack) -> Option<String> {
    let nested = match kind {
        "AWS::CloudFront::OriginAccessControl" => properties["OriginAccessControlConfig"]["Name"].as_str(),
        "AWS::CloudFront::ResponseHeadersPolicy" => properties["ResponseHeadersPolicyConfig"]["Name"].as_str(),
        _ => None,
    };
    let names = aws::schema(kind).into_iter().flat_map(|schema| schema.replaces_on);
    let names = names.filter(|name| ["Name", "Id", "Domain"].iter().any(|end| name.ends_with(end)));
    let mut values: Vec<_> = names.filter_map(|name| Some(stack.resolve(properties.get(name)?))).collect();
    values.extend(nested.map(str::to_owned));
    (!values.is_empty()).then(|| values.join("|"))
}

/// The ID in the form that `ListStackResources` has it.
fn physical_id(kind: &str, name: Option<&str>, generated: &str) -> String {
    let name = name.unwrap_or(generated);
    match kind {
        "AWS::SQS::Queue" => format!("https://sqs.eu-west-1.amazonaws.com/111122223333/{name}"),
        "AWS::SecretsManager::Secret" => format!("arn:aws:secretsmanager:eu-west-1:111122223333:secret:{name}"),
        "AWS::S3::Bucket"
        | "AWS::DynamoDB::Table"
        | "AWS::Cognito::UserPool"
        | "AWS::Logs::LogGroup"
        | "AWS::RedshiftServerless::Namespace" => name.to_owned(),
        // Two types may have the same name.
        _ => format!("{kind}/{name}"),
    }
}

/// The logical IDs of a template, each after those it needs.
pub(crate) fn creation_order(template: &Value) -> Vec<String> {
    let needs = needs(template);
    let mut order: Vec<String> = Vec::new();
    while order.len() < needs.len() {
        let ready = |(id, needs): &(&String, &BTreeSet<String>)| {
            !order.contains(id) && needs.iter().all(|need| order.contains(need))
        };
        let next = needs.iter().find(ready).expect("no resource needs itself").0.clone();
        order.push(next);
    }
    order
}

/// Which resources each resource needs.
pub(crate) fn needs(template: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let resources = template["Resources"].as_object().unwrap();
    let needed = |definition: &Value| {
        let mut names = BTreeSet::new();
        references(definition, &mut |reference: Reference<'_>| {
            names.insert(reference.name().to_owned());
        });
        match &definition["DependsOn"] {
            Value::String(id) => names.extend([id.clone()]),
            Value::Array(ids) => names.extend(ids.iter().filter_map(Value::as_str).map(str::to_owned)),
            _ => {}
        }
        names.retain(|name| resources.contains_key(name));
        names
    };
    resources.iter().map(|(id, definition)| (id.clone(), needed(definition))).collect()
}
