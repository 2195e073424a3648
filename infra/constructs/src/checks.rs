//! Checks that know AWS, for every template; [`ALL`] is passed to [`cfn::App::checks`].

mod alarms;
mod apis;
mod buckets;
mod distributions;
mod event_sources;
mod functions;
mod names;
mod policies;
mod ports;
mod queues;
mod tables;

use cfn::{Check, Entry, Finding, Json, Reference, Template, references};

use crate::schedule_expression::{check_cron, check_rate};
use crate::{bucket_name, event_pattern, limits};

/// Every check of this module, by name.
pub const ALL: &[Check] = &[
    check("wildcard-grants", wildcard_grants),
    check("policy-structure", policies::structure),
    check("actions", policies::actions),
    check("functions-without-logs", functions_without_logs),
    check("secrets-in-variables", secrets_in_variables),
    check("functions", functions::check),
    check("event-sources", event_sources::check),
    check("permissions-without-source", permissions_without_source),
    check("traces", traced_addresses),
    check("deletion-protection", protected_from_cloudformation),
    check("fixed-names", kept_under_a_fixed_name),
    check("limits", limits::check),
    check("names", names::check),
    check("event-patterns", event_pattern::check_all),
    check("bucket-names", bucket_names),
    check("buckets", buckets::check),
    check("tables", tables::check),
    check("queues", queues::check),
    check("apis", apis::check),
    check("distributions", distributions::check),
    check("ports", ports::check),
    check("alarms", alarms::check),
    check("schedule-expressions", schedule_expressions),
    check("attributes", attributes_that_do_not_exist),
];

const fn check(name: &'static str, run: fn(&Template) -> Vec<Finding>) -> Check {
    Check { name, run }
}

/// Actions that have resource types and are needed on `*` nevertheless: metrics outside of data sets, and network interfaces that do not exist
/// yet, as functions in a VPC create them.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html>
const ON_EVERYTHING: [&str; 7] = [
    "cloudwatch:GetMetricData",
    "cloudwatch:ListMetrics",
    "cloudwatch:PutMetricData",
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
];

/// Actions on statements of the Redshift Data API, which have no resource either: a condition must name the owner of the statement.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonredshiftdataapi.html>
const ON_STATEMENTS: [&str; 3] =
    ["redshift-data:CancelStatement", "redshift-data:DescribeStatement", "redshift-data:GetStatementResult"];
const STATEMENT_OWNER: &str = "redshift-data:statement-owner-iam-userid";

/// No role may perform all actions, or an action on all resources.
fn wildcard_grants(template: &Template) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (id, entry) in &template.resources {
        let documents = policies::documents(entry.ty, &entry.properties);
        let of_identities = documents.iter().filter(|(kind, _)| *kind == policies::Kind::Identity);
        let statements = of_identities.flat_map(|(_, document)| policies::statements(document));
        for statement in statements.filter(|statement| statement["Effect"] == "Allow") {
            let actions = strings(&statement["Action"]);
            if let Some(action) = actions.iter().find(|action| action.contains('*')) {
                findings.push(at(id, entry, format!("grants `{action}`")).help("name the actions"));
            }
            if strings(&statement["Resource"]).contains(&"*")
                && !actions.iter().any(|action| action.contains('*'))
                && let Some(action) = actions.iter().find(|action| !may_be_everywhere(action, &statement["Condition"]))
            {
                findings.push(at(id, entry, format!("grants `{action}` on every resource")).help("name the resources"));
            }
        }
    }
    findings
}

fn may_be_everywhere(action: &str, condition: &Json) -> bool {
    let is_named = |owner: &Json| !owner.is_null() && owner != "*";
    let of_one_owner =
        ["StringEquals", "StringLike"].iter().any(|operator| is_named(&condition[*operator][STATEMENT_OWNER]));
    let is_one_of = |actions: &[&str]| actions.iter().any(|known| known.eq_ignore_ascii_case(action));
    if is_one_of(&ON_STATEMENTS) {
        return of_one_owner;
    }
    is_one_of(&ON_EVERYTHING) || policies::is_without_resource(action)
}

/// Without a log group in the stack, Lambda creates one for the function that keeps everything forever and outlives the stack.
fn functions_without_logs(template: &Template) -> Vec<Finding> {
    of_type(template, "AWS::Lambda::Function")
        .filter(|(_, function)| function.properties["LoggingConfig"]["LogGroup"].is_null())
        .map(|(id, function)| at(id, function, "has no log group in the stack".to_owned()).help("set `logging_config`"))
        .collect()
}

