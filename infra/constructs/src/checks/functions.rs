//! Functions: settings that exclude or require each other.
//!
//! <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html>

use cfn::{Finding, Json, Template};

use super::{at, of_type};

/// Variables that Lambda sets itself.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>
const RESERVED: [&str; 18] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

pub(super) fn check(template: &Template) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (id, entry) in of_type(template, "AWS::Lambda::Function") {
        let variables = entry.properties["Environment"]["Variables"].as_object();
        let variables = variables.into_iter().flatten().filter_map(|(name, _)| variable(name));
        let messages = variables.chain(package(&entry.properties)).chain(log_levels(&entry.properties));
        findings.extend(messages.map(|message| at(id, entry, message)));
    }
    findings
}

fn variable(name: &str) -> Option<String> {
    if RESERVED.contains(&name) {
        return Some(format!("sets the environment variable {name}, which Lambda sets itself; use a different name"));
    }
    let is_valid = name.len() >= 2
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (!is_valid).then(|| {
        format!(
            "has the environment variable {name:?}; use at least two letters, digits and `_`, starting with a letter"
        )
    })
}

/// A zip needs a handler and a runtime, and an image has its own.
fn package(function: &Json) -> Option<String> {
    let has = |name: &str| !function[name].is_null();
    if function["PackageType"] == "Image" {
        let excluded = ["Handler", "Runtime", "Layers"].into_iter().find(|name| has(name))?;
        return Some(format!("is an image and has a {excluded}; the image contains it, so remove it"));
    }
    if let Some(missing) = ["Handler", "Runtime"].into_iter().find(|name| !has(name)) {
        return Some(format!("is a zip and has no {missing}; set one"));
    }
    let runtime = function["Runtime"].as_str()?;
    let is_inline = !function["Code"]["ZipFile"].is_null();
    (is_inline && !runtime.starts_with("nodejs") && !runtime.starts_with("python"))
        .then(|| format!("has inline code for the runtime {runtime}; must be nodejs or python, or a zip in a bucket"))
}

fn log_levels(function: &Json) -> Option<String> {
    let logging = &function["LoggingConfig"];
    let level = ["ApplicationLogLevel", "SystemLogLevel"].into_iter().find(|level| !logging[*level].is_null())?;
    (logging["LogFormat"] != "JSON" && !logging["LogFormat"].is_object())
        .then(|| format!("has the {level}, which needs the LogFormat JSON"))
}
