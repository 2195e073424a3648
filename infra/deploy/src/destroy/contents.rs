//! How much a resource with data contains, for the person who decides whether to delete it.

use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use serde_json::{Value, json};

use crate::Target;
use crate::aws::bucket::{self, readable_size};
use crate::aws::json::{DYNAMODB, LOGS, QUEUES, Service, USER_POOLS};
use crate::cloudformation::live_stack::LiveResource;

/// For example `12 items, 3.4 KiB`; `None` for a resource without a size, such as a secret. A size that cannot be found out does not
/// stop a teardown: the text says that it is unknown.
pub(super) async fn size(target: &Target, resource: &LiveResource) -> Option<String> {
    let id = resource.physical_id.as_str();
    let size = match resource.kind.as_str() {
        "AWS::S3::Bucket" => match bucket::size(target, id).await {
            Ok(None) => return None,
            Ok(Some(size)) => Ok(size),
            Err(error) => Err(error.code().map(str::to_owned)),
        },
        "AWS::DynamoDB::Table" => ask(target, &DYNAMODB, "DescribeTable", &json!({ "TableName": id })).await.map(table),
        "AWS::SQS::Queue" => {
            let question = json!({ "QueueUrl": id, "AttributeNames": MESSAGES });
            ask(target, &QUEUES, "GetQueueAttributes", &question).await.map(queue)
        }
        "AWS::Logs::LogGroup" => {
            let question = json!({ "logGroupNamePrefix": id });
            ask(target, &LOGS, "DescribeLogGroups", &question).await.map(|answer| log_group(&answer, id))
        }
        "AWS::Cognito::UserPool" => {
            ask(target, &USER_POOLS, "DescribeUserPool", &json!({ "UserPoolId": id })).await.map(user_pool)
        }
        _ => return None,
    };
    Some(size.unwrap_or_else(|code| match code {
        Some(code) if !code.is_empty() => format!("size unknown: {code}"),
        _ => "size unknown: no answer".to_owned(),
    }))
}

/// The answer, or the error code.
async fn ask(target: &Target, service: &Service, operation: &str, question: &Value) -> Result<Value, Option<String>> {
    let answer = target.lanes.looks.call_to(service.name, || target.json.call(service, operation, question)).await;
    answer.map_err(|error| error.code().map(str::to_owned))
}

/// DynamoDB updates its counts about every six hours.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html>
fn table(answer: Value) -> String {
    let number = |name: &str| answer["Table"][name].as_i64().unwrap_or(0);
    format!("{} items, {}, up to six hours ago", number("ItemCount"), readable_size(number("TableSizeBytes")))
}

/// Waiting, in flight, and delayed.
const MESSAGES: [&str; 3] =
    ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"];

fn queue(answer: Value) -> String {
    let number = |name: &str| answer["Attributes"][name].as_str().and_then(|text| text.parse::<u64>().ok());
    let messages: u64 = MESSAGES.into_iter().filter_map(number).sum();
    format!("about {messages} messages")
}

/// Other names may start with this one, but it comes first in alphabetical order.
fn log_group(answer: &Value, name: &str) -> String {
    let group = answer["logGroups"].as_array().into_iter().flatten().find(|group| group["logGroupName"] == name);
    readable_size(group.and_then(|group| group["storedBytes"].as_i64()).unwrap_or(0))
}

/// With its name, because its ID means nothing to a person.
fn user_pool(answer: Value) -> String {
    let pool = &answer["UserPool"];
    let users = pool["EstimatedNumberOfUsers"].as_u64().unwrap_or(0);
    format!("{}, about {users} users", pool["Name"].as_str().unwrap_or_default())
}
