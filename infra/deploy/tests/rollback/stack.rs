//! A stack, and the operations on it: creation, update, deletion, and what happens when a resource fails in one of them.
//!
//! Sources:
//! - <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html>
//! - <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatereplacepolicy.html>
//! - <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html> (the statuses)
//! - <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html>
//! - <https://repost.aws/knowledge-center/cloudformation-stack-cleanup-stuck>: what cannot be deleted during a cleanup is skipped
//!
//! Resources are created one after the other. CloudFormation works on several at once, and cancels the others when one fails; what is
//! left to undo is the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::account::{Account, Step};
use crate::template::Template;

#[derive(Clone)]
pub(crate) struct Stack {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) status: &'static str,
    /// What is deployed. Empty in a stack in review.
    pub(crate) wanted: Wanted,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) members: BTreeMap<String, Member>,
    /// The oldest first.
    pub(crate) events: Vec<Event>,
    pub(crate) change_sets: BTreeMap<String, Wanted>,
    /// Counts the updates, as the time of the last update does.
    pub(crate) updates: u32,
    /// What is left to undo of a failed update.
    pending: Vec<Undo>,
    /// What was deployed before the update that failed.
    before: Option<Wanted>,
}

/// What a change set asks for.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) template: Arc<Template>,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
}

/// A resource that belongs to the stack.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) physical: String,
    pub(crate) definition: Arc<Value>,
    pub(crate) status: &'static str,
}

#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) number: u32,
    pub(crate) logical_id: String,
    pub(crate) physical: String,
    pub(crate) kind: String,
    pub(crate) status: &'static str,
    pub(crate) reason: String,
}

/// How to undo one step of an update.
#[derive(Clone)]
enum Undo {
    Added(String),
    Changed(String, Member),
    Replaced(String, Member),
}

impl Stack {
    pub(crate) fn in_review(name: &str, id: String, tags: BTreeMap<String, String>) -> Stack {
        Stack {
            name: name.to_owned(),
            id,
            status: "REVIEW_IN_PROGRESS",
            wanted: Wanted::default(),
            tags,
            members: BTreeMap::new(),
            events: Vec::new(),
            change_sets: BTreeMap::new(),
            updates: 0,
            pending: Vec::new(),
            before: None,
        }
    }

    /// A value of the template, with what can be known of it.
    pub(crate) fn resolve(&self, value: &Value) -> String {
        let of = |name: &str| match name {
            "AWS::StackName" => self.name.clone(),
            "AWS::StackId" => self.id.clone(),
            name => self.members.get(name).map_or_else(|| format!("<{name}>"), |member| member.physical.clone()),
        };
        if let Some(text) = value.as_str() {
            return text.to_owned();
        }
        if let Some(name) = value["Ref"].as_str() {
            return of(name);
        }
        if let Some(path) = value["Fn::GetAtt"].as_array() {
            return format!("{}.{}", of(path[0].as_str().unwrap()), path[1]);
        }
        if let Some(select) = value["Fn::Select"].as_array() {
            let split = &select[1]["Fn::Split"];
            let index = usize::try_from(select[0].as_u64().unwrap()).unwrap();
            return self.resolve(&split[1]).split(split[0].as_str().unwrap()).nth(index).unwrap_or_default().to_owned();
        }
        let substitution = &value["Fn::Sub"];
        let mut text =
            substitution.as_str().or(substitution[0].as_str()).map_or_else(|| value.to_string(), str::to_owned);
        let names: Vec<String> =
            text.split("${").skip(1).filter_map(|rest| Some(rest.split_once('}')?.0.to_owned())).collect();
        for name in names {
            let variable = &substitution[1][&name];
            let resolved = if variable.is_null() { of(&name) } else { self.resolve(variable) };
            text = text.replace(&format!("${{{name}}}"), &resolved);
        }
        text
    }
}

/// Executes a change set of a stack.
pub(crate) fn execute(account: &mut Account, name: &str, wanted: Wanted) {
    with(account, name, |account, stack| {
        stack.change_sets.clear();
        if stack.status == "REVIEW_IN_PROGRESS" { stack.create(account, wanted) } else { stack.update(account, wanted) }
    });
}

/// Continues the rollback of an update.
pub(crate) fn continue_rollback(account: &mut Account, name: &str) {
    with(account, name, |account, stack| {
        stack.is(account, "UPDATE_ROLLBACK_IN_PROGRESS", "");
        stack.roll_back(account);
    });
}

/// Deletes a stack, except for what its template retains.
pub(crate) fn delete(account: &mut Account, name: &str, retained: &BTreeSet<String>) {
    with(account, name, |account, stack| stack.delete(account, retained));
    if account.stacks[name].status == "DELETE_COMPLETE" {
        let stack = account.stacks.remove(name).unwrap();
        account.deleted.insert(stack.id.clone(), stack);
    }
}

