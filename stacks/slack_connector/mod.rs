//! Slack's member analytics as a table in Athena.
//!
//! ```text
//! Nightly (with keep_days) ──────────────┐
//! Athena, QuickSight ──► Catalog ──► Connector ──► Slack: one file of analytics per day
//!        │ WorkGroup                     │ │ ├── Turns       table: who calls Slack when
//!        │                               │ ├─┴── SlackToken  secret ◄────────────────┐
//!        │                               │ └──── Files       bucket, keep_days       │
//!        └── results ──► Scratch ◄───────┘                                           │
//!                        bucket, one day: also the files without keep_days           │
//! admin's browser ──► Pages (HTTP API) ──► Install ──► Slack: consent, code, token ──┤
//! Refreshes (each hour) ─────────────────────┘ ├── ClientSecret  secret              │
//!                                              ├── StartKey      secret, start links │
//!                                              ├── States        table               │
//!                                              └─────────────────────────────────────┘
//! ```

mod dashboard;
mod files;
mod props;
mod query;

use cfn::{Stack, Value};
use constructs::{
    Alarm, Bucket, BucketRef, Grant, HttpApi, HttpRoutes, Queue, RustFunction, Schedule, ScheduleGroup, Secret,
    SecretRef, Table,
};
pub use dashboard::DashboardProps;
pub use props::Props;
use serde_json::json;

use crate::roster::System;
use crate::tenancy::Tenancy;

/// Where in the bucket the connector puts blocks that are too large for an answer.
const SPILL: &str = "spill/";

/// This system in the roster.
pub const SYSTEM: System = System {
    name: "slack-connector",
    title: "Slack connector",
    summary: "Slack's member analytics as an Athena table, with a page that installs the Slack app, and a dashboard of active and provisioned members by department",
};

