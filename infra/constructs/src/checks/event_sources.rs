//! What queues and streams send to functions.
//!
//! <https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html>

use cfn::{Entry, Finding, Json, Template};

use super::{at, of_type, referred};

/// Seconds that a message stays invisible, and that a function may run, if nothing is set.
const DEFAULT_VISIBILITY: u64 = 30;
const DEFAULT_TIMEOUT: u64 = 3;
/// The most messages of a batch from a FIFO queue, or from any queue without a batching window.
const SMALL_BATCH: u64 = 10;

pub(super) fn check(template: &Template) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (id, entry) in of_type(template, "AWS::Lambda::EventSourceMapping") {
        let source = &entry.properties["EventSourceArn"];
        let resource = referred(template, source).map(|(_, resource)| resource);
        let message = match (service(source, resource), resource) {
            (Some("sqs"), queue) => from_queue(template, entry, queue),
            (Some("dynamodb" | "kinesis"), _) if entry.properties["StartingPosition"].is_null() => {
                Some("reads a stream and has no StartingPosition; set LATEST or TRIM_HORIZON".to_owned())
            }
            _ => None,
        };
        findings.extend(message.map(|message| at(id, entry, message)));
    }
    findings
}

fn service<'a>(source: &'a Json, resource: Option<&Entry>) -> Option<&'a str> {
    match resource.map(|resource| resource.ty) {
        Some("AWS::SQS::Queue") => Some("sqs"),
        Some("AWS::DynamoDB::Table") => Some("dynamodb"),
        Some("AWS::Kinesis::Stream") => Some("kinesis"),
        _ => source.as_str()?.split(':').nth(2),
    }
}

fn from_queue(template: &Template, mapping: &Entry, queue: Option<&Entry>) -> Option<String> {
    let properties = &mapping.properties;
    if !properties["StartingPosition"].is_null() {
        return Some("reads a queue and has a StartingPosition, which only streams have; remove it".to_owned());
    }
    let is_fifo = queue.is_some_and(|queue| queue.properties["FifoQueue"] == true);
    let batch = properties["BatchSize"].as_u64().filter(|batch| *batch > SMALL_BATCH);
    if let Some(batch) = batch {
        if is_fifo {
            return Some(format!("reads a FIFO queue in batches of {batch}; must be at most {SMALL_BATCH}"));
        }
        if properties["MaximumBatchingWindowInSeconds"].is_null() {
            return Some(format!(
                "has batches of {batch}; over {SMALL_BATCH}, set MaximumBatchingWindowInSeconds to at least 1"
            ));
        }
    }
    let seconds = |json: &Json, default| if json.is_null() { Some(default) } else { json.as_u64() };
    let visibility = seconds(&queue?.properties["VisibilityTimeout"], DEFAULT_VISIBILITY)?;
    let (function_id, function) = referred(template, &properties["FunctionName"])?;
    let timeout = seconds(&function.properties["Timeout"], DEFAULT_TIMEOUT)?;
    (visibility < timeout).then(|| {
        format!(
            "reads a queue whose messages reappear after {visibility} seconds, while {function_id} may run for {timeout}; \
             set its VisibilityTimeout to at least {timeout}, better six times as much"
        )
    })
}
