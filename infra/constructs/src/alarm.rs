//! Alarms.

use aws::cloudwatch::alarm::{self, Dimension, DimensionRequired};
use cfn::{Construct, Scope, Value};

use crate::{FunctionRef, QueueRef};

/// Goes off if something happened at all within five minutes, and notifies a topic if it has one.
#[derive(Clone, Debug)]
pub struct Alarm {
    description: String,
    namespace: &'static str,
    metric: &'static str,
    statistic: alarm::Statistic,
    dimension: (&'static str, Value<String>),
    topic_arn: Option<String>,
}

impl Alarm {
    /// A call of the function failed.
    pub fn on_errors(function: &FunctionRef, description: &str) -> Self {
        Self {
            description: description.to_owned(),
            namespace: "AWS/Lambda",
            metric: "Errors",
            statistic: alarm::Statistic::Sum,
            dimension: ("FunctionName", function.name()),
            topic_arn: None,
        }
    }

    /// A message is in the queue.
    pub fn on_messages(queue: &QueueRef, description: &str) -> Self {
        Self {
            description: description.to_owned(),
            namespace: "AWS/SQS",
            metric: "ApproximateNumberOfMessagesVisible",
            statistic: alarm::Statistic::Maximum,
            dimension: ("QueueName", queue.name()),
            topic_arn: None,
        }
    }

    /// The SNS topic that is notified when it goes off and when it is over; with `None`, only the console shows it.
    #[must_use]
    pub fn notify(mut self, topic_arn: Option<&str>) -> Self {
        self.topic_arn = topic_arn.map(str::to_owned);
        self
    }
}

impl Construct for Alarm {
    type Ref = alarm::AlarmRef;

    fn add_to(self, scope: &mut Scope<'_>) -> alarm::AlarmRef {
        let (name, value) = self.dimension;
        let alarm = alarm::Alarm::new(alarm::Required {
            comparison_operator: alarm::ComparisonOperator::GreaterThanOrEqualToThreshold.into(),
            evaluation_periods: 1.into(),
        })
        .alarm_description(self.description)
        .namespace(self.namespace)
        .metric_name(self.metric)
        .dimensions([Dimension::new(DimensionRequired { name: name.into(), value })])
        .statistic(self.statistic)
        .period(300)
        .threshold(1)
        .treat_missing_data(alarm::TreatMissingData::NotBreaching);
        scope.add_here(match self.topic_arn {
            Some(topic) => alarm.alarm_actions([topic.as_str()]).ok_actions([topic.as_str()]),
            None => alarm,
        })
    }
}
