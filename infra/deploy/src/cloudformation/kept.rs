//! Resources with data that are still there although their stack is gone, for example because a teardown kept them. Their tags say whose
//! they are: CloudFormation tags each resource with the stack's own tags, and with the stack's ID and name.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html>

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudformation::types::Stack;
use serde_json::{Value, json};

use crate::assembly::{PLATFORM, PLATFORM_STACK};
use crate::aws::json::TAGGING;
use crate::aws::sdk_error::from_sdk;
use crate::aws::{cloud_control, stacks};
use crate::cloudformation::live_stack::LiveResource;
use crate::{Error, Target};

/// A resource whose stack is gone.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) tenant: String,
    /// The name of the stack that it belonged to.
    pub(crate) stack: String,
    pub(crate) resource: LiveResource,
}

/// Whose resources are looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whose<'a> {
    Everyone,
    /// The platform is one of them if it is named.
    Tenant(&'a str),
}

/// What is kept of stacks that are not among `existing`, ordered by stack. One call per hundred resources of the services below.
pub(crate) async fn of_gone_stacks(target: &Target, whose: Whose<'_>, existing: &[Stack]) -> Result<Vec<Kept>, Error> {
    let filter = match whose {
        Whose::Everyone => json!({ "Key": stacks::TENANT }),
        Whose::Tenant(PLATFORM) => json!({ "Key": stacks::SYSTEM, "Values": [PLATFORM] }),
        Whose::Tenant(tenant) => json!({ "Key": stacks::TENANT, "Values": [tenant] }),
    };
    let mut question = json!({ "TagFilters": [filter], "ResourceTypeFilters": SERVICES, "ResourcesPerPage": 100 });
    let existing: BTreeSet<_> = existing.iter().filter_map(Stack::stack_id).collect();
    let mut kept = Vec::new();
    loop {
        let page =
            target.lanes.looks.call_to("tagging", || target.json.call(&TAGGING, "GetResources", &question)).await;
        let mut page = page.map_err(|error| from_sdk("looking for what deleted stacks have left", error))?;
        for found in page["ResourceTagMappingList"].as_array().into_iter().flatten() {
            kept.extend(of_gone_stack(target, found, &existing).await?);
        }
        match page["PaginationToken"].take() {
            Value::String(next) if !next.is_empty() => question["PaginationToken"] = next.into(),
            _ => break,
        }
    }
    kept.sort_by(|one, other| (&one.stack, &one.resource.logical_id).cmp(&(&other.stack, &other.resource.logical_id)));
    Ok(kept)
}

/// The services whose resources hold data.
const SERVICES: [&str; 7] = ["cognito-idp", "dynamodb", "logs", "redshift-serverless", "s3", "secretsmanager", "sqs"];

/// The resource, if its stack is gone. Tags whose keys start with `aws:` cannot be set by hand; a resource without them is not ours.
async fn of_gone_stack(target: &Target, found: &Value, existing: &BTreeSet<&str>) -> Result<Option<Kept>, Error> {
    let tags = found["Tags"].as_array().into_iter().flatten();
    let tags: BTreeMap<_, _> = tags.filter_map(|tag| Some((tag["Key"].as_str()?, tag["Value"].as_str()?))).collect();
    let of_stack =
        ["stack-id", "stack-name", "logical-id"].map(|key| tags.get(format!("aws:cloudformation:{key}").as_str()));
    let [Some(id), Some(&stack), Some(&logical_id)] = of_stack else { return Ok(None) };
    let tenant = match tags.get(stacks::TENANT) {
        Some(&tenant) if stacks::belongs_to(stack, tenant) => tenant,
        None if stack == PLATFORM_STACK => PLATFORM,
        _ => return Ok(None),
    };
    let arn = found["ResourceARN"].as_str().unwrap_or_default();
    if existing.contains(id) {
        return Ok(None);
    }
    let Some((kind, physical_id)) = identify(target, arn).await? else { return Ok(None) };
    let logical_id = logical_id.to_owned();
    let resource = LiveResource { logical_id, physical_id, kind: kind.to_owned(), retained: true };
    let exists = cloud_control::exists(target, kind, &resource.physical_id).await.unwrap_or(true);
    Ok(exists.then(|| Kept { tenant: tenant.to_owned(), stack: stack.to_owned(), resource }))
}

/// Type and identifier of a resource in CloudFormation; `None` for types without data.
async fn identify(target: &Target, arn: &str) -> Result<Option<(&'static str, String)>, Error> {
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    let [_, _, service, region, account, resource] = parts[..] else { return Ok(None) };
    let after = |start: &str| resource.strip_prefix(start).filter(|name| !name.contains('/')).map(str::to_owned);
    let of = |kind: &'static str, id: Option<String>| id.map(|id| (kind, id));
    Ok(match service {
        "cognito-idp" => of("AWS::Cognito::UserPool", after("userpool/")),
        "dynamodb" => of("AWS::DynamoDB::Table", after("table/")),
        // Names of log groups have slashes.
        "logs" => of("AWS::Logs::LogGroup", resource.strip_prefix("log-group:").map(str::to_owned)),
        "redshift-serverless" if resource.starts_with("namespace/") => {
            let kind = "AWS::RedshiftServerless::Namespace";
            of(kind, cloud_control::with_arn(target, kind, arn).await?)
        }
        "s3" => of("AWS::S3::Bucket", after("")),
        "secretsmanager" => of("AWS::SecretsManager::Secret", Some(arn.to_owned())),
        "sqs" => {
            let host = format!("sqs.{region}.{}", target.dns_suffix());
            of("AWS::SQS::Queue", Some(format!("https://{host}/{account}/{resource}")))
        }
        _ => None,
    })
}
