//! Queues: what is only possible for FIFO queues, and dead-letter queues of the same kind.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html>

use cfn::{Finding, Json, Template};

use super::{at, of_type, referred};

pub(super) fn check(template: &Template) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (id, entry) in of_type(template, "AWS::SQS::Queue") {
        let message = fifo(&entry.properties).or_else(|| dead_letters(template, &entry.properties));
        findings.extend(message.map(|message| at(id, entry, message)));
    }
    findings
}

fn fifo(queue: &Json) -> Option<String> {
    let is_fifo = queue["FifoQueue"] == true;
    let name = queue["QueueName"].as_str();
    if let Some(name) = name.filter(|name| name.ends_with(".fifo") != is_fifo && !name.contains("{{resolve:")) {
        return Some(match is_fifo {
            true => format!("is a FIFO queue with the name {name:?}; must end in .fifo"),
            false => format!("has the name {name:?}, but is not a FIFO queue; set fifo_queue, or remove .fifo"),
        });
    }
    let only_fifo = ["ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"];
    let name = only_fifo.into_iter().find(|name| !queue[*name].is_null() && queue[*name] != false)?;
    (!is_fifo).then(|| format!("has {name}, which only FIFO queues have; set fifo_queue, or remove it"))
}

fn dead_letters(template: &Template, queue: &Json) -> Option<String> {
    let (id, dead_letters) = referred(template, &queue["RedrivePolicy"]["deadLetterTargetArn"])?;
    let kind = |queue: &Json| if queue["FifoQueue"] == true { "a FIFO queue" } else { "a standard queue" };
    let (own, other) = (kind(queue), kind(&dead_letters.properties));
    (own != other)
        .then(|| format!("is {own}, but its dead-letter queue {id} is {other}; both must be of the same kind"))
}
