//! Which rights a new template grants that the deployed one does not: in roles, policies, resource policies and permissions.
//!
//! Statements are compared action by action, resource by resource and principal by principal, so a statement that only became smaller
//! is not reported. Wildcards are not resolved: a narrower pattern counts as a different right.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

/// The rights that `new` adds to `old`, one line each, ordered by logical ID; all rights of a resource that is not in `old`.
pub(crate) fn added(old: &Value, new: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for id in logical_ids(old, new) {
        let (was, is) = (&old["Resources"][id], &new["Resources"][id]);
        let (before, after) = (Rights::of(was), Rights::of(is));
        let kind = is["Type"].as_str().unwrap_or_default();
        if was.is_null() && after.allowed.is_empty() && kind.starts_with("AWS::IAM::") {
            lines.push(format!("{id}: a new {kind}"));
        }
        let allowed = after.allowed.iter().filter(|right| !right.is_within(&before.allowed));
        lines.extend(allowed.map(|right| format!("{id}: {right}")));
        let undenied = before.denied.iter().filter(|right| !right.is_within(&after.denied));
        lines.extend(undenied.map(|right| format!("{id}: no longer denies {right}")));
    }
    lines
}

#[derive(Default)]
struct Rights {
    allowed: BTreeSet<Right>,
    denied: BTreeSet<Right>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Right {
    /// `dynamodb:PutItem on ${Claims.Arn}`.
    text: String,
    /// Empty if it always applies.
    condition: String,
}

/// Properties of IAM resources that attach rights which are defined elsewhere.
const ATTACHMENTS: [&str; 4] = ["ManagedPolicyArns", "Roles", "Users", "Groups"];
/// Properties of a function's permission that narrow it.
const NARROWING: [&str; 5] =
    ["EventSourceToken", "FunctionUrlAuthType", "PrincipalOrgID", "SourceAccount", "SourceArn"];

impl Rights {
    fn of(resource: &Value) -> Rights {
        let mut rights = Rights::default();
        let properties = &resource["Properties"];
        let kind = resource["Type"].as_str().unwrap_or_default();
        rights.collect(properties);
        if kind.starts_with("AWS::IAM::") {
            for property in ATTACHMENTS {
                let attached = values(&properties[property]).into_iter().map(|policy| format!("{property} {policy}"));
                rights.allowed.extend(attached.map(Right::always));
            }
            let boundary = values(&properties["PermissionsBoundary"]);
            rights
                .denied
                .extend(boundary.iter().map(|arn| Right::always(format!("what is outside the boundary {arn}"))));
        }
        if kind == "AWS::Lambda::Permission" {
            let [action, function, principal] =
                ["Action", "FunctionName", "Principal"].map(|name| shown(&properties[name]));
            let conditions = NARROWING.iter().filter(|name| !properties[**name].is_null());
            let conditions: Vec<_> =
                conditions.map(|name| format!("{name} is {}", shown(&properties[*name]))).collect();
            let text = format!("{action} on {function} to {principal}");
            rights.allowed.insert(Right { text, condition: conditions.join(" and ") });
        }
        rights
    }

