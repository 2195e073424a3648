//! Reloads Qlik Cloud apps on a schedule, on events, and on request.
//!
//! ```text
//! Schedules  (EventBridge Scheduler) ──┐
//! Event…     (EventBridge rules) ──────┼──► Reload ──► Qlik Cloud: POST /api/v1/reloads, then its status
//! Requests   (REST API with key) ──────┘      │ ├── QlikApiKey  secret, put in by the operator
//!                                             │ └── Claims      table, one reload per delivery
//!                                             └──► DeadLetters  what failed for good ──► alarm
//! ```

mod event_pattern;
mod props;

use std::collections::BTreeMap;

use cfn::{Json, Stack};
use constructs::{
    Alarm, EventInput, EventRule, EventRules, EventRulesRef, FunctionRef, Queue, QueueRef, RestApi, RustFunction,
    Schedule, ScheduleGroup, ScheduleGroupRef, Secret, Table,
};
pub use props::{App, EventTrigger, Props, ReloadOptions, ScheduleTrigger, TenantUrl};
use serde_json::json;

use crate::roster::System;
use crate::shared::fields::Name;
use crate::tenancy::Tenancy;

/// This system in the roster.
pub const SYSTEM: System = System {
    name: "qlik-reload",
    title: "Qlik reload",
    summary: "Qlik Cloud apps reloaded on a schedule, on events and on request; a delivery that arrives twice starts one reload",
};

/// The stack of one tenant.
pub fn stack(tenancy: &Tenancy, props: &Props) -> Stack {
    let mut stack = tenancy.stack(SYSTEM.name, "Reloads Qlik Cloud apps by schedule, event and request");

    let api_key = stack.add("QlikApiKey", Secret::new(r#"API key of Qlik Cloud, as JSON: {"key": "..."}"#));
    let claims = stack.add("Claims", Table::new("id").expires("expires").disposable());
    let dead_letters = stack.add("DeadLetters", Queue::dead_letters());

    let mut function = RustFunction::new("qlik-reload", tenancy.architecture)
        .timeout(if props.waits_for_the_end() { 15 * 60 } else { 60 })
        .env("QLIK_TENANT_URL", props.tenant_url.as_str().trim_end_matches('/'))
        .env("API_KEY_SECRET", api_key.arn())
        .env("CLAIMS_TABLE", claims.name())
        .grant(api_key.grant_read())
        .grant(claims.grant(["dynamodb:PutItem", "dynamodb:DeleteItem"]))
        .dead_letters(&dead_letters);
    if props.takes_app_ids() {
        function = function.env("ALLOWED_APPS", props.allowed_apps().join(","));
    }
    let reload = stack.add("Reload", function);

    if !props.schedules.is_empty() {
        let group = stack.add("Schedules", ScheduleGroup::new(&reload, &dead_letters));
        for (name, schedule) in &props.schedules {
            add_schedule(&mut stack, name, schedule, &group);
        }
    }
    if !props.events.is_empty() {
        let events = stack.add("Events", EventRules::new(&reload));
        for (name, event) in &props.events {
            stack.add(&format!("Event{}", name.logical()), event_rule(event, &reload, &events, &dead_letters));
        }
    }
    if props.requests {
        let requests = stack.add("Requests", request_api(&reload));
        stack.output("RequestUrl", requests.url(""));
    }

    let topic = props.alarm_topic.as_ref().map(|topic| topic.as_str());
    stack.add("ReloadErrors", Alarm::on_errors(&reload, "A Qlik reload could not be started or failed").notify(topic));
    stack.add("DeadLettersArrived", Alarm::on_messages(&dead_letters, "A Qlik reload was given up").notify(topic));

    stack.output("QlikApiKeySecret", api_key.arn());
    stack.output("ReloadFunction", reload.name());
    stack.output("DeadLetterQueue", dead_letters.url());
    stack
}

/// One schedule per app: a failing app does not delay the others.
fn add_schedule(stack: &mut Stack, name: &Name, trigger: &ScheduleTrigger, group: &ScheduleGroupRef) {
    for (index, app) in trigger.apps.iter().enumerate() {
        let mut input = trigger.options.fields();
        input.insert("appId".to_owned(), app.as_str().into());
        input.insert("deliveryId".to_owned(), Schedule::DELIVERY_ID.into());
        let schedule = trigger.when.schedule(trigger.time_zone.as_ref(), input.into(), group);
        // No name starts with a digit, so these never collide, and adding an app does not change the ID of the first one.
        let number = if index == 0 { String::new() } else { (index + 1).to_string() };
        stack.add(&format!("Schedule{number}{}", name.logical()), schedule);
    }
}

fn event_rule(
    trigger: &EventTrigger,
    reload: &FunctionRef,
    events: &EventRulesRef,
    dead_letters: &QueueRef,
) -> EventRule {
    let mut paths = BTreeMap::from([("id".to_owned(), "$.id".to_owned())]);
    let mut fields: Vec<String> =
        trigger.options.fields().iter().map(|(name, value)| format!("{name:?}: {value}")).collect();
    match &trigger.app {
        App::Fixed(app) => fields.push(format!(r#""appId": {:?}"#, app.as_str())),
        // The function finds the app in the detail: EventBridge would insert whatever the sender wrote, such as
        // the end of this text and more fields.
        App::From(path) => {
            paths.insert("detail".to_owned(), "$.detail".to_owned());
            fields.push(format!(r#""appIdFrom": {:?}"#, path.as_str()));
            fields.push(r#""detail": <detail>"#.to_owned());
        }
    }
    fields.push(r#""deliveryId": <id>"#.to_owned());
    let template = format!("{{{}}}", fields.join(", "));
    let description = "Starts a Qlik reload";
    EventRule::new(description, trigger.pattern.json(), reload, Some(EventInput { paths, template }), dead_letters)
        .permitted_by(events)
}

fn request_api(reload: &FunctionRef) -> RestApi {
    RestApi::new("Starts Qlik reloads and reports their status")
        .route_with_body("POST", "/reloads", reload, reload_request())
        .route("GET", "/reloads/{reloadId}", reload)
}

/// What a request may contain; the function checks it again.
fn reload_request() -> Json {
    json!({
        "$schema": "http://json-schema.org/draft-04/schema#",
        "type": "object",
        "required": ["appId"],
        "additionalProperties": false,
        "properties": {
            "appId": { "type": "string", "pattern": props::APP_ID },
            "partial": { "type": "boolean" },
            "skipIfActive": { "type": "boolean" },
            "weight": { "type": "integer", "minimum": 1, "maximum": ReloadOptions::LARGEST_WEIGHT },
            "variables": {
                "type": "object",
                "maxProperties": ReloadOptions::MOST_VARIABLES,
                "additionalProperties": { "type": "string", "maxLength": ReloadOptions::LONGEST_VARIABLE },
            },
        },
    })
}