/// Everyone who may describe a function can read its variables.
fn secrets_in_variables(template: &Template) -> Vec<Finding> {
    const SECRET_WORDS: [&str; 5] = ["PASSWORD", "PASSWD", "TOKEN", "API_KEY", "PRIVATE_KEY"];
    const REFERENCE_ENDINGS: [&str; 7] = ["_ARN", "_SECRET", "_ID", "_NAME", "_TABLE", "_URL", "_SECONDS"];
    let mut findings = Vec::new();
    for (id, entry) in of_type(template, "AWS::Lambda::Function") {
        let variables = entry.properties["Environment"]["Variables"].as_object();
        for (name, value) in variables.into_iter().flatten() {
            let upper = name.to_uppercase();
            let is_secret = SECRET_WORDS.iter().any(|word| upper.contains(word))
                && !REFERENCE_ENDINGS.iter().any(|word| upper.ends_with(word));
            if is_secret || value.to_string().contains("{{resolve:secretsmanager:") {
                let message = format!("has a secret in the environment variable `{name}`");
                findings.push(at(id, entry, message).help("pass the secret's ARN and let the function read it"));
            }
        }
    }
    findings
}

/// A permission for a whole service lets the rules and APIs of every account call the function.
fn permissions_without_source(template: &Template) -> Vec<Finding> {
    of_type(template, "AWS::Lambda::Permission")
        .filter(|(_, permission)| {
            let principal = permission.properties["Principal"].as_str();
            principal.is_some_and(|principal| principal.ends_with(".amazonaws.com"))
        })
        .filter(|(_, permission)| permission.properties["SourceArn"].is_null())
        .map(|(id, permission)| {
            at(id, permission, "lets any account call the function".to_owned()).help("set `source_arn`")
        })
        .collect()
}

/// No stage is traced. A segment of API Gateway contains the whole address with whatever a caller put into it, such as a signed link or
/// the ID of a job, and is kept for 30 days: <https://docs.aws.amazon.com/xray/latest/devguide/xray-services-apigateway.html>.
///
/// HTTP and WebSocket APIs cannot be traced: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-xray.html>.
fn traced_addresses(template: &Template) -> Vec<Finding> {
    of_type(template, "AWS::ApiGateway::Stage")
        .filter(|(_, stage)| stage.properties["TracingEnabled"] == true)
        .map(|(id, stage)| {
            at(id, stage, "lets X-Ray keep the whole address of each request".to_owned())
                .help("set `tracing_enabled` to false, and trace the functions behind it")
        })
        .collect()
}

/// A resource that CloudFormation is to delete, with its stack or when the creation of its stack fails, has no deletion protection.
///
/// Otherwise the deletion fails. After a failed first deployment, the resource is left behind with data of nobody, outside of any stack.
fn protected_from_cloudformation(template: &Template) -> Vec<Finding> {
    let is_on = |value: &Json| match value {
        Json::Bool(on) => *on,
        Json::String(text) => ["true", "active", "enabled"].contains(&text.to_lowercase().as_str()),
        _ => false,
    };
    let mut findings = Vec::new();
    for (id, entry) in &template.resources {
        let policy = entry.attribute("DeletionPolicy").and_then(Json::as_str).unwrap_or("Delete");
        let mut properties = entry.properties.as_object().into_iter().flatten();
        let protection = properties.find(|(name, value)| name.starts_with("DeletionProtection") && is_on(value));
        if let Some((name, _)) = protection
            && policy != "Retain"
        {
            let message = format!("has {name}, but its DeletionPolicy {policy} lets CloudFormation delete it");
            findings.push(at(id, entry, message).help("turn the protection off, or set the DeletionPolicy Retain"));
        }
    }
    findings
}

/// A resource that outlives its stack has a name of its own. With a fixed one, the stack could not be created again, nor the resource
/// replaced.
fn kept_under_a_fixed_name(template: &Template) -> Vec<Finding> {
    let is_kept = |entry: &Entry| {
        let policies =
            ["DeletionPolicy", "UpdateReplacePolicy"].map(|name| entry.attribute(name).and_then(Json::as_str));
        policies.into_iter().flatten().any(|policy| policy != "Delete")
    };
    let mut findings = Vec::new();
    for (id, entry) in template.resources.iter().filter(|(_, entry)| is_kept(entry)) {
        let names = aws::schema(entry.ty).into_iter().flat_map(|schema| schema.replaces_on);
        for name in names.filter(|name| name.ends_with("Name")) {
            let value = &entry.properties[*name];
            if !value.is_null() && !value.to_string().contains("AWS::StackId") {
                let message =
                    format!("has the fixed {name} {value}, but outlives its stack, which then cannot be created again");
                findings.push(at(id, entry, message).help("leave the name out, or add a part of AWS::StackId"));
            }
        }
    }
    findings
}

