//! The limits that AWS documents for what several properties or resources have together.
//!
//! Limits of a single property are part of the bindings, and limits of a whole template of the engine; [`LIMITS`] lists the latter too. The
//! table in `docs/limits.md` is generated from here.

use cfn::limits as of_templates;
use cfn::{Entry, Finding, Json, Template};

use crate::checks::of_type;
use crate::estimate::Estimate;
use crate::event_pattern;

/// One limit.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// What is limited.
    pub name: &'static str,
    /// The most that is allowed.
    pub most: usize,
    /// What is counted.
    pub unit: &'static str,
    /// The page of AWS that states it.
    pub source: &'static str,
    /// What there is of it, for each resource that it applies to; `None` if the engine checks it.
    measure: Option<Measure>,
}

/// Counts something in a template: the logical ID of each resource that has it, with how much there is.
type Measure = fn(&Template) -> Vec<(&str, usize)>;

const CLOUDFORMATION: &str =
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html";
const LAMBDA: &str = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html";
const IAM: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html";
const EVENT_BRIDGE: &str = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html";
const API_GATEWAY: &str =
    "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html";
const HTTP_API: &str = "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html";
const FILTERS: &str = "https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html";
const CLOUD_FRONT: &str = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html";
const S3: &str = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html";
const KMS: &str = "https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html";
const VPC: &str = "https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html";
const SSM: &str = "https://docs.aws.amazon.com/general/latest/gr/ssm.html";
const DYNAMO_DB: &str = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html";
const SCHEDULER: &str = "https://docs.aws.amazon.com/scheduler/latest/UserGuide/scheduler-quotas.html";
const SECRETS: &str = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html";

/// Every limit, by service.
#[rustfmt::skip]
pub const LIMITS: &[Limit] = &[
    of_engine("resources of a template", of_templates::RESOURCES, "resources"),
    of_engine("parameters of a template", of_templates::NAMES, "parameters"),
    of_engine("outputs of a template", of_templates::NAMES, "outputs"),
    of_engine("mappings of a template", of_templates::NAMES, "mappings"),
    of_engine("a template in a bucket", of_templates::BYTES, "bytes"),
    of_engine("a template inside a request", of_templates::INLINE_BYTES, "bytes"),
    of_engine("the description of a template", of_templates::DESCRIPTION, "bytes"),
    of_engine("tags of a stack", of_templates::TAGS, "tags"),
    limit("tags of a resource", 50, "tags", CLOUDFORMATION, tags),
    limit("environment variables of a function, together", 4096, "bytes", LAMBDA, variables),
    limit("resource policy of a function", 20_480, "bytes", LAMBDA, function_policies),
    limit("inline policies of a role, together", 10_240, "characters", IAM, inline_policies),
    limit("trust policy of a role", 2048, "characters", IAM, |template| documents(template, "AWS::IAM::Role", "AssumeRolePolicyDocument")),
    limit("managed policies of a role", 10, "policies", IAM, |template| items(template, "AWS::IAM::Role", "ManagedPolicyArns")),
    limit("a managed policy", 6144, "characters", IAM, |template| documents(template, "AWS::IAM::ManagedPolicy", "PolicyDocument")),
    limit("an event pattern", event_pattern::LENGTH, "characters", EVENT_BRIDGE, |template| documents(template, "AWS::Events::Rule", "EventPattern")),
    limit("targets of a rule", 5, "targets", EVENT_BRIDGE, |template| items(template, "AWS::Events::Rule", "Targets")),
    limit("rules of one event bus", 300, "rules", EVENT_BRIDGE, rules_of_a_bus),
    limit("the input of a schedule", 262_144, "bytes", SCHEDULER, schedule_inputs),
    limit("resource policy of a REST API", 8192, "bytes", API_GATEWAY, |template| documents(template, "AWS::ApiGateway::RestApi", "Policy")),
    limit("path resources of a REST API", 300, "resources", API_GATEWAY, |template| children(template, "AWS::ApiGateway::Resource", "RestApiId")),
    limit("authorizers of a REST API", 10, "authorizers", API_GATEWAY, |template| children(template, "AWS::ApiGateway::Authorizer", "RestApiId")),
    limit("stages of a REST API", 10, "stages", API_GATEWAY, |template| children(template, "AWS::ApiGateway::Stage", "RestApiId")),
    limit("integrations of an HTTP or WebSocket API", 300, "integrations", HTTP_API, |template| children(template, "AWS::ApiGatewayV2::Integration", "ApiId")),
    limit("authorizers of an HTTP or WebSocket API", 10, "authorizers", HTTP_API, |template| children(template, "AWS::ApiGatewayV2::Authorizer", "ApiId")),
    limit("stages of an HTTP or WebSocket API", 10, "stages", HTTP_API, |template| children(template, "AWS::ApiGatewayV2::Stage", "ApiId")),
    limit("filters of an event source", 5, "filters", FILTERS, filters),
    limit("host names of a distribution", 100, "names", CLOUD_FRONT, host_names),
    limit("routes of an HTTP or WebSocket API", 300, "routes", HTTP_API, |template| children(template, "AWS::ApiGatewayV2::Route", "ApiId")),
    limit("a bucket policy", 20_480, "bytes", S3, |template| documents(template, "AWS::S3::BucketPolicy", "PolicyDocument")),
    limit("a key policy", 32_768, "bytes", KMS, |template| documents(template, "AWS::KMS::Key", "KeyPolicy")),
    limit("policy of a VPC endpoint", 20_480, "characters", VPC, |template| documents(template, "AWS::EC2::VPCEndpoint", "PolicyDocument")),
    limit("inbound rules of a security group", 60, "rules", VPC, |template| items(template, "AWS::EC2::SecurityGroup", "SecurityGroupIngress")),
    limit("a standard parameter", 4096, "characters", SSM, ssm_parameters),
    limit("global secondary indexes of a table", 20, "indexes", DYNAMO_DB, |template| items(template, "AWS::DynamoDB::Table", "GlobalSecondaryIndexes")),
    limit("resource policy of a secret", 20_480, "characters", SECRETS, |template| documents(template, "AWS::SecretsManager::ResourcePolicy", "ResourcePolicy")),
];

