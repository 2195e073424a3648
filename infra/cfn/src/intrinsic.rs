//! CloudFormation's intrinsic functions, conditions and pseudo parameters. Macros and transforms are left out on purpose: with them, a
//! template means something that is not in it.
//!
//! Shapes: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>

use serde_json::json;

use crate::stack::Mapping;
use crate::{Json, Value};

/// `Fn::Sub`: `${Name}`, `${Name.Attribute}` and `${AWS::Region}` are replaced; the names are checked at synth.
pub fn sub(template: impl Into<String>) -> Value<String> {
    Value::raw(json!({ "Fn::Sub": template.into() }))
}

/// `Fn::Sub` with its own variables, which take precedence over names of the stack.
pub fn sub_with<const N: usize>(template: impl Into<String>, variables: [(&str, Value<String>); N]) -> Value<String> {
    let variables: serde_json::Map<String, Json> =
        variables.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    Value::raw(json!({ "Fn::Sub": [template.into(), variables] }))
}

/// `Fn::Join`.
pub fn join(delimiter: &str, parts: impl IntoIterator<Item = Value<String>>) -> Value<String> {
    let parts: Vec<Json> = parts.into_iter().map(Json::from).collect();
    Value::raw(json!({ "Fn::Join": [delimiter, parts] }))
}

/// `Fn::Join` over a list that is itself an intrinsic.
pub fn join_list(delimiter: &str, list: impl Into<Value<Vec<String>>>) -> Value<String> {
    Value::raw(json!({ "Fn::Join": [delimiter, Json::from(list.into())] }))
}

/// `Fn::Split`.
pub fn split(delimiter: &str, text: impl Into<Value<String>>) -> Value<Vec<String>> {
    Value::raw(json!({ "Fn::Split": [delimiter, Json::from(text.into())] }))
}

/// `Fn::Select`: the item at `index`, counted from 0.
pub fn select<T>(index: u32, list: impl Into<Value<Vec<T>>>) -> Value<T> {
    Value::raw(json!({ "Fn::Select": [index, Json::from(list.into())] }))
}

/// `Fn::Base64`.
pub fn base64(text: impl Into<Value<String>>) -> Value<String> {
    Value::raw(json!({ "Fn::Base64": Json::from(text.into()) }))
}

/// `Fn::GetAZs`: the availability zones of `region`; `""` is the stack's own.
pub fn availability_zones(region: impl Into<Value<String>>) -> Value<Vec<String>> {
    Value::raw(json!({ "Fn::GetAZs": Json::from(region.into()) }))
}

/// `Fn::Cidr`: `count` (1 to 256) blocks of `block`, each with `host_bits` bits for hosts.
pub fn cidr(block: impl Into<Value<String>>, count: u32, host_bits: u32) -> Value<Vec<String>> {
    Value::raw(json!({ "Fn::Cidr": [Json::from(block.into()), count, host_bits] }))
}

/// `Fn::ImportValue`: another stack's export. The export can be neither changed nor removed while this stack exists; [`stack_output`] does
/// not tie the stacks together.
pub fn import_value(export: impl Into<Value<String>>) -> Value<String> {
    Value::raw(json!({ "Fn::ImportValue": Json::from(export.into()) }))
}

/// `Fn::GetStackOutput`: an output of another stack in this account and region, read when this stack is created or updated; it may change
/// afterwards.
pub fn stack_output(stack: impl Into<Value<String>>, output: &str) -> Value<String> {
    Value::raw(json!({ "Fn::GetStackOutput": { "StackName": Json::from(stack.into()), "OutputName": output } }))
}

/// [`stack_output`] from a different region and, with `role_arn`, from a different account; the role needs `cloudformation:DescribeStacks`
/// there.
pub fn stack_output_from(
    stack: impl Into<Value<String>>,
    output: &str,
    region: impl Into<Value<String>>,
    role_arn: Option<Value<String>>,
) -> Value<String> {
    let mut arguments =
        json!({ "StackName": Json::from(stack.into()), "OutputName": output, "Region": Json::from(region.into()) });
    if let Some(role_arn) = role_arn {
        arguments["RoleArn"] = role_arn.into();
    }
    Value::raw(json!({ "Fn::GetStackOutput": arguments }))
}