    /// Adds every statement inside the value, wherever a resource type keeps its policies.
    fn collect(&mut self, value: &Value) {
        match value {
            Value::Object(map) => {
                for (name, value) in map {
                    match (name.as_str(), value) {
                        ("Statement", Value::Array(statements)) => {
                            for statement in statements {
                                self.add(statement, "");
                            }
                        }
                        ("Statement", statement) => self.add(statement, ""),
                        (_, value) => self.collect(value),
                    }
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.collect(item);
                }
            }
            // Some resource types take a policy as text.
            Value::String(text) if text.starts_with('{') => {
                if let Ok(policy) = serde_json::from_str::<Value>(text) {
                    self.collect(&policy);
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, statement: &Value, when: &str) {
        if let Some([condition, yes, no]) = statement["Fn::If"].as_array().map(Vec::as_slice) {
            self.add(yes, &format!("{when}{} holds ", shown(condition)));
            self.add(no, &format!("{when}{} does not hold ", shown(condition)));
            return;
        }
        let rights = match statement["Effect"].as_str() {
            Some("Allow") => &mut self.allowed,
            Some("Deny") => &mut self.denied,
            _ => return,
        };
        let condition = match &statement["Condition"] {
            Value::Null => when.trim_end().to_owned(),
            condition => format!("{when}{condition}"),
        };
        for action in parts(statement, "Action") {
            for resource in parts(statement, "Resource") {
                for principal in principals(statement) {
                    let on = if resource.is_empty() { "" } else { " on " };
                    let to = if principal.is_empty() { "" } else { " to " };
                    let text = format!("{action}{on}{resource}{to}{principal}");
                    rights.insert(Right { text, condition: condition.clone() });
                }
            }
        }
    }
}

impl Right {
    fn always(text: String) -> Right {
        Right { text, condition: String::new() }
    }

    /// Whether `others` contain this right, or contain it without a condition.
    fn is_within(&self, others: &BTreeSet<Right>) -> bool {
        others.contains(self) || others.contains(&Right::always(self.text.clone()))
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        if self.condition.is_empty() { Ok(()) } else { write!(f, ", if {}", self.condition) }
    }
}

/// Each value of `name`, or all values of `Not<name>` as one: those are exceptions, and removing one adds a right.
fn parts(statement: &Value, name: &str) -> Vec<String> {
    let exceptions = values(&statement[format!("Not{name}")]);
    if !exceptions.is_empty() {
        return vec![format!("all but {}", exceptions.join(", "))];
    }
    let parts = values(&statement[name]);
    if parts.is_empty() { vec![String::new()] } else { parts }
}

fn principals(statement: &Value) -> Vec<String> {
    match &statement["Principal"] {
        Value::Object(kinds) => kinds.values().flat_map(values).collect(),
        _ => parts(statement, "Principal"),
    }
}

fn values(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().map(shown).collect(),
        value => vec![shown(value)],
    }
}

/// Text as it is, references as in `Fn::Sub`, everything else as JSON.
fn shown(value: &Value) -> String {
    let intrinsic = value.as_object().filter(|map| map.len() == 1).and_then(|map| map.iter().next());
    match (value, intrinsic.map(|(name, argument)| (name.as_str(), argument))) {
        (Value::String(text), _) | (_, Some(("Fn::Sub", Value::String(text)))) => text.clone(),
        (_, Some(("Ref" | "Fn::GetAtt", Value::String(name)))) => format!("${{{name}}}"),
        (_, Some(("Fn::GetAtt", Value::Array(path)))) => {
            format!("${{{}}}", path.iter().map(shown).collect::<Vec<_>>().join("."))
        }
        _ => value.to_string(),
    }
}

fn logical_ids<'a>(old: &'a Value, new: &'a Value) -> BTreeSet<&'a str> {
    let resources = [old, new].into_iter().filter_map(|template| template["Resources"].as_object());
    resources.flat_map(|resources| resources.keys()).map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn role(statement: Value) -> Value {
        let policy = json!({"PolicyName": "Grants", "PolicyDocument": {"Statement": [statement]}});
        resource(json!({"Type": "AWS::IAM::Role", "Properties": {"Policies": [policy]}}))
    }

    fn resource(resource: Value) -> Value {
        json!({"Resources": {"Role": resource}})
    }

    fn allow(actions: Value) -> Value {
        json!({"Effect": "Allow", "Action": actions, "Resource": {"Fn::GetAtt": ["Claims", "Arn"]}})
    }

    #[test]
    fn an_added_action_is_reported_and_a_removed_one_is_not() {
        let (less, more) =
            (role(allow(json!("dynamodb:PutItem"))), role(allow(json!(["dynamodb:Scan", "dynamodb:PutItem"]))));
        assert_eq!(added(&less, &more), ["Role: dynamodb:Scan on ${Claims.Arn}"]);
        assert!(added(&more, &less).is_empty());
    }

    #[test]
    fn all_rights_of_a_new_role_are_reported() {
        let lines = added(&Value::Null, &role(allow(json!("dynamodb:Scan"))));
        assert_eq!(lines, ["Role: dynamodb:Scan on ${Claims.Arn}"]);
    }

    #[test]
    fn a_removed_condition_adds_a_right_and_an_added_one_does_not() {
        let mut narrow = allow(json!("dynamodb:Scan"));
        narrow["Condition"] = json!({"Bool": {"aws:SecureTransport": "true"}});
        let (narrow, wide) = (role(narrow), role(allow(json!("dynamodb:Scan"))));
        assert_eq!(added(&narrow, &wide), ["Role: dynamodb:Scan on ${Claims.Arn}"]);
        assert!(added(&wide, &narrow).is_empty());
    }

    #[test]
    fn removing_exceptions_and_denials_adds_rights() {
        let but = |actions: Value| role(json!({"Effect": "Allow", "NotAction": actions, "Resource": "*"}));
        assert_eq!(added(&but(json!(["iam:*", "kms:*"])), &but(json!("iam:*"))), ["Role: all but iam:* on *"]);
        let denial = role(json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Principal": "*"}));
        assert_eq!(added(&denial, &resource(json!({}))), ["Role: no longer denies s3:* on * to *"]);
    }

    #[test]
    fn a_statement_that_loses_its_template_condition_adds_a_right() {
        let conditional = json!({"Fn::If": ["UseTable", allow(json!("dynamodb:Scan")), {"Ref": "AWS::NoValue"}]});
        let lines = added(&role(conditional.clone()), &role(allow(json!("dynamodb:Scan"))));
        assert_eq!(lines, ["Role: dynamodb:Scan on ${Claims.Arn}"]);
        let lines = added(&Value::Null, &role(conditional));
        assert_eq!(lines, ["Role: dynamodb:Scan on ${Claims.Arn}, if UseTable holds"]);
    }

    #[test]
    fn attached_policies_a_removed_boundary_and_new_principals_add_rights() {
        let role = |properties: Value| resource(json!({"Type": "AWS::IAM::Role", "Properties": properties}));
        let lines =
            added(&role(json!({"PermissionsBoundary": "arn:b"})), &role(json!({"ManagedPolicyArns": ["arn:a"]})));
        assert_eq!(
            lines,
            ["Role: ManagedPolicyArns arn:a", "Role: no longer denies what is outside the boundary arn:b"]
        );
        let permission = |arn: &str| {
            let properties = json!({"Action": "lambda:InvokeFunction", "FunctionName": {"Ref": "Ping"},
                                    "Principal": "events.amazonaws.com", "SourceArn": arn});
            resource(json!({"Type": "AWS::Lambda::Permission", "Properties": properties}))
        };
        let lines = added(&permission("arn:1"), &permission("arn:2"));
        assert_eq!(lines, ["Role: lambda:InvokeFunction on ${Ping} to events.amazonaws.com, if SourceArn is arn:2"]);
    }
}
