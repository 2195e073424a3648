//! Slack's files of days: where they are stored, and what the connector needs to share them.

use cfn::Stack;
use constructs::{BucketRef, FunctionRef, QueueRef, RustFunction, Schedule, ScheduleGroup, TableRef};
use serde_json::json;

use super::Props;

/// The most days that a nightly run looks at: Slack keeps thirteen months.
const DAYS_AT_SLACK: u32 = 397;

/// The time in UTC from which on Slack may have finished the file of the day before, and the minutes over which tenants are spread.
const NIGHT: &str = "0 3 * * ? *";
const SPREAD: u32 = 120;

/// Lets the connector share files and take turns at Slack.
pub(super) fn shared_by(connector: RustFunction, props: &Props, files: &BucketRef, turns: &TableRef) -> RustFunction {
    // The files of a different organization are not this one's.
    let folder = format!("days/{}", props.enterprise_id.as_str());
    connector
        .env("FILES_BUCKET", files.name())
        .env("FILES_PREFIX", folder.as_str())
        .env("TURNS_TABLE", turns.name())
        .grant(files.grant_below(&format!("{folder}/"), ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]))
        .grant(files.grant_list())
        .grant(turns.grant(["dynamodb:GetItem", "dynamodb:PutItem"]))
}

/// Fetches each night the files that are missing, the newest first.
pub(super) fn fetched_each_night(stack: &mut Stack, days: u32, connector: &FunctionRef, dead_letters: &QueueRef) {
    let nights = stack.add("Nights", ScheduleGroup::new(connector, dead_letters));
    let event = json!({ "fetchDays": days.min(DAYS_AT_SLACK) });
    stack.add("Nightly", Schedule::cron(NIGHT, event, &nights).spread_over(SPREAD));
}