/// Does something to a stack and its account.
fn with(account: &mut Account, name: &str, act: impl FnOnce(&mut Account, &mut Stack)) {
    let mut stack = account.stacks.remove(name).unwrap();
    act(account, &mut stack);
    account.stacks.insert(name.to_owned(), stack);
}

impl Stack {
    fn create(&mut self, account: &mut Account, wanted: Wanted) {
        self.tags.clone_from(&wanted.tags);
        self.wanted = wanted;
        self.is(account, "CREATE_IN_PROGRESS", "");
        let template = Arc::clone(&self.wanted.template);
        for id in &template.order {
            if let Err(reason) = self.add(account, id, &template.resources[id]) {
                self.happened(account, id, "", &template.resources[id], "CREATE_FAILED", &reason);
                self.is(
                    account,
                    "ROLLBACK_IN_PROGRESS",
                    &format!("The following resource(s) failed to create: [{id}]."),
                );
                // The operation that created them is rolled back: `RetainExceptOnCreate` does not keep them, `Retain` does.
                let left = self.remove_all(account, |policy| policy == "Retain");
                return self.is(account, if left { "ROLLBACK_FAILED" } else { "ROLLBACK_COMPLETE" }, "");
            }
        }
        self.is(account, "CREATE_COMPLETE", "");
    }

    fn delete(&mut self, account: &mut Account, retained: &BTreeSet<String>) {
        self.is(account, "DELETE_IN_PROGRESS", "");
        for id in retained {
            if let Some(member) = self.members.remove(id) {
                self.happened(account, id, &member.physical, &member.definition, "DELETE_SKIPPED", "");
            }
        }
        let left = self.remove_all(account, |policy| matches!(policy, "Retain" | "RetainExceptOnCreate"));
        self.is(account, if left { "DELETE_FAILED" } else { "DELETE_COMPLETE" }, "");
    }

    /// Removes all members, the last one first, and deletes those whose `DeletionPolicy` does not keep them. What a member needs that
    /// cannot be deleted stays as well. Returns whether any is left.
    fn remove_all(&mut self, account: &mut Account, keeps: impl Fn(&str) -> bool) -> bool {
        let template = Arc::clone(&self.wanted.template);
        for id in template.order.iter().rev() {
            let Some(member) = self.members.get(id).cloned() else { continue };
            if keeps(&template.policy(id, "DeletionPolicy")) {
                self.happened(account, id, &member.physical, &member.definition, "DELETE_SKIPPED", "");
                self.members.remove(id);
                continue;
            }
            if self.members.keys().any(|other| template.needs[other].contains(id)) {
                continue;
            }
            match account.delete(&member.physical) {
                Ok(()) => {
                    self.happened(account, id, &member.physical, &member.definition, "DELETE_COMPLETE", "");
                    self.members.remove(id);
                }
                Err(reason) => {
                    self.happened(account, id, &member.physical, &member.definition, "DELETE_FAILED", &reason);
                    self.members.get_mut(id).unwrap().status = "DELETE_FAILED";
                }
            }
        }
        !self.members.is_empty()
    }

    fn update(&mut self, account: &mut Account, wanted: Wanted) {
        self.updates += 1;
        let (old, tags) = (self.wanted.clone(), self.tags.clone());
        self.tags.clone_from(&wanted.tags);
        self.is(account, "UPDATE_IN_PROGRESS", "");
        let mut outdated = Vec::new();
        for id in wanted.template.order.clone() {
            let definition = &wanted.template.resources[&id];
            let result = match self.members.get(&id).cloned() {
                None => self.add(account, &id, definition).map(|()| self.pending.push(Undo::Added(id.clone()))),
                Some(member) if is_replaced(&member.definition, definition) => {
                    self.add(account, &id, definition).map(|()| {
                        let policy = wanted.template.policy(&id, "UpdateReplacePolicy");
                        outdated.push((id.clone(), member.clone(), policy));
                        self.pending.push(Undo::Replaced(id.clone(), member));
                    })
                }
                Some(member) if member.definition != *definition || self.tags != tags => {
                    let updated = account.update(Step::Update, &id, &member.physical, definition, &self.tags);
                    updated.map(|()| {
                        self.happened(account, &id, &member.physical, definition, "UPDATE_COMPLETE", "");
                        self.members.get_mut(&id).unwrap().definition = Arc::clone(definition);
                        self.pending.push(Undo::Changed(id.clone(), member));
                    })
                }
                Some(_) => Ok(()),
            };
            if let Err(reason) = result {
                let physical = self.members.get(&id).map(|member| member.physical.clone()).unwrap_or_default();
                let status = if physical.is_empty() { "CREATE_FAILED" } else { "UPDATE_FAILED" };
                self.happened(account, &id, &physical, definition, status, &reason);
                self.before = Some(old);
                self.wanted = wanted.clone();
                self.is(account, "UPDATE_ROLLBACK_IN_PROGRESS", &format!("The following resource(s) failed: [{id}]."));
                return self.roll_back(account);
            }
        }
        for id in old.template.order.clone().into_iter().rev() {
            if !wanted.template.resources.contains_key(&id) {
                outdated.push((
                    id.clone(),
                    self.members.remove(&id).unwrap(),
                    old.template.policy(&id, "DeletionPolicy"),
                ));
            }
        }
        self.pending.clear();
        self.wanted = wanted;
        self.is(account, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "");
        self.clean_up(account, outdated, |policy| policy != "Delete");
        self.is(account, "UPDATE_COMPLETE", "");
    }

