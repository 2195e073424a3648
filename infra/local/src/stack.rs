//! The resources of a deployed stack, with their physical IDs.

use anyhow::Context;
use aws_config::SdkConfig;
use aws_sdk_cloudformation::Client;
use serde_json::{Value, json};
use stand_ins::signed::Caller;

/// A deployed stack's resources.
#[derive(Debug, Clone)]
pub(crate) struct DeployedStack {
    /// The stack's name.
    pub(crate) name: String,
    system: String,
    resources: Vec<Resource>,
    template: Value,
}

#[derive(Debug, Clone)]
struct Resource {
    logical_id: String,
    kind: String,
    physical_id: String,
}

impl DeployedStack {
    /// Reads the stack back from CloudFormation.
    ///
    /// # Errors
    ///
    /// If CloudFormation does not know it, or it has no tag `ferrostack:system`.
    pub(crate) async fn read(config: &SdkConfig, name: &str) -> anyhow::Result<DeployedStack> {
        let client = Client::new(config);
        let mut resources = Vec::new();
        let mut pages = client.list_stack_resources().stack_name(name).into_paginator().send();
        while let Some(page) = pages.next().await {
            for summary in page?.stack_resource_summaries.unwrap_or_default() {
                resources.push(Resource {
                    logical_id: summary.logical_resource_id.unwrap_or_default(),
                    kind: summary.resource_type.unwrap_or_default(),
                    physical_id: summary.physical_resource_id.unwrap_or_default(),
                });
            }
        }
        let template = client.get_template().stack_name(name).send().await?;
        let template = serde_json::from_str(template.template_body().unwrap_or_default())?;
        let described = client.describe_stacks().stack_name(name).send().await?;
        let mut tags = described.stacks().iter().flat_map(|stack| stack.tags());
        let system = tags.find(|tag| tag.key() == Some("ferrostack:system")).and_then(|tag| tag.value());
        let system = system.with_context(|| format!("{name} has no tag ferrostack:system"))?.to_owned();
        Ok(DeployedStack { name: name.to_owned(), system, resources, template })
    }

    /// The name of the system whose stack it is, from its tag `ferrostack:system`.
    pub(crate) fn system(&self) -> &str {
        &self.system
    }

    /// The physical ID of the only resource of a type.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub(crate) fn only(&self, kind: &str) -> anyhow::Result<&str> {
        let found = self.resources.iter().find(|resource| resource.kind == kind);
        found.map(|resource| resource.physical_id.as_str()).with_context(|| format!("{} has no {kind}", self.name))
    }

    /// The physical ID of a resource.
    ///
    /// # Errors
    ///
    /// If the stack has no such resource.
    pub(crate) fn physical_id(&self, logical_id: &str) -> anyhow::Result<&str> {
        let found = self.resources.iter().find(|resource| resource.logical_id == logical_id);
        let found = found.with_context(|| format!("{} has no resource {logical_id}", self.name))?;
        Ok(&found.physical_id)
    }

    /// The last lines that the functions logged, for a message about a failure.
    pub(crate) async fn function_logs(&self, caller: &Caller, count: usize) -> String {
        let mut lines = Vec::new();
        for group in self.resources.iter().filter(|resource| resource.kind == "AWS::Logs::LogGroup") {
            let ask = json!({"logGroupName": group.physical_id});
            let answer = caller.json("logs", "Logs_20140328.FilterLogEvents", "1.1", &ask).await.unwrap_or_default();
            let events = answer["events"].as_array().cloned().unwrap_or_default();
            lines.extend(events.iter().filter_map(|event| Some(event["message"].as_str()?.trim().to_owned())));
        }
        lines[lines.len().saturating_sub(count)..].join("\n")
    }

    /// Gives each function the dead-letter queue of its template, which the emulator's CloudFormation ignores.
    /// Returns how many functions needed it.
    ///
    /// # Errors
    ///
    /// If the emulator rejects it.
    pub(crate) async fn give_dead_letter_queues(&self, caller: &Caller) -> anyhow::Result<usize> {
        let mut given = 0;
        for resource in self.resources.iter().filter(|resource| resource.kind == "AWS::Lambda::Function") {
            let target =
                &self.template["Resources"][&resource.logical_id]["Properties"]["DeadLetterConfig"]["TargetArn"];
            let queue = target["Fn::GetAtt"][0].as_str().and_then(|id| self.physical_id(id).ok());
            let Some((account, name)) = queue.and_then(account_and_name) else { continue };
            let arn = format!("arn:aws:sqs:{}:{account}:{name}", caller.region);
            let path = format!("/2015-03-31/functions/{}/configuration", resource.physical_id);
            let body = json!({"DeadLetterConfig": {"TargetArn": arn}}).to_string().into_bytes();
            caller.call("lambda", reqwest::Method::PUT, &path, &[("content-type", "application/json")], body).await?;
            given += 1;
        }
        Ok(given)
    }
}

/// From a queue's URL, `http://localhost:4566/000000000000/name`.
fn account_and_name(url: &str) -> Option<(&str, &str)> {
    let (rest, name) = url.rsplit_once('/')?;
    Some((rest.rsplit_once('/')?.1, name))
}