const fn of_engine(name: &'static str, most: usize, unit: &'static str) -> Limit {
    Limit { name, most, unit, source: CLOUDFORMATION, measure: None }
}

const fn limit(name: &'static str, most: usize, unit: &'static str, source: &'static str, measure: Measure) -> Limit {
    Limit { name, most, unit, source, measure: Some(measure) }
}

/// Every resource that exceeds a limit.
pub(crate) fn check(template: &Template) -> Vec<Finding> {
    let mut findings = Vec::new();
    for limit in LIMITS {
        let measured = limit.measure.map(|measure| measure(template)).unwrap_or_default();
        for (subject, amount) in measured.into_iter().filter(|(_, amount)| *amount > limit.most) {
            let message = format!("{}: {amount} {}; must be at most {}", limit.name, limit.unit, limit.most);
            let finding = Finding::error(subject, message).help(format!("see {}", limit.source));
            findings.push(match template.resources.get(subject) {
                Some(entry) => finding.at(entry.location),
                None => finding,
            });
        }
    }
    findings
}

/// The table for `docs/limits.md`.
pub fn markdown() -> String {
    let mut table = "| what | at most | source |\n|---|---|---|\n".to_owned();
    for Limit { name, most, unit, source, .. } in LIMITS {
        table.push_str(&format!("| {name} | {} {unit} | [AWS]({source}) |\n", with_commas(*most)));
    }
    table
}

fn with_commas(number: usize) -> String {
    let digits = number.to_string();
    let (first, rest) = digits.split_at(digits.len().saturating_sub(3));
    if first.is_empty() { digits } else { format!("{},{rest}", with_commas(first.parse().unwrap_or_default())) }
}

/// The lengths of a property that is a JSON document.
fn documents<'a>(template: &'a Template, ty: &'a str, property: &str) -> Vec<(&'a str, usize)> {
    let estimate = Estimate::new(template);
    let documents = of_type(template, ty).filter(|(_, entry)| !entry.properties[property].is_null());
    documents.map(|(id, entry)| (id, estimate.document(&entry.properties[property]))).collect()
}

/// The lengths of a property that is a list.
fn items<'a>(template: &'a Template, ty: &'a str, property: &str) -> Vec<(&'a str, usize)> {
    of_type(template, ty).filter_map(|(id, entry)| Some((id, entry.properties[property].as_array()?.len()))).collect()
}

/// How many resources of a type refer to the same parent, by one of them.
fn children<'a>(template: &'a Template, ty: &'a str, property: &str) -> Vec<(&'a str, usize)> {
    grouped(of_type(template, ty).map(|(id, entry)| (id, &entry.properties[property], 1)))
}

/// Sums by key, each with the last ID that added to it: the one that is too many.
fn grouped<'a>(amounts: impl Iterator<Item = (&'a str, &'a Json, usize)>) -> Vec<(&'a str, usize)> {
    let mut sums: Vec<(&str, &Json, usize)> = Vec::new();
    for (id, key, amount) in amounts {
        match sums.iter_mut().find(|(_, other, _)| *other == key) {
            Some((last, _, sum)) => (*last, *sum) = (id, *sum + amount),
            None => sums.push((id, key, amount)),
        }
    }
    sums.into_iter().map(|(id, _, sum)| (id, sum)).collect()
}