    fn roll_back(&mut self, account: &mut Account) {
        let old = self.before.clone().unwrap();
        let mut outdated = Vec::new();
        while let Some(undo) = self.pending.pop() {
            match undo {
                Undo::Added(id) => {
                    let policy = self.wanted.template.policy(&id, "DeletionPolicy");
                    outdated.push((id.clone(), self.members.remove(&id).unwrap(), policy));
                }
                Undo::Replaced(id, member) => {
                    let policy = self.wanted.template.policy(&id, "DeletionPolicy");
                    let replacement = self.members.insert(id.clone(), member).unwrap();
                    outdated.push((id, replacement, policy));
                }
                Undo::Changed(id, member) => {
                    match account.update(Step::Revert, &id, &member.physical, &member.definition, &old.tags) {
                        Ok(()) => {
                            self.happened(account, &id, &member.physical, &member.definition, "UPDATE_COMPLETE", "");
                            self.members.insert(id, member);
                        }
                        Err(reason) => {
                            self.happened(account, &id, &member.physical, &member.definition, "UPDATE_FAILED", &reason);
                            self.pending.push(Undo::Changed(id, member));
                            // What was already taken out is deleted when the rollback is continued.
                            for (id, member, _) in outdated.into_iter().rev() {
                                match self.members.insert(id.clone(), member.clone()) {
                                    None => self.pending.push(Undo::Added(id)),
                                    Some(old) => {
                                        self.pending.push(Undo::Replaced(id, old));
                                    }
                                }
                            }
                            return self.is(account, "UPDATE_ROLLBACK_FAILED", "");
                        }
                    }
                }
            }
        }
        self.tags.clone_from(&old.tags);
        self.wanted = old;
        self.before = None;
        self.is(account, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "");
        self.clean_up(account, outdated, |policy| policy == "Retain");
        self.is(account, "UPDATE_ROLLBACK_COMPLETE", "");
    }

    /// Deletes resources that no longer belong to the stack, or keeps them if their policy says so. What cannot be deleted is skipped: the
    /// operation succeeds, and the resource is left behind.
    fn clean_up(
        &mut self,
        account: &mut Account,
        outdated: Vec<(String, Member, String)>,
        keeps: impl Fn(&str) -> bool,
    ) {
        for (id, member, policy) in outdated {
            let (status, reason) = match policy {
                policy if keeps(&policy) => ("DELETE_SKIPPED", String::new()),
                _ => match account.delete(&member.physical) {
                    Ok(()) => ("DELETE_COMPLETE", String::new()),
                    Err(reason) => ("DELETE_FAILED", reason),
                },
            };
            self.happened(account, &id, &member.physical, &member.definition, status, &reason);
        }
    }

    fn add(&mut self, account: &mut Account, id: &str, definition: &Arc<Value>) -> Result<(), String> {
        let physical = account.create(self, id, definition)?;
        self.happened(account, id, &physical, definition, "CREATE_COMPLETE", "");
        self.members
            .insert(id.to_owned(), Member { physical, definition: Arc::clone(definition), status: "CREATE_COMPLETE" });
        Ok(())
    }

    pub(crate) fn is(&mut self, account: &mut Account, status: &'static str, reason: &str) {
        self.status = status;
        let (name, id) = (self.name.clone(), self.id.clone());
        let definition = serde_json::json!({ "Type": "AWS::CloudFormation::Stack" });
        self.happened(account, &name, &id, &definition, status, reason);
    }

    fn happened(
        &mut self,
        account: &mut Account,
        id: &str,
        physical: &str,
        definition: &Value,
        status: &'static str,
        reason: &str,
    ) {
        self.events.push(Event {
            number: account.number(),
            logical_id: id.to_owned(),
            physical: physical.to_owned(),
            kind: definition["Type"].as_str().unwrap_or_default().to_owned(),
            status,
            reason: reason.to_owned(),
        });
    }
}

/// Whether CloudFormation replaces a resource instead of updating it.
fn is_replaced(old: &Value, new: &Value) -> bool {
    let schema = aws::schema(new["Type"].as_str().unwrap_or_default());
    let mut properties = schema.into_iter().flat_map(|schema| schema.replaces_on).filter(|path| !path.contains('/'));
    old["Type"] != new["Type"] || properties.any(|name| old["Properties"][name] != new["Properties"][name])
}
