//! Alarms: periods, and what is watched.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>

use cfn::{Finding, Json, Template};

use super::{alternatives, at, list, of_type};

pub(super) fn check(template: &Template) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (id, entry) in of_type(template, "AWS::CloudWatch::Alarm") {
        let metrics = list(&entry.properties["Metrics"]).iter().map(|metric| &metric["MetricStat"]["Period"]);
        let periods = std::iter::once(&entry.properties["Period"]).chain(metrics).flat_map(alternatives);
        let wrong = periods
            .filter_map(Json::as_u64)
            .filter(|period| ![10, 20, 30].contains(period) && (*period == 0 || period % 60 != 0));
        let messages =
            wrong.map(|period| format!("has a period of {period} seconds; must be 10, 20, 30 or a multiple of 60"));
        findings.extend(messages.chain(watched(&entry.properties)).map(|message| at(id, entry, message)));
    }
    findings
}

fn watched(alarm: &Json) -> Option<String> {
    match (alarm["MetricName"].is_null(), alarm["Metrics"].is_null()) {
        (true, true) => Some("watches nothing; set a MetricName or Metrics".to_owned()),
        (false, false) => Some("has both a MetricName and Metrics; remove one".to_owned()),
        _ => None,
    }
}