/// A bucket's name is part of a host name; the bindings know only its characters.
fn bucket_names(template: &Template) -> Vec<Finding> {
    let named = of_type(template, "AWS::S3::Bucket")
        .filter_map(|(id, bucket)| Some((id, bucket, bucket.properties["BucketName"].as_str()?)));
    named.filter_map(|(id, bucket, name)| Some(at(id, bucket, bucket_name::check(name).err()?))).collect()
}

/// The crons and rates of rules, which have the same form as those of schedules. The bindings know only what is around them.
fn schedule_expressions(template: &Template) -> Vec<Finding> {
    let inside = |expression: &str, kind: &str| {
        let inner = expression.strip_prefix(kind)?.strip_prefix('(')?.strip_suffix(')')?;
        Some(inner.to_owned())
    };
    let mut findings = Vec::new();
    for (id, entry) in &template.resources {
        let Some(expression) = entry.properties["ScheduleExpression"].as_str() else { continue };
        if !["AWS::Events::Rule", "AWS::Scheduler::Schedule"].contains(&entry.ty) || expression.contains("{{resolve:") {
            continue;
        }
        let wrong = match (inside(expression, "cron"), inside(expression, "rate")) {
            (Some(cron), _) => check_cron(&cron).err(),
            (_, Some(rate)) => check_rate(&rate).err(),
            _ => None,
        };
        findings.extend(wrong.map(|message| at(id, entry, message)));
    }
    findings
}

/// Every attribute that a template reads exists. Custom resources have those that their function returns.
fn attributes_that_do_not_exist(template: &Template) -> Vec<Finding> {
    let mut findings = Vec::new();
    let resources = template.resources.iter().map(|(id, entry)| (id, &entry.properties, Some(entry)));
    let outputs = template.outputs.iter().map(|(name, output)| (name, output, None));
    for (subject, json, entry) in resources.chain(outputs) {
        references(json, &mut |reference| {
            let Reference::Resource(id, Some(attribute)) = reference else { return };
            let Some(ty) = template.resources.get(id).map(|entry| entry.ty) else { return };
            let Some(schema) = aws::schema(ty).filter(|schema| !schema.attributes.contains(&attribute)) else { return };
            // A custom resource and a nested stack have attributes of their own.
            if ["AWS::CloudFormation::CustomResource", "AWS::CloudFormation::Stack"].contains(&ty) {
                return;
            }
            let message = format!("reads {id}.{attribute}, but {ty} has no such attribute");
            let finding = Finding::error(subject, message).help(match schema.attributes {
                [] => "it has no attributes".to_owned(),
                all => format!("it has {}", all.join(", ")),
            });
            findings.push(match entry {
                Some(entry) => finding.at(entry.location),
                None => finding,
            });
        });
    }
    findings
}

/// The resources of a type, with their logical IDs.
pub(crate) fn of_type<'a>(template: &'a Template, ty: &'a str) -> impl Iterator<Item = (&'a str, &'a Entry)> {
    template.resources.iter().filter(move |(_, entry)| entry.ty == ty).map(|(id, entry)| (id.as_str(), entry))
}

/// The values that a property can have: itself, or those of `Fn::If`.
fn alternatives(json: &Json) -> Vec<&Json> {
    match json["Fn::If"].as_array().map(Vec::as_slice) {
        Some([_, then, otherwise]) => [then, otherwise].into_iter().flat_map(alternatives).collect(),
        _ => vec![json],
    }
}

/// The resource that a value refers to by `Ref` or `Fn::GetAtt`.
fn referred<'a>(template: &'a Template, json: &Json) -> Option<(&'a str, &'a Entry)> {
    let id = json["Ref"].as_str().or(json["Fn::GetAtt"][0].as_str())?;
    template.resources.get_key_value(id).map(|(id, entry)| (id.as_str(), entry))
}

fn at(id: &str, entry: &Entry, message: String) -> Finding {
    Finding::error(id, message).at(entry.location)
}

fn list(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

/// IAM accepts a string instead of a list of one.
fn strings(json: &Json) -> Vec<&str> {
    match json {
        Json::String(one) => vec![one],
        _ => list(json).iter().filter_map(Json::as_str).collect(),
    }
}