/// `Fn::FindInMap`.
pub fn find_in_map<T>(
    mapping: &Mapping,
    key: impl Into<Value<String>>,
    second_key: impl Into<Value<String>>,
) -> Value<T> {
    Value::raw(json!({ "Fn::FindInMap": [mapping.name(), Json::from(key.into()), Json::from(second_key.into())] }))
}

/// `Fn::If`: `then` if the condition holds, otherwise `otherwise`; [`no_value`] as one of them removes the property.
pub fn if_<T>(condition: &NamedCondition, then: impl Into<Value<T>>, otherwise: impl Into<Value<T>>) -> Value<T> {
    let (then, otherwise) = (then.into(), otherwise.into());
    let unchecked = then.is_unchecked() || otherwise.is_unchecked();
    let json = json!({ "Fn::If": [condition.0, Json::from(then), Json::from(otherwise)] });
    if unchecked { Value::raw(json) } else { Value::from_parts(json, Vec::new()) }
}

/// A condition expression; [`crate::Stack::condition`] gives it the name under which [`if_`] and resources use it.
#[derive(Clone, Debug)]
pub struct Condition(Json);

/// A condition of a stack.
#[derive(Clone, Debug)]
pub struct NamedCondition(pub(crate) String);

/// `Fn::Equals`.
pub fn equals(left: impl Into<Value<String>>, right: impl Into<Value<String>>) -> Condition {
    Condition(json!({ "Fn::Equals": [Json::from(left.into()), Json::from(right.into())] }))
}

/// `Fn::Not`.
pub fn not(condition: impl Into<Condition>) -> Condition {
    Condition(json!({ "Fn::Not": [condition.into().0] }))
}

/// `Fn::And` of 2 to 10 conditions.
pub fn and<const N: usize>(conditions: [Condition; N]) -> Condition {
    const { assert!(N >= 2 && N <= 10, "Fn::And takes 2 to 10 conditions") }
    Condition(json!({ "Fn::And": conditions.map(|condition| condition.0).to_vec() }))
}

/// `Fn::Or` of 2 to 10 conditions.
pub fn or<const N: usize>(conditions: [Condition; N]) -> Condition {
    const { assert!(N >= 2 && N <= 10, "Fn::Or takes 2 to 10 conditions") }
    Condition(json!({ "Fn::Or": conditions.map(|condition| condition.0).to_vec() }))
}

impl From<&NamedCondition> for Condition {
    fn from(value: &NamedCondition) -> Self {
        Self(json!({ "Condition": value.0 }))
    }
}

impl From<Condition> for Json {
    fn from(value: Condition) -> Json {
        value.0
    }
}

macro_rules! pseudo_parameters {
    ($($(#[$doc:meta])* $function:ident -> $ty:ty = $name:literal;)*) => {$(
        $(#[$doc])*
        pub fn $function() -> Value<$ty> {
            Value::raw(json!({ "Ref": $name }))
        }
    )*};
}
pseudo_parameters! {
    /// The account that is deployed to, twelve digits.
    account_id -> String = "AWS::AccountId";
    /// The region that is deployed to.
    region -> String = "AWS::Region";
    /// `aws`, `aws-cn`, `aws-us-gov`.
    partition -> String = "AWS::Partition";
    /// The ARN of the stack.
    stack_id -> String = "AWS::StackId";
    /// The name of the stack.
    stack_name -> String = "AWS::StackName";
    /// `amazonaws.com`, or its counterpart in the partition.
    url_suffix -> String = "AWS::URLSuffix";
    /// The topics that receive the stack's events.
    notification_arns -> Vec<String> = "AWS::NotificationARNs";
}

/// `AWS::NoValue`: removes the property it is given to.
pub fn no_value<T>() -> Value<T> {
    Value::raw(json!({ "Ref": "AWS::NoValue" }))
}

/// The names that `Ref` accepts in every stack.
pub(crate) const PSEUDO_PARAMETERS: [&str; 8] = [
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];
