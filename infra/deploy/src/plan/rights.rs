//! Which rights a new template gives that the deployed one does not: in roles, policies, resource policies and permissions.
//!
//! Statements are compared action by action, resource by resource and principal by principal, so that a statement which only lost
//! a part is no news. What is inside a wildcard is not weighed: a narrower pattern counts as another right.

use std::collections::BTreeSet;

use serde_json::Value;

/// The rights that `new` adds to `old`, one line each, ordered by logical id. Of a resource that is not in `old`, all its rights.
pub(crate) fn widened(old: &Value, new: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for id in logical_ids(old, new) {
        let (was, is) = (&old["Resources"][id], &new["Resources"][id]);
        let (before, after) = (Rights::of(was), Rights::of(is));
        let kind = is["Type"].as_str().unwrap_or_default();
        if was.is_null() && after.allowed.is_empty() && kind.starts_with("AWS::IAM::") {
            lines.push(format!("{id}: a new {kind}"));
        }
        let added = after.allowed.iter().filter(|right| !right.is_within(&before.allowed));
        lines.extend(added.map(|right| format!("{id}: {right}")));
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
    /// Empty when it always holds.
    condition: String,
}

/// Properties of IAM resources that attach rights written elsewhere.
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
                let attached = values(&properties[property]).into_iter().map(|it| format!("{property} {it}"));
                rights.allowed.extend(attached.map(Right::always));
            }
            let boundary = values(&properties["PermissionsBoundary"]);
            rights.denied.extend(boundary.iter().map(|it| Right::always(format!("what is outside the boundary {it}"))));
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

    /// Takes in every statement below, wherever a resource type keeps its policies.
    fn collect(&mut self, value: &Value) {
        match value {
            Value::Object(map) => {
                for (name, value) in map {
                    match (name.as_str(), value) {
                        ("Statement", Value::Array(statements)) => {
                            statements.iter().for_each(|statement| self.add(statement, ""));
                        }
                        ("Statement", statement) => self.add(statement, ""),
                        (_, value) => self.collect(value),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(item)),
            // Some types take a policy as text.
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

    /// Whether `others` has this right, or has it without a condition.
    fn is_within(&self, others: &BTreeSet<Right>) -> bool {
        others.contains(self) || others.contains(&Right::always(self.text.clone()))
    }
}

impl std::fmt::Display for Right {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.text)?;
        if self.condition.is_empty() { Ok(()) } else { write!(formatter, ", if {}", self.condition) }
    }
}

/// Each value of `name`, or all of `Not<name>` as one: those are exceptions, and taking one away gives a right.
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

/// References as `Fn::Sub` writes them; what is neither these nor text, as JSON.
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
    use super::*;
    use serde_json::json;

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
    fn an_added_action_is_told_and_a_removed_one_is_not() {
        let (less, more) =
            (role(allow(json!("dynamodb:PutItem"))), role(allow(json!(["dynamodb:Scan", "dynamodb:PutItem"]))));
        assert_eq!(widened(&less, &more), ["Role: dynamodb:Scan on ${Claims.Arn}"]);
        assert!(widened(&more, &less).is_empty());
    }

    #[test]
    fn the_rights_of_a_new_role_are_all_told() {
        let told = widened(&Value::Null, &role(allow(json!("dynamodb:Scan"))));
        assert_eq!(told, ["Role: dynamodb:Scan on ${Claims.Arn}"]);
    }

    #[test]
    fn a_lost_condition_widens_and_an_added_one_does_not() {
        let mut narrow = allow(json!("dynamodb:Scan"));
        narrow["Condition"] = json!({"Bool": {"aws:SecureTransport": "true"}});
        let (narrow, wide) = (role(narrow), role(allow(json!("dynamodb:Scan"))));
        assert_eq!(widened(&narrow, &wide), ["Role: dynamodb:Scan on ${Claims.Arn}"]);
        assert!(widened(&wide, &narrow).is_empty());
    }

    #[test]
    fn fewer_exceptions_and_denials_widen() {
        let but = |actions: Value| role(json!({"Effect": "Allow", "NotAction": actions, "Resource": "*"}));
        assert_eq!(widened(&but(json!(["iam:*", "kms:*"])), &but(json!("iam:*"))), ["Role: all but iam:* on *"]);
        let denial = role(json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Principal": "*"}));
        assert_eq!(widened(&denial, &resource(json!({}))), ["Role: no longer denies s3:* on * to *"]);
    }

    #[test]
    fn a_statement_that_loses_its_template_condition_widens() {
        let conditional = json!({"Fn::If": ["UseTable", allow(json!("dynamodb:Scan")), {"Ref": "AWS::NoValue"}]});
        let told = widened(&role(conditional.clone()), &role(allow(json!("dynamodb:Scan"))));
        assert_eq!(told, ["Role: dynamodb:Scan on ${Claims.Arn}"]);
        let told = widened(&Value::Null, &role(conditional));
        assert_eq!(told, ["Role: dynamodb:Scan on ${Claims.Arn}, if UseTable holds"]);
    }

    #[test]
    fn attached_policies_a_lost_boundary_and_new_principals_widen() {
        let role = |properties: Value| resource(json!({"Type": "AWS::IAM::Role", "Properties": properties}));
        let told =
            widened(&role(json!({"PermissionsBoundary": "arn:b"})), &role(json!({"ManagedPolicyArns": ["arn:a"]})));
        assert_eq!(
            told,
            ["Role: ManagedPolicyArns arn:a", "Role: no longer denies what is outside the boundary arn:b"]
        );
        let permission = |arn: &str| {
            let properties = json!({"Action": "lambda:InvokeFunction", "FunctionName": {"Ref": "Reload"},
                                    "Principal": "events.amazonaws.com", "SourceArn": arn});
            resource(json!({"Type": "AWS::Lambda::Permission", "Properties": properties}))
        };
        let told = widened(&permission("arn:1"), &permission("arn:2"));
        assert_eq!(told, ["Role: lambda:InvokeFunction on ${Reload} to events.amazonaws.com, if SourceArn is arn:2"]);
    }
}
