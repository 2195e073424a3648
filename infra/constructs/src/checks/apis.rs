//! REST APIs: parts that belong to the same API, and names.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/api/API_Operations.html>

use cfn::{Entry, Finding, Template};

use super::{at, list, referred};

pub(super) fn check(template: &Template) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (id, entry) in &template.resources {
        let properties = &entry.properties;
        let message = match entry.ty {
            "AWS::ApiGateway::RestApi" => ["Name", "Body", "BodyS3Location"]
                .iter()
                .all(|name| properties[*name].is_null())
                .then(|| "has no Name; set one, or a Body that contains it".to_owned()),
            "AWS::ApiGateway::Stage" => {
                let paths =
                    list(&properties["MethodSettings"]).iter().filter_map(|settings| settings["ResourcePath"].as_str());
                let wrong = paths.into_iter().find(|path| !path.starts_with('/'));
                wrong
                    .map(|path| format!("has method settings for {path:?}; must start with `/`"))
                    .or_else(|| of_other_api(template, entry, "DeploymentId"))
            }
            "AWS::ApiGateway::Method" => {
                of_other_api(template, entry, "AuthorizerId").or_else(|| authorization(template, entry))
            }
            _ => None,
        };
        findings.extend(message.map(|message| at(id, entry, message)));
    }
    findings
}

/// A stage and its deployment, or a method and its authorizer, are of one API.
fn of_other_api(template: &Template, entry: &Entry, property: &str) -> Option<String> {
    let (id, other) = referred(template, &entry.properties[property])?;
    let (own, others) = (&entry.properties["RestApiId"], &other.properties["RestApiId"]);
    (own != others && !others.is_null()).then(|| format!("has the {property} {id}, which belongs to a different API"))
}

fn authorization(template: &Template, method: &Entry) -> Option<String> {
    let (id, authorizer) = referred(template, &method.properties["AuthorizerId"])?;
    let expected = match authorizer.properties["Type"].as_str()? {
        "COGNITO_USER_POOLS" => "COGNITO_USER_POOLS",
        _ => "CUSTOM",
    };
    let ty = method.properties["AuthorizationType"].as_str()?;
    (ty != expected).then(|| format!("has the AuthorizationType {ty}; must be {expected}, because of {id}"))
}
