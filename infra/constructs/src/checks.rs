//! What is checked in every template because AWS is as it is; [`ALL`] goes into [`cfn::App::checks`].

use cfn::{Check, Entry, Finding, Json, Template};

/// Every check of this module.
pub const ALL: &[Check] = &[wildcard_grants, functions_without_logs, secrets_in_variables, permissions_without_source];

/// Actions that AWS defines without a resource to name.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>
const WITHOUT_RESOURCE: [&str; 2] = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"];

/// Actions on statements of the Redshift Data API, which have no resource either: a condition has to name their owner.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonredshiftdataapi.html>
const ON_STATEMENTS: [&str; 3] =
    ["redshift-data:CancelStatement", "redshift-data:DescribeStatement", "redshift-data:GetStatementResult"];
const STATEMENT_OWNER: &str = "redshift-data:statement-owner-iam-userid";

/// No role may do everything, and none may do something to everything.
fn wildcard_grants(template: &Template) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (id, entry) in &template.resources {
        let documents: Vec<&Json> = match entry.ty {
            "AWS::IAM::Role" => list(&entry.properties["Policies"]).iter().map(|it| &it["PolicyDocument"]).collect(),
            "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy" => vec![&entry.properties["PolicyDocument"]],
            _ => continue,
        };
        let statements = documents.iter().flat_map(|it| list(&it["Statement"]));
        for statement in statements.filter(|it| it["Effect"] == "Allow") {
            let actions = strings(&statement["Action"]);
            if let Some(action) = actions.iter().find(|it| it.contains('*')) {
                findings.push(at(id, entry, format!("grants `{action}`")).help("name the actions"));
            }
            if strings(&statement["Resource"]).contains(&"*")
                && let Some(action) = actions.iter().find(|it| !may_be_everywhere(it, &statement["Condition"]))
            {
                findings.push(at(id, entry, format!("grants `{action}` on every resource")).help("name the resources"));
            }
        }
    }
    findings
}

fn may_be_everywhere(action: &str, condition: &Json) -> bool {
    let is_named = |owner: &Json| !owner.is_null() && owner != "*";
    let of_one_owner = ["StringEquals", "StringLike"].iter().any(|it| is_named(&condition[*it][STATEMENT_OWNER]));
    WITHOUT_RESOURCE.contains(&action) || (of_one_owner && ON_STATEMENTS.contains(&action))
}

/// A function without a log group of the stack gets one from Lambda that keeps everything for ever and stays behind.
fn functions_without_logs(template: &Template) -> Vec<Finding> {
    of_type(template, "AWS::Lambda::Function")
        .filter(|(_, it)| it.properties["LoggingConfig"]["LogGroup"].is_null())
        .map(|(id, it)| at(id, it, "has no log group of its own".to_owned()).help("set `logging_config`"))
        .collect()
}

/// Everyone who may describe a function reads its variables.
fn secrets_in_variables(template: &Template) -> Vec<Finding> {
    const TELLING: [&str; 5] = ["PASSWORD", "PASSWD", "TOKEN", "API_KEY", "PRIVATE_KEY"];
    const POINTING: [&str; 7] = ["_ARN", "_SECRET", "_ID", "_NAME", "_TABLE", "_URL", "_SECONDS"];
    let mut findings = Vec::new();
    for (id, entry) in of_type(template, "AWS::Lambda::Function") {
        let variables = entry.properties["Environment"]["Variables"].as_object();
        for (name, value) in variables.into_iter().flatten() {
            let upper = name.to_uppercase();
            let telling = TELLING.iter().any(|it| upper.contains(it)) && !POINTING.iter().any(|it| upper.ends_with(it));
            if telling || value.to_string().contains("{{resolve:secretsmanager:") {
                let message = format!("has a secret in the environment variable `{name}`");
                findings.push(at(id, entry, message).help("give the secret's ARN and let the function read it"));
            }
        }
    }
    findings
}

/// A permission for a whole service lets every account's rules and APIs call the function.
fn permissions_without_source(template: &Template) -> Vec<Finding> {
    of_type(template, "AWS::Lambda::Permission")
        .filter(|(_, it)| it.properties["Principal"].as_str().is_some_and(|it| it.ends_with(".amazonaws.com")))
        .filter(|(_, it)| it.properties["SourceArn"].is_null())
        .map(|(id, it)| at(id, it, "lets any account call the function".to_owned()).help("set `source_arn`"))
        .collect()
}

fn of_type<'a>(template: &'a Template, ty: &'a str) -> impl Iterator<Item = (&'a str, &'a Entry)> {
    template.resources.iter().filter(move |(_, it)| it.ty == ty).map(|(id, it)| (id.as_str(), it))
}

fn at(id: &str, entry: &Entry, message: String) -> Finding {
    Finding::error(id, message).at(entry.location)
}

fn list(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

/// IAM takes one string for a list of one.
fn strings(json: &Json) -> Vec<&str> {
    match json {
        Json::String(one) => vec![one],
        _ => list(json).iter().filter_map(Json::as_str).collect(),
    }
}
