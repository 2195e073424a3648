//! Policies: the form of their statements, and their actions.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

use cfn::{Finding, Json, Template};

use super::{at, list, strings};
use crate::iam_actions::{Acts, look_up};

/// What a policy is attached to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Who has it; its statements name resources.
    Identity,
    /// What it protects; its statements name principals.
    Resource,
    /// Who may assume a role; its statements name principals and no resources.
    Trust,
}

/// The policy documents of a resource.
pub(crate) fn documents<'a>(ty: &str, properties: &'a Json) -> Vec<(Kind, &'a Json)> {
    let property = match ty {
        "AWS::IAM::Role" => {
            let inline = list(&properties["Policies"]).iter().map(|policy| (Kind::Identity, &policy["PolicyDocument"]));
            return [(Kind::Trust, &properties["AssumeRolePolicyDocument"])].into_iter().chain(inline).collect();
        }
        "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy" => return vec![(Kind::Identity, &properties["PolicyDocument"])],
        "AWS::EC2::VPCEndpoint" | "AWS::S3::BucketPolicy" | "AWS::SQS::QueuePolicy" => "PolicyDocument",
        "AWS::KMS::Key" => "KeyPolicy",
        "AWS::SecretsManager::ResourcePolicy" => "ResourcePolicy",
        "AWS::ApiGateway::RestApi" => "Policy",
        _ => return Vec::new(),
    };
    vec![(Kind::Resource, &properties[property])]
}

/// The statements of a document; a single one need not be in a list.
pub(crate) fn statements(document: &Json) -> &[Json] {
    match &document["Statement"] {
        Json::Array(statements) => statements,
        Json::Null => &[],
        one => std::slice::from_ref(one),
    }
}

/// Every statement has the parts that it needs, and the document a version that IAM knows.
pub(super) fn structure(template: &Template) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (id, entry) in &template.resources {
        for (kind, document) in documents(entry.ty, &entry.properties) {
            let version =
                document["Version"].as_str().filter(|version| !["2012-10-17", "2008-10-17"].contains(version));
            let version = version.map(|version| format!("has a policy of version {version:?}; must be 2012-10-17"));
            let statements = statements(document).iter().filter_map(|statement| mistake(kind, statement));
            findings.extend(version.into_iter().chain(statements).map(|message| at(id, entry, message)));
        }
    }
    findings
}

fn mistake(kind: Kind, statement: &Json) -> Option<String> {
    if cfn::is_intrinsic(statement.as_object()?) {
        return None;
    }
    let has = |names: [&str; 2]| names.iter().filter(|name| !statement[**name].is_null()).count();
    let (actions, resources, principals) =
        (has(["Action", "NotAction"]), has(["Resource", "NotResource"]), has(["Principal", "NotPrincipal"]));
    let effect = &statement["Effect"];
    let wrong = if effect.is_null() || effect.as_str().is_some_and(|effect| !["Allow", "Deny"].contains(&effect)) {
        format!("Effect {effect}; must be Allow or Deny")
    } else if actions != 1 {
        format!("{actions} of Action and NotAction; must have one of them")
    } else if kind == Kind::Identity && principals > 0 {
        "a Principal; whoever has the policy is the principal, so remove it".to_owned()
    } else if kind != Kind::Identity && principals != 1 {
        format!("{principals} of Principal and NotPrincipal; must have one of them")
    } else if kind == Kind::Trust && resources > 0 {
        "a Resource; a trust policy is about its own role, so remove it".to_owned()
    } else if kind == Kind::Identity && resources != 1 {
        format!("{resources} of Resource and NotResource; must have one of them")
    } else {
        let arns = ["Resource", "NotResource"].into_iter().flat_map(|name| strings(&statement[name]));
        // In the policy of an API, `execute-api:/…` stands for the API itself.
        let known = ["arn:", "execute-api:/"];
        let is_arn =
            |arn: &str| arn == "*" || arn.contains("{{resolve:") || known.iter().any(|prefix| arn.starts_with(prefix));
        let wrong = arns.into_iter().find(|arn| !is_arn(arn))?;
        format!("the resource {wrong:?}; must be an ARN or `*`")
    };
    Some(format!("has a policy statement with {wrong}"))
}

/// Every action exists.
pub(super) fn actions(template: &Template) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (id, entry) in &template.resources {
        let documents = documents(entry.ty, &entry.properties);
        let statements = documents.iter().flat_map(|(_, document)| statements(document));
        let of_permission =
            (entry.ty == "AWS::Lambda::Permission").then(|| entry.properties["Action"].as_str()).flatten();
        let actions = statements
            .flat_map(|statement| ["Action", "NotAction"].into_iter().flat_map(|name| strings(&statement[name])));
        for action in actions.chain(of_permission).filter(|action| *action != "*" && !action.contains("{{resolve:")) {
            findings.extend(look_up(action).err().map(|message| at(id, entry, message)));
        }
    }
    findings
}

/// Whether AWS defines an action without a resource, so that a policy can only say `*`.
pub(super) fn is_without_resource(action: &str) -> bool {
    look_up(action) == Ok(Acts::WithoutResource)
}
