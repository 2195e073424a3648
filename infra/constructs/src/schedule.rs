//! Schedules of EventBridge Scheduler.

use aws::iam::role::{self, Role};
use aws::scheduler::schedule::{self, DeadLetterConfig, FlexibleTimeWindow, RetryPolicy, Target, TargetRequired};
use aws::scheduler::schedule_group;
use cfn::intrinsic::account_id;
use cfn::{Construct, Json, Scope, Value};
use serde_json::json;

use crate::grant::{assumed_by, policy};
use crate::schedule_expression::{check_cron, check_rate, check_time_zone};
use crate::{FunctionRef, QueueRef};

/// The schedules of one function: a group, and the role with which EventBridge Scheduler calls the function.
#[derive(Clone, Debug)]
pub struct ScheduleGroup {
    target: FunctionRef,
    dead_letters: QueueRef,
}

impl ScheduleGroup {
    /// Schedules that call `target`; calls that cannot be delivered are sent to `dead_letters`.
    pub fn new(target: &FunctionRef, dead_letters: &QueueRef) -> Self {
        Self { target: target.clone(), dead_letters: dead_letters.clone() }
    }
}

/// A schedule group in a stack.
#[derive(Clone, Debug)]
pub struct ScheduleGroupRef {
    group: schedule_group::ScheduleGroupRef,
    role_arn: Value<String>,
    target: FunctionRef,
    dead_letters: QueueRef,
}

impl Construct for ScheduleGroup {
    type Ref = ScheduleGroupRef;

    fn add_to(self, scope: &mut Scope<'_>) -> ScheduleGroupRef {
        let group = scope.add_here(schedule_group::ScheduleGroup::new());
        // Without the condition, a schedule of another account could use the role (the confused deputy problem).
        let only_ours = json!({ "StringEquals": {
            "aws:SourceAccount": Json::from(account_id()),
            "aws:SourceArn": Json::from(group.arn()),
        } });
        let grants = [self.target.grant_invoke(), self.dead_letters.grant_send()];
        let role = scope.add(
            "Role",
            Role::new(assumed_by("scheduler.amazonaws.com", only_ours)).policies([role::Policy::new(
                role::PolicyRequired { policy_name: "Grants".into(), policy_document: policy(grants).into() },
            )]),
        );
        ScheduleGroupRef { group, role_arn: role.arn(), target: self.target, dead_letters: self.dead_letters }
    }
}

/// Calls the group's function at certain times.
#[derive(Clone, Debug)]
pub struct Schedule<'a> {
    expression: Result<String, String>,
    /// Seconds for which a call is retried; shorter than the interval, so that after an outage one call is repeated and not a day's worth.
    max_age: i64,
    time_zone: String,
    window: Option<u32>,
    input: Json,
    group: &'a ScheduleGroupRef,
}

impl<'a> Schedule<'a> {
    /// The placeholder for the ID of one tick inside an input. EventBridge Scheduler fills it in; a tick that is delivered twice has the same ID
    /// twice.
    pub const DELIVERY_ID: &'static str = "<aws.scheduler.schedule-arn>/<aws.scheduler.scheduled-time>";
    /// The shortest time for which EventBridge Scheduler can retry a call, in seconds.
    const SHORTEST_AGE: i64 = 60;
    /// The longest time for which we let it retry a call, in seconds: less than five minutes, the shortest usual interval.
    const LONGEST_AGE: i64 = 240;

    /// At the times of a cron expression with six fields, in UTC unless [`Schedule::time_zone`] is set. An expression that AWS would reject is
    /// a finding.
    pub fn cron(expression: &str, input: Json, group: &'a ScheduleGroupRef) -> Self {
        let checked = check_cron(expression).map(|()| format!("cron({expression})"));
        Self::new(checked, Self::LONGEST_AGE, input, group)
    }

    /// At a fixed interval, as in `5 minutes`. A rate that AWS would reject is a finding.
    pub fn rate(rate: &str, input: Json, group: &'a ScheduleGroupRef) -> Self {
        let max_age =
            if rate.ends_with("minute") || rate.ends_with("minutes") { Self::SHORTEST_AGE } else { Self::LONGEST_AGE };
        Self::new(check_rate(rate).map(|()| format!("rate({rate})")), max_age, input, group)
    }

    fn new(expression: Result<String, String>, max_age: i64, input: Json, group: &'a ScheduleGroupRef) -> Self {
        Self { expression, max_age, time_zone: "UTC".to_owned(), window: None, input, group }
    }

    /// Calls at some time within this number of minutes after each time, 1 to 1440, so that the schedules of many stacks do not all
    /// call at the same second.
    #[must_use]
    pub fn spread_over(mut self, minutes: u32) -> Self {
        self.window = Some(minutes);
        self
    }

    /// The IANA time zone of a cron expression, including its daylight saving time.
    #[must_use]
    pub fn time_zone(mut self, zone: &str) -> Self {
        self.time_zone = zone.to_owned();
        self
    }
}

impl Construct for Schedule<'_> {
    type Ref = schedule::ScheduleRef;

    fn add_to(self, scope: &mut Scope<'_>) -> schedule::ScheduleRef {
        let zone = check_time_zone(&self.time_zone);
        for wrong in [self.expression.as_ref().err(), zone.as_ref().err()].into_iter().flatten() {
            scope.finding(wrong, None);
        }
        let target =
            Target::new(TargetRequired { arn: self.group.target.arn(), role_arn: self.group.role_arn.clone() })
                .input(self.input.to_string())
                .retry_policy(RetryPolicy::new().maximum_event_age_in_seconds(self.max_age).maximum_retry_attempts(5))
                .dead_letter_config(DeadLetterConfig::new().arn(self.group.dead_letters.arn()));
        let window = match self.window {
            None => FlexibleTimeWindow::new(schedule::Mode::Off),
            Some(minutes) => {
                FlexibleTimeWindow::new(schedule::Mode::Flexible).maximum_window_in_minutes(f64::from(minutes))
            }
        };
        scope.add_here(
            schedule::Schedule::new(schedule::Required {
                flexible_time_window: window.into(),
                // An invalid one is already a finding; a valid one in its place causes no second finding.
                schedule_expression: self.expression.unwrap_or_else(|_| "rate(1 day)".to_owned()).into(),
                target: target.into(),
            })
            .schedule_expression_timezone(self.time_zone)
            .group_name(self.group.group.reference()),
        )
    }
}
