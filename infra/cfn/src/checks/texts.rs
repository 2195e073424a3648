//! What CloudFormation replaces inside of texts: placeholders of `Fn::Sub`, and dynamic references.

use super::located;
use crate::intrinsic::PSEUDO_PARAMETERS;
use crate::references::placeholders;
use crate::{Finding, Json, Template};

/// The services of dynamic references.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html>
const SERVICES: [&str; 3] = ["secretsmanager", "ssm", "ssm-secure"];

/// The types with properties that take `ssm-secure`.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-ssm-secure-strings.html>
const WITH_SECURE_STRINGS: [&str; 7] = [
    "AWS::DirectoryService::",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::IAM::User",
    "AWS::KinesisFirehose::DeliveryStream",
    "AWS::OpsWorks::",
    "AWS::RDS::DB",
    "AWS::Redshift::Cluster",
];

/// Checks every text of the resources and of the outputs.
pub(super) fn check(template: &Template) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (id, entry) in &template.resources {
        texts(&entry.properties, Place::Alone, &mut |text, place| {
            if let Some(finding) = mistake(template, text, place, Some(entry.ty)) {
                findings.push(located(template, id, finding));
            }
        });
    }
    for (name, output) in &template.outputs {
        texts(&output["Value"], Place::Alone, &mut |text, place| {
            findings.extend(mistake(template, text, place, None).map(|message| Finding::error(name, message)));
        });
    }
    findings
}

/// Where a text is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A value of its own.
    Alone,
    /// The first argument of `Fn::Sub`.
    InSub,
    /// A part of `Fn::Join`: a dynamic reference may continue in the next one.
    InJoin,
}

fn texts<'a>(json: &'a Json, place: Place, found: &mut impl FnMut(&'a str, Place)) {
    match json {
        Json::String(text) => found(text, place),
        Json::Array(items) => items.iter().for_each(|item| texts(item, place, found)),
        Json::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), value) {
                    ("Fn::Sub", Json::String(text)) => found(text, Place::InSub),
                    ("Fn::Sub", Json::Array(arguments)) => {
                        for (index, argument) in arguments.iter().enumerate() {
                            texts(argument, if index == 0 { Place::InSub } else { Place::Alone }, found);
                        }
                    }
                    ("Ref" | "Fn::GetAtt", _) => {}
                    ("Fn::Join", value) => texts(value, Place::InJoin, found),
                    (_, value) => texts(value, Place::Alone, found),
                }
            }
        }
        _ => {}
    }
}

/// What is wrong with a text in a property of a resource of type `ty`, or in an output.
fn mistake(template: &Template, text: &str, place: Place, ty: Option<&str>) -> Option<String> {
    if text.starts_with("AWS::") && PSEUDO_PARAMETERS.contains(&text) {
        return Some(format!("has the text {text:?}, which is not replaced; use the function of `intrinsic`"));
    }
    if !text.bytes().any(|byte| byte == b'$' || byte == b'{') {
        return None;
    }
    if let Some((_, references)) = text.split_once("{{resolve:") {
        return references
            .split("{{resolve:")
            .find_map(|reference| dynamic_reference(reference, place, ty))
            .map(|message| format!("has the dynamic reference in {text:?}; {message}"));
    }
    if place == Place::InSub {
        return malformed(text);
    }
    // A text of several lines is a program or a document with placeholders of its own.
    if text.contains('\n') {
        return None;
    }
    let is_name = |name: &str| {
        let id = name.split('.').next().unwrap_or_default();
        template.resources.contains_key(id) || template.parameters.contains_key(id) || PSEUDO_PARAMETERS.contains(&id)
    };
    let name = placeholders(text).find(|name| is_name(name))?;
    Some(format!("has {text:?}, in which ${{{name}}} is not replaced; use `sub`"))
}

/// What is wrong with a dynamic reference, which is the text after `{{resolve:`.
fn dynamic_reference(reference: &str, place: Place, ty: Option<&str>) -> Option<String> {
    let service = reference.split(':').next().unwrap_or_default();
    if !SERVICES.contains(&service) {
        return Some(format!("its service must be one of {}", SERVICES.join(", ")));
    }
    if place == Place::Alone && !reference.contains("}}") {
        return Some("it must end in `}}`".to_owned());
    }
    let inside = reference.split("}}").next().unwrap_or_default();
    if place == Place::Alone && inside.split_once(':').is_none_or(|(_, name)| name.is_empty()) {
        return Some(format!("it must name what it reads, as in {{{{resolve:{service}:name}}}}"));
    }
    if inside.contains(' ') {
        return Some("it must not contain blanks".to_owned());
    }
    let Some(ty) = ty else {
        return (service != "ssm").then(|| format!("{service} is possible in the properties of resources only"));
    };
    let takes_secure = !ty.starts_with("AWS::") || WITH_SECURE_STRINGS.iter().any(|start| ty.starts_with(start));
    (service == "ssm-secure" && !takes_secure).then(|| format!("{ty} does not take ssm-secure; use secretsmanager"))
}

/// Whether a name can be in a placeholder.
pub(super) fn is_placeholder(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:".contains(&byte))
}

/// The first malformed placeholder of a `Fn::Sub`.
fn malformed(text: &str) -> Option<String> {
    text.split("${").skip(1).find_map(|rest| match rest.split_once('}') {
        None => Some(format!("has `sub` of {text:?}, in which a placeholder has no end; close it with `}}`")),
        // What follows `${!` is text.
        Some((name, _)) if !name.starts_with('!') && !is_placeholder(name) => Some(format!(
            "has `sub` of {text:?}, in which {name:?} is not a name; use letters, digits, `_`, `.` and `:`, or write `${{!` for a text"
        )),
        Some(_) => None,
    })
}