/// The stack of one tenant.
pub fn stack(tenancy: &Tenancy, props: &Props) -> Stack {
    let mut stack = tenancy.stack(SYSTEM.name, "Makes Slack's member analytics a table of Athena");

    let client_secret = Secret::new(r#"Client secret of the Slack app, as JSON: {"client_secret": "..."}"#);
    let client_secret = stack.add("ClientSecret", client_secret);
    let token = stack.add("SlackToken", Secret::new("Token of the Slack app, stored when the app is installed"));
    let start_key = stack.add("StartKey", Secret::key("Signs the links that start an installation"));
    let states = stack.add("States", Table::new("id").expires("expires").disposable());
    let kms_key = props.kms_key.as_ref().map(|key| key.as_str());
    let scratch = stack.add("Scratch", Bucket::default().expires_after(1).scratch().encrypted_with(kms_key));
    let dead_letters = stack.add("DeadLetters", Queue::dead_letters());
    let files = match props.keep_days {
        Some(days) => stack.add("Files", Bucket::default().expires_after(days).encrypted_with(kms_key)),
        None => scratch.clone(),
    };
    let turns = stack.add("Turns", Table::new("id").expires("expires").disposable());
    let work_group = stack.add("WorkGroup", query::work_group(stack.name(), &scratch, kms_key));

    let connector = connector(tenancy, props, &token, &scratch);
    let connector = files::shared_by(connector, props, &files, &turns)
        // The connector checks whether its query is still running, and stops with it.
        .grant(Grant::new(["athena:GetQueryExecution"], [query::work_group_arn(stack.name())]))
        .dead_letters(&dead_letters);
    let connector = stack.add("Connector", connector);
    let catalog = query::catalog_name(tenancy);
    stack.add("Catalog", query::catalog(&catalog, &connector));
    let queries = query::rights(&connector, &catalog, stack.name(), &scratch, kms_key);
    let queries = stack.add("QueryPolicy", queries);

    if let Some(days) = props.keep_days {
        files::fetched_each_night(&mut stack, days, &connector, &dead_letters);
    }

    if let Some(shown) = &props.dashboard {
        dashboard::add(&mut stack, shown, props, &catalog, &work_group, &queries);
    }

    let pages = stack.add("Pages", HttpApi::new("Installs and revokes the Slack app"));
    let install = RustFunction::new("slack-oauth", tenancy.architecture)
        // API Gateway closes the connection after 30 seconds; a token that was received by then is still stored.
        .timeout(60)
        .env("TENANT", tenancy.name.as_str())
        .env("CLIENT_ID", props.client_id.as_str())
        .env("CLIENT_SECRET_SECRET", client_secret.arn())
        .env("SLACK_TOKEN_SECRET", token.arn())
        .env("START_KEY_SECRET", start_key.arn())
        .env("STATE_TABLE", states.name())
        .env("ENTERPRISE_ID", props.enterprise_id.as_str())
        .env("REDIRECT_URL", pages.url("/callback"))
        .env("ADMINS", props.admins())
        .grant(client_secret.grant_read())
        .grant(start_key.grant_read())
        .grant(token.grant([
            "secretsmanager:GetSecretValue",
            "secretsmanager:PutSecretValue",
            "secretsmanager:UpdateSecretVersionStage",
        ]))
        .grant(states.grant(["dynamodb:DeleteItem", "dynamodb:PutItem"]))
        .dead_letters(&dead_letters);
    let install = stack.add("Install", install);

    let routes = HttpRoutes::new(&pages, &install)
        .route("GET", "/install")
        .route("POST", "/install")
        .route("GET", "/callback")
        .route("GET", "/revoke")
        .route("POST", "/revoke");
    stack.add("PagesRoutes", routes);
    let refreshes = stack.add("Refreshes", ScheduleGroup::new(&install, &dead_letters));
    stack.add("Refresh", Schedule::rate("1 hour", json!({ "refresh": true }), &refreshes));

    let topic = props.alarm_topic.as_ref().map(|topic| topic.as_str());
    stack.add("ConnectorErrors", Alarm::on_errors(&connector, "Slack's analytics could not be read").notify(topic));
    stack.add("InstallErrors", Alarm::on_errors(&install, "The token of Slack could not be renewed").notify(topic));
    stack.add("DeadLettersArrived", Alarm::on_messages(&dead_letters, "An event was given up").notify(topic));

    stack.output("InstallUrl", pages.url("/install"));
    stack.output("RevokeUrl", pages.url("/revoke"));
    stack.output("RedirectUrl", pages.url("/callback"));
    stack.output("ClientSecretSecret", client_secret.arn());
    stack.output("SlackTokenSecret", token.arn());
    stack.output("StartKeySecret", start_key.arn());
    stack.output("CatalogName", Value::from(catalog));
    stack.output("WorkGroupName", work_group.reference());
    stack.output("QueryPolicyArn", queries.reference());
    stack.output("ConnectorFunction", connector.name());
    stack.output("InstallFunction", install.name());
    stack.output("ScratchBucket", scratch.name());
    if props.keep_days.is_some() {
        stack.output("FilesBucket", files.name());
    }
    stack.output("DeadLetterQueue", dead_letters.url());
    stack
}

fn connector(tenancy: &Tenancy, props: &Props, token: &SecretRef, scratch: &BucketRef) -> RustFunction {
    let mut function = RustFunction::new("slack-connector", tenancy.architecture)
        // One whole processor: gunzip and parsing are what a read waits for.
        .memory(1769)
        .timeout(900)
        .env("TENANT", tenancy.name.as_str())
        .env("SLACK_TOKEN_SECRET", token.arn())
        .env("SPILL_BUCKET", scratch.name())
        .env("SPILL_PREFIX", SPILL.trim_end_matches('/'))
        .grant(token.grant_read())
        .grant(scratch.grant_below(SPILL, ["s3:PutObject"]));
    if props.booleans_as_text() {
        function = function.env("BOOLEANS", "text");
    }
    if let Some(members) = props.members {
        function = function.env("MEMBERS", members.to_string());
    }
    match &props.kms_key {
        Some(key) => {
            // S3 decrypts with the rights of whoever reads a file.
            let grant = Grant::new(["kms:Decrypt", "kms:GenerateDataKey"], [key.as_str().into()]);
            function.env("KMS_KEY", key.as_str()).grant(grant)
        }
        None => function,
    }
}
