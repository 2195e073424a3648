//! Removes from a template what the emulator rejects and the systems can run without, and reports it.

use anyhow::{Context, ensure};
use serde_json::Value;

/// Types that the emulator's CloudFormation does not know. Any other unknown type fails the deployment.
const UNKNOWN_TO_THE_EMULATOR: &[&str] = &[
    "AWS::Athena::DataCatalog",
    "AWS::QuickSight::Analysis",
    "AWS::QuickSight::Dashboard",
    "AWS::QuickSight::DataSet",
    "AWS::QuickSight::DataSource",
    "AWS::QuickSight::RefreshSchedule",
    "AWS::SecretsManager::ResourcePolicy",
    "AWS::SecretsManager::RotationSchedule",
];

/// The template without the resources that the emulator does not know, and a list of those, `LogicalId (Type)`.
///
/// # Errors
///
/// If the text is not a template, or a resource that remains refers to one that was removed.
pub fn leave_out(template: &str) -> anyhow::Result<(String, Vec<String>)> {
    let mut template: Value = serde_json::from_str(template).context("the template is not JSON")?;
    let resources = template["Resources"].as_object_mut().context("the template has no resources")?;
    let mut gone = Vec::new();
    resources.retain(|id, resource| {
        let kind = resource["Type"].as_str().unwrap_or_default();
        let stays = !UNKNOWN_TO_THE_EMULATOR.contains(&kind);
        if !stays {
            gone.push((id.clone(), format!("{id} ({kind})")));
        }
        stays
    });
    let is_gone = |id: &str| gone.iter().any(|(gone, _)| gone == id);
    for (id, resource) in resources.iter_mut() {
        match &mut resource["DependsOn"] {
            Value::Array(others) => others.retain(|other| !other.as_str().is_some_and(is_gone)),
            Value::String(other) if is_gone(other) => {
                _ = resource.as_object_mut().and_then(|fields| fields.remove("DependsOn"))
            }
            Value::Null => _ = resource.as_object_mut().and_then(|fields| fields.remove("DependsOn")),
            _ => {}
        }
        ensure!(!refers(resource, &is_gone), "{id} refers to a resource that the emulator does not know: {gone:?}");
    }
    if let Some(outputs) = template["Outputs"].as_object_mut() {
        outputs.retain(|_, output| !refers(output, &is_gone));
    }
    Ok((template.to_string(), gone.into_iter().map(|(_, name)| name).collect()))
}

/// Whether a `Ref`, `Fn::GetAtt` or `Fn::Sub` in it names one of these.
fn refers(value: &Value, is_gone: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(name, value)| match (name.as_str(), value) {
            ("Ref", Value::String(id)) => is_gone(id),
            ("Fn::GetAtt", Value::Array(path)) => path.first().and_then(Value::as_str).is_some_and(is_gone),
            ("Fn::Sub", Value::String(text)) => {
                text.split("${").skip(1).any(|part| is_gone(part.split(['}', '.']).next().unwrap_or_default()))
            }
            _ => refers(value, is_gone),
        }),
        Value::Array(items) => items.iter().any(|item| refers(item, is_gone)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template(more: Value) -> Value {
        let mut template = json!({
            "Resources": {
                "Board": {"Type": "AWS::QuickSight::Dashboard"},
                "Table": {"Type": "AWS::DynamoDB::Table", "DependsOn": ["Board", "Role"]},
                "Queue": {"Type": "AWS::SQS::Queue", "DependsOn": "Board"},
                "Role": {"Type": "AWS::IAM::Role"},
            },
            "Outputs": {
                "Link": {"Value": {"Fn::Sub": "https://x/${Board.Arn}"}},
                "Name": {"Value": {"Ref": "Table"}},
            },
        });
        for (id, resource) in more.as_object().unwrap() {
            template["Resources"][id] = resource.clone();
        }
        template
    }

    #[test]
    fn unknown_resources_are_removed_with_everything_that_only_refers_to_them() {
        let (left, gone) = leave_out(&template(json!({})).to_string()).unwrap();
        let left: Value = serde_json::from_str(&left).unwrap();
        assert_eq!(gone, ["Board (AWS::QuickSight::Dashboard)"]);
        let expected = json!({
            "Resources": {
                "Table": {"Type": "AWS::DynamoDB::Table", "DependsOn": ["Role"]},
                "Queue": {"Type": "AWS::SQS::Queue"},
                "Role": {"Type": "AWS::IAM::Role"},
            },
            "Outputs": {"Name": {"Value": {"Ref": "Table"}}},
        });
        assert_eq!(left, expected);
    }

    #[test]
    fn what_something_else_needs_cannot_be_left_out() {
        for reference in
            [json!({"Ref": "Board"}), json!({"Fn::GetAtt": ["Board", "Arn"]}), json!({"Fn::Sub": "${Board}"})]
        {
            let policy = json!({"Policy": {"Type": "AWS::IAM::Policy", "Properties": {"Resource": reference}}});
            let error = leave_out(&template(policy).to_string()).unwrap_err();
            assert!(error.to_string().starts_with("Policy refers to"), "{error}");
        }
    }
}