fn tags(template: &Template) -> Vec<(&str, usize)> {
    let count = |entry: &Entry| match &entry.properties["Tags"] {
        Json::Array(tags) => tags.len(),
        Json::Object(tags) => tags.len(),
        _ => 0,
    };
    template.resources.iter().map(|(id, entry)| (id.as_str(), count(entry))).collect()
}

fn variables(template: &Template) -> Vec<(&str, usize)> {
    let estimate = Estimate::new(template);
    let together = |entry: &Entry| {
        let variables = entry.properties["Environment"]["Variables"].as_object();
        variables.into_iter().flatten().map(|(name, value)| name.len() + estimate.text(value).len()).sum()
    };
    of_type(template, "AWS::Lambda::Function").map(|(id, entry)| (id, together(entry))).collect()
}

/// Lambda writes a statement for each permission.
fn function_policies(template: &Template) -> Vec<(&str, usize)> {
    let estimate = Estimate::new(template);
    let statement = |id: &str, permission: &Entry| {
        let properties = &permission.properties;
        let mut conditions = serde_json::Map::new();
        for (operator, key, property) in
            [("ArnLike", "AWS:SourceArn", "SourceArn"), ("StringEquals", "AWS:SourceAccount", "SourceAccount")]
        {
            if !properties[property].is_null() {
                conditions.insert(operator.to_owned(), serde_json::json!({ key: properties[property] }));
            }
        }
        let statement = serde_json::json!({
            "Sid": estimate.physical_name(id),
            "Effect": "Allow",
            "Principal": { "Service": properties["Principal"] },
            "Action": properties["Action"],
            "Resource": properties["FunctionName"],
            "Condition": conditions,
        });
        // And a comma.
        estimate.document(&statement) + 1
    };
    let permissions = of_type(template, "AWS::Lambda::Permission");
    grouped(permissions.map(|(id, entry)| (id, &entry.properties["FunctionName"], statement(id, entry))))
}

fn inline_policies(template: &Template) -> Vec<(&str, usize)> {
    let estimate = Estimate::new(template);
    let own = |entry: &Entry| -> usize {
        let policies = entry.properties["Policies"].as_array();
        policies.into_iter().flatten().map(|policy| estimate.document(&policy["PolicyDocument"])).sum()
    };
    let attached = |role: &str| -> usize {
        let policies = of_type(template, "AWS::IAM::Policy").filter(|(_, policy)| {
            let roles = policy.properties["Roles"].as_array();
            roles.into_iter().flatten().any(|reference| reference["Ref"] == role)
        });
        policies.map(|(_, policy)| estimate.document(&policy.properties["PolicyDocument"])).sum()
    };
    of_type(template, "AWS::IAM::Role").map(|(id, role)| (id, own(role) + attached(id))).collect()
}

fn filters(template: &Template) -> Vec<(&str, usize)> {
    let count = |entry: &Entry| entry.properties["FilterCriteria"]["Filters"].as_array().map_or(0, Vec::len);
    of_type(template, "AWS::Lambda::EventSourceMapping").map(|(id, entry)| (id, count(entry))).collect()
}

fn host_names(template: &Template) -> Vec<(&str, usize)> {
    let count = |entry: &Entry| entry.properties["DistributionConfig"]["Aliases"].as_array().map_or(0, Vec::len);
    of_type(template, "AWS::CloudFront::Distribution").map(|(id, entry)| (id, count(entry))).collect()
}

fn rules_of_a_bus(template: &Template) -> Vec<(&str, usize)> {
    children(template, "AWS::Events::Rule", "EventBusName")
}

fn schedule_inputs(template: &Template) -> Vec<(&str, usize)> {
    let estimate = Estimate::new(template);
    let input = |entry: &Entry| estimate.text(&entry.properties["Target"]["Input"]).len();
    of_type(template, "AWS::Scheduler::Schedule").map(|(id, entry)| (id, input(entry))).collect()
}

fn ssm_parameters(template: &Template) -> Vec<(&str, usize)> {
    let estimate = Estimate::new(template);
    let standard = of_type(template, "AWS::SSM::Parameter").filter(|(_, entry)| entry.properties["Tier"].is_null());
    standard.map(|(id, entry)| (id, estimate.text(&entry.properties["Value"]).chars().count())).collect()
}
