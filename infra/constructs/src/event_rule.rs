//! EventBridge rules.

use std::collections::BTreeMap;

use aws::events::rule::{self, DeadLetterConfig, InputTransformer, RetryPolicy, Target, TargetRequired};
use cfn::intrinsic::sub;
use cfn::{Construct, Json, Scope};

use crate::schedule_expression::check_rate;
use crate::{FunctionRef, QueueRef};

/// The rules of the stack, whose names start with the stack's name.
pub(crate) const RULES_OF_STACK: &str =
    "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/${AWS::StackName}-*";

/// Calls a function for every event that matches a pattern, or at a fixed interval.
///
/// For times, a [`crate::Schedule`] does more, and a bus has room for 300 rules only, but EventBridge Scheduler for a million schedules. A
/// schedule needs a group and a role, though, of which an account has few, so a system with a single interval has a rule instead.
#[derive(Clone, Debug)]
pub struct EventRule {
    description: String,
    trigger: Trigger,
    target: FunctionRef,
    input: Input,
    dead_letters: QueueRef,
    has_own_permission: bool,
}

#[derive(Clone, Debug)]
enum Trigger {
    Pattern(Json),
    /// As in `1 hour`.
    Rate(String),
}

#[derive(Clone, Debug)]
enum Input {
    Event,
    PartOfEvent(EventInput),
    Constant(Json),
}

/// What the function receives of the event.
#[derive(Clone, Debug)]
pub struct EventInput {
    /// Names of at most 100 values and their paths in the event, `app` and `$.detail.appId`.
    pub paths: BTreeMap<String, String>,
    /// JSON text with `<app>` instead of a value, unquoted.
    pub template: String,
}

impl EventRule {
    /// Seconds for which EventBridge tries to reach the function.
    pub const MAX_AGE: i64 = 3600;
    /// The most characters of a rule's name. <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html>
    const LONGEST_NAME: usize = 64;

    /// A rule on the account's default bus. Without `input`, the function receives the event as it is; events that cannot be delivered within
    /// an hour are sent to `dead_letters`.
    pub fn new(
        description: &str,
        pattern: Json,
        target: &FunctionRef,
        input: Option<EventInput>,
        dead_letters: &QueueRef,
    ) -> Self {
        Self {
            description: description.to_owned(),
            trigger: Trigger::Pattern(pattern),
            target: target.clone(),
            input: input.map_or(Input::Event, Input::PartOfEvent),
            dead_letters: dead_letters.clone(),
            has_own_permission: true,
        }
    }

    /// A rule that calls the function with `input` at a fixed interval, as in `1 hour`. A rate that AWS would reject is a finding.
    pub fn rate(description: &str, rate: &str, input: Json, target: &FunctionRef, dead_letters: &QueueRef) -> Self {
        Self {
            description: description.to_owned(),
            trigger: Trigger::Rate(rate.to_owned()),
            target: target.clone(),
            input: Input::Constant(input),
            dead_letters: dead_letters.clone(),
            has_own_permission: true,
        }
    }

    /// Relies on the permission that the target gives to all rules of the stack.
    pub fn permitted_by(mut self, _rules: &EventRulesRef) -> Self {
        self.has_own_permission = false;
        self
    }
}

impl Construct for EventRule {
    type Ref = rule::RuleRef;

    fn add_to(self, scope: &mut Scope<'_>) -> rule::RuleRef {
        let target = Target::new(TargetRequired { arn: self.target.arn(), id: "Function".into() });
        let target = match self.input {
            Input::Event => target,
            Input::PartOfEvent(input) => {
                target.input_transformer(InputTransformer::new(input.template).input_paths_map(input.paths))
            }
            Input::Constant(input) => target.input(input.to_string()),
        }
        .retry_policy(RetryPolicy::new().maximum_event_age_in_seconds(Self::MAX_AGE).maximum_retry_attempts(10))
        .dead_letter_config(DeadLetterConfig::new().arn(self.dead_letters.arn()));
        let length = scope.stack_name().len() + 1 + scope.path().len();
        if length > Self::LONGEST_NAME {
            let message =
                format!("the rule's name would have {length} characters; must have at most {}", Self::LONGEST_NAME);
            scope.finding(message, Some("shorten the logical ID or the stack's name"));
        }
        // The dead-letter queue accepts rules whose name starts with the stack's name. A name that CloudFormation generates contains only the
        // first part of a long stack name.
        let name = sub(format!("${{AWS::StackName}}-{}", scope.path()));
        let rule = rule::Rule::new().name(name).description(self.description).targets([target]);
        if let Trigger::Rate(rate) = &self.trigger
            && let Err(wrong) = check_rate(rate)
        {
            scope.finding(wrong, None);
        }
        let rule = scope.add_here(match self.trigger {
            Trigger::Pattern(pattern) => rule.event_pattern(pattern),
            Trigger::Rate(rate) => rule.schedule_expression(format!("rate({rate})")),
        });
        if self.has_own_permission {
            scope.add("Permission", self.target.callable_by("events.amazonaws.com", rule.arn()));
        }
        rule
    }
}

/// Lets all event rules of the stack call a function.
///
/// A function's resource policy has room for the permissions of about fifty rules (20,480 bytes). A function with a variable number of
/// rules needs this one permission instead: [`EventRule::permitted_by`].
#[derive(Clone, Debug)]
pub struct EventRules {
    target: FunctionRef,
}

/// The permission for all event rules of a stack.
#[derive(Clone, Debug)]
pub struct EventRulesRef(());

impl EventRules {
    /// A permission to call `target`.
    pub fn new(target: &FunctionRef) -> Self {
        Self { target: target.clone() }
    }
}

impl Construct for EventRules {
    type Ref = EventRulesRef;

    fn add_to(self, scope: &mut Scope<'_>) -> EventRulesRef {
        // EventRule names the rules after the stack.
        scope.add("Permission", self.target.callable_by("events.amazonaws.com", sub(RULES_OF_STACK)));
        EventRulesRef(())
    }
}
