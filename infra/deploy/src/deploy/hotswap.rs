//! `deploy --hotswap`: gives the functions of deployed stacks their new code, and changes nothing else.
//!
//! CloudFormation does not know about it: deploying the code that CloudFormation knows changes nothing, and deploying any other code
//! replaces the swapped one. So this is for development.

use std::fmt;

use aws_sdk_cloudformation::types::Stack;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::error::ProvideErrorMetadata;
use aws_sdk_lambda::types::{Architecture, LastUpdateStatus};
use serde_json::Value;

use crate::assembly::StackArtifact;
use crate::aws::assets;
use crate::aws::pauses::Pauses;
use crate::aws::sdk_error::from_sdk;
use crate::aws::stacks;
use crate::cloudformation::live_stack::{self, LiveStack};
use crate::cloudformation::next_step::{NextStep, next_step};
use crate::{Assembly, Error, Progress, Target};

/// What was swapped in one stack, and what was skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swapped {
    stack: String,
    functions: Vec<String>,
    /// One line per resource or section of the template that differs and was not changed.
    skipped: Vec<String>,
}

/// Gives each function of the assembly's stacks its code, and waits until Lambda runs it.
///
/// # Errors
///
/// [`Error::Refused`] if a stack is not deployed, or its last deployment did not finish.
pub async fn hotswap(target: &Target, assembly: &Assembly, progress: &Progress) -> Result<Vec<Swapped>, Error> {
    assets::upload_missing(target, &assembly.stacks, progress).await?;
    let mut swapped = Vec::new();
    for stack in &assembly.stacks {
        let target = &target.of(stack)?;
        let lambda = aws_sdk_lambda::config::Builder::from(target.config()).retry_config(RetryConfig::disabled());
        let lambda = aws_sdk_lambda::Client::from_conf(lambda.build());
        progress.begin(format!("{}: swapping code", stack.name), 0);
        let live = live_stack::read(target, &stack.name).await?;
        let ready =
            |live: &LiveStack| live.stack.stack_status().is_some_and(|status| next_step(status) == NextStep::Update);
        let Some(live) = live.filter(ready) else {
            return Err(Error::Refused(format!("{} is not deployed yet; run a normal deployment first", stack.name)));
        };
        let document = stack.template.document()?;
        let mut functions = Vec::new();
        for resource in &live.resources {
            let Some(key) = code_key(stack, &document, &resource.logical_id) else { continue };
            let architecture = architecture(&document, &resource.logical_id);
            swap(target, &lambda, &resource.physical_id, key, architecture).await?;
            functions.push(resource.logical_id.clone());
        }
        let mut skipped = different(&live.template, &document);
        skipped.extend(depending(&document, &new_keys(stack, &live.stack)));
        swapped.push(Swapped { stack: stack.name.clone(), functions, skipped });
    }
    Ok(swapped)
}

/// The key of the function's code, if the resource is a function whose code is in the assembly.
fn code_key<'a>(stack: &'a StackArtifact, document: &Value, logical_id: &str) -> Option<&'a str> {
    let resource = &document["Resources"][logical_id];
    let parameter = resource["Properties"]["Code"]["S3Key"]["Ref"].as_str()?;
    (resource["Type"] == "AWS::Lambda::Function").then_some(())?;
    stack.parameters.get(parameter).map(String::as_str)
}

/// What the code was built for, which Lambda assumes to be as before if it is not given.
fn architecture(document: &Value, logical_id: &str) -> Architecture {
    let chosen = document["Resources"][logical_id]["Properties"]["Architectures"][0].as_str();
    chosen.map_or(Architecture::X8664, Architecture::from)
}

async fn swap(
    target: &Target,
    lambda: &aws_sdk_lambda::Client,
    function: &str,
    key: &str,
    architecture: Architecture,
) -> Result<(), Error> {
    let doing = format!("giving {function} its code");
    let update = lambda.update_function_code().function_name(function).s3_bucket(&target.bucket.name).s3_key(key);
    let update = update.architectures(architecture);
    let mut pauses = Pauses::new();
    loop {
        match target.lanes.changes.call_to("Lambda", || update.clone().send()).await {
            Ok(_) => break,
            // Another update is under way, or this one is and its answer was lost.
            Err(error) if error.code() == Some("ResourceConflictException") => pauses.wait(&doing).await?,
            Err(error) => return Err(from_sdk(&doing, error)),
        }
    }
    loop {
        let look = lambda.get_function_configuration().function_name(function);
        let state = target
            .lanes
            .looks
            .call_to("Lambda", || look.clone().send())
            .await
            .map_err(|error| from_sdk(&doing, error))?;
        match state.last_update_status() {
            Some(LastUpdateStatus::InProgress) => pauses.wait(&doing).await?,
            Some(LastUpdateStatus::Failed) => {
                let reason = state.last_update_status_reason().unwrap_or("Lambda gave no reason");
                return Err(Error::Failed(format!("{doing} failed: {reason}")));
            }
            _ => return Ok(()),
        }
    }
}

/// What differs in the new template, without the code, which is in the parameters.
fn different(old: &Value, new: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let empty = serde_json::Map::new();
    let resources = |template: &Value| template["Resources"].as_object().unwrap_or(&empty).clone();
    let (before, after) = (resources(old), resources(new));
    for (id, resource) in &after {
        match before.get(id) {
            None => lines.push(format!("{id} is new")),
            Some(old) if old != resource => lines.push(format!("{id} is changed")),
            Some(_) => {}
        }
    }
    lines.extend(before.keys().filter(|id| !after.contains_key(*id)).map(|id| format!("{id} is removed")));
    let sections = ["Parameters", "Mappings", "Conditions", "Outputs"];
    lines.extend(sections.iter().filter(|name| old[**name] != new[**name]).map(|name| format!("{name} are changed")));
    lines
}

/// Names of the parameters whose value, the key of some code, differs from the deployed one.
fn new_keys(stack: &StackArtifact, live: &Stack) -> Vec<String> {
    let is_new = |(name, key): &(&String, &String)| stacks::parameter(live, name) != Some(key);
    stack.parameters.iter().filter(is_new).map(|(name, _)| name.clone()).collect()
}

/// What else a deployment changes because of new code: a custom resource has its function's key among its properties, so that it is
/// updated with the code.
fn depending(template: &Value, keys: &[String]) -> Vec<String> {
    let depends = |resource: &Value| {
        let mut resource = resource.clone();
        if resource["Type"] == "AWS::Lambda::Function" {
            resource["Properties"]["Code"].take();
        }
        keys.iter().any(|key| refers(&resource, key))
    };
    let resources = template["Resources"].as_object().into_iter().flatten();
    resources.filter(|(_, resource)| depends(resource)).map(|(id, _)| format!("{id} depends on new code")).collect()
}

fn refers(value: &Value, parameter: &str) -> bool {
    match value {
        Value::Object(map) => {
            map.get("Ref").is_some_and(|name| name == parameter) || map.values().any(|value| refers(value, parameter))
        }
        Value::Array(items) => items.iter().any(|item| refers(item, parameter)),
        Value::String(text) => text.contains(&format!("${{{parameter}}}")),
        _ => false,
    }
}

impl fmt::Display for Swapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.functions.as_slice() {
            [] => write!(f, "{}: no functions to swap", self.stack)?,
            functions => write!(f, "{}: code swapped: {}", self.stack, functions.join(", "))?,
        }
        if !self.skipped.is_empty() {
            write!(f, "; skipped, because it needs a deployment: {}", self.skipped.join(", "))?;
        }
        Ok(())
    }
}
