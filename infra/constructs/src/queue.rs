//! SQS queues.

use aws::sqs::queue::{self, Queue as SqsQueue};
use aws::sqs::queue_policy::{QueuePolicy, Required};
use cfn::intrinsic::sub;
use cfn::{Attributes, Construct, Json, Scope, Value};
use serde_json::json;

use crate::event_rule::RULES_OF_STACK;
use crate::grant::{Grant, deny_plain_http, document};

/// An encrypted queue that accepts messages only over TLS and keeps them for 14 days. The queue is kept when its stack is deleted.
#[derive(Clone, Debug, Default)]
pub struct Queue {}

impl Queue {
    /// Days that a message is kept: the most that SQS allows.
    pub const DAYS: i64 = 14;

    /// A queue for messages that could not be processed.
    pub fn dead_letters() -> Self {
        Self::default()
    }
}

impl Construct for Queue {
    type Ref = QueueRef;

    fn add_to(self, scope: &mut Scope<'_>) -> QueueRef {
        let queue = scope.add_here(
            SqsQueue::new().message_retention_period(Self::DAYS * 24 * 60 * 60).sqs_managed_sse_enabled(true).retain(),
        );
        let statements = vec![deny_plain_http("sqs:*", vec![queue.arn()]), from_event_rules(&queue)];
        scope.add(
            "Policy",
            QueuePolicy::new(Required {
                policy_document: document(statements).into(),
                queues: [queue.reference()].into(),
            }),
        );
        QueueRef(queue)
    }
}

/// Lets the stack's own event rules send events that they could not deliver: [`crate::EventRule`] names the rules after the stack.
fn from_event_rules(queue: &queue::QueueRef) -> Json {
    json!({
        "Effect": "Allow",
        "Principal": { "Service": "events.amazonaws.com" },
        "Action": "sqs:SendMessage",
        "Resource": Json::from(queue.arn()),
        "Condition": {
            "ArnLike": {
                "aws:SourceArn": Json::from(sub(RULES_OF_STACK)),
            },
        },
    })
}

/// A queue in a stack.
#[derive(Clone, Debug)]
pub struct QueueRef(queue::QueueRef);

impl QueueRef {
    /// The queue's ARN.
    pub fn arn(&self) -> Value<String> {
        self.0.arn()
    }

    /// The queue's URL.
    pub fn url(&self) -> Value<String> {
        self.0.reference()
    }

    /// The queue's name.
    pub fn name(&self) -> Value<String> {
        self.0.queue_name()
    }

    /// The right to send to it.
    pub fn grant_send(&self) -> Grant {
        Grant::new(["sqs:SendMessage"], [self.arn()])
    }
}
