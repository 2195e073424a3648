//! Writes quotes to Redshift from a QuickSight dashboard, by signed links.
//!
//! ```text
//! QuickSight ──► vw_quote ──► f_quote_sign  (Redshift, through SignInvoker) ──► Sign ──┐
//!     │ one link per row                                                               │
//!     ▼                                                                            SigningKey  secret ◄── Rotate
//! browser ──► Quotes (REST API: form, then write) ──► QuoteApi ──────────────────────┘
//!                                                       │ └──► Claims  table: one row per link, one ID per quote
//!                                                       └────► Redshift: quote_history
//! Setup  (custom resource) ──► Redshift: tables, views, the function, who may use them
//! ```

mod access;
mod dashboard;
mod inputs;
mod invoker;
mod props;

pub use access::{Access, Firewall, Private};
use cfn::{Json, Stack, Value};
use constructs::{
    Alarm, ApiEndpoint, CustomResource, FunctionRef, Queue, QueueRef, RestApi, RestApiRef, Rotation, RustFunction,
    Secret, SecretRef, Table, TableRef, WebAcl,
};
pub use dashboard::DashboardProps;
pub use inputs::Input;
use invoker::Invoker;
pub use props::{Props, Readers, Source};
use serde_json::json;

use crate::roster::System;
use crate::shared::warehouse::{Part, Place, own_statements};
use crate::tenancy::Tenancy;

/// This system in the roster.
pub const SYSTEM: System = System {
    name: "write-back",
    title: "Write-back",
    summary: "quotes written to Redshift from a QuickSight dashboard through signed links, exactly once, with their history",
};

/// The stack of one tenant.
pub fn stack(tenancy: &Tenancy, props: &Props) -> Stack {
    let mut stack = tenancy.stack(SYSTEM.name, "Writes quotes to Redshift from QuickSight, by signed links");

    let signing_key = Secret::key_in("Signs the links of quotes", &json!({ "kid": "initial" }), "key");
    let signing_key = stack.add("SigningKey", signing_key);
    let claims = stack.add("Claims", Table::new("id").expires("expires"));
    let dead_letters = stack.add("DeadLetters", Queue::dead_letters());
    let invoker = Invoker::add(&mut stack, &props.warehouse);
    let worker = tenancy.warehouse_name(SYSTEM.name);
    let place = props.warehouse.place(&mut stack, vec![invoker.arn.clone()], &worker);

    let api = stack.add("QuoteApi", quote_api(tenancy, props, &place, &signing_key, &claims, &dead_letters));
    let quotes = add_quotes(&mut stack, props, &api);
    let sign = stack.add("Sign", sign(tenancy, props, &quotes, &signing_key, &dead_letters));
    invoker.may_call(&mut stack, &sign);
    if props.rotation_days > 0 {
        add_rotation(&mut stack, tenancy, props, &signing_key, &dead_letters);
    }
    let setup = stack.add("Setup", setup(tenancy, &place, &dead_letters));

    let in_warehouse = in_warehouse(tenancy, props, &place, &setup)
        .property("Sign", json!({ "Function": Json::from(sign.name()), "Role": Json::from(invoker.arn.clone()) }))
        .property("LinkBase", Json::from(quotes.url("/quote?t=")))
        .property("Writer", Json::from(place.worker(&api)));
    let in_warehouse = stack.add("InWarehouse", in_warehouse);
    if let Some(dashboard) = &props.dashboard {
        dashboard::add(&mut stack, dashboard, props, &props.schema(tenancy), &place, &in_warehouse);
    }

    let topic = props.alarm_topic.as_ref().map(|topic| topic.as_str());
    stack.add("ApiErrors", Alarm::on_errors(&api, "A quote could not be written").notify(topic));
    stack.add("SignErrors", Alarm::on_errors(&sign, "Links of quotes could not be signed").notify(topic));
    stack.add("DeadLettersArrived", Alarm::on_messages(&dead_letters, "An event was given up").notify(topic));

    stack.output("QuoteUrl", quotes.url("/quote"));
    if let Some(key) = quotes.key_id() {
        stack.output("ApiKeyId", key);
    }
    stack.output("SignInvokerRole", invoker.arn);
    stack.output("SignFunction", sign.name());
    stack.output("SigningKeySecret", signing_key.arn());
    stack.output("ClaimsTable", claims.name());
    stack.output("DeadLetterQueue", dead_letters.url());
    stack
}

/// Seconds for the statements that set up the warehouse; a paused Serverless workgroup needs one to wake up.
const SETUP_SECONDS: i64 = 300;

fn quote_api(
    tenancy: &Tenancy,
    props: &Props,
    place: &Place,
    signing_key: &SecretRef,
    claims: &TableRef,
    dead_letters: &QueueRef,
) -> RustFunction {
    let optional = [
        ("WRITE_ON_CLICK", props.write_on_click.then_some("true")),
        ("CURRENCY", props.currency.as_ref().map(|currency| currency.as_str())),
    ];
    let function = RustFunction::new("write-back-api", tenancy.architecture)
        .timeout(29)
        .env("TENANT", tenancy.name.as_str())
        .env("SIGNING_KEYS_SECRET", signing_key.arn())
        .env("CLAIMS_TABLE", claims.name())
        .env("WAREHOUSE", place.for_worker())
        .env("SCHEMA", props.schema(tenancy))
        .env("INPUTS", props.inputs_for_api())
        .env("LOCALE", props.locale.as_str())
        .grant(signing_key.grant_read())
        .grant(claims.grant(["dynamodb:GetItem", "dynamodb:PutItem"]))
        .dead_letters(dead_letters);
    let function = optional
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .fold(function, |function, (name, value)| function.env(name, value));
    let followed = own_statements(["redshift-data:DescribeStatement"]);
    place.grants_start(Part::Worker).into_iter().chain([followed]).fold(function, RustFunction::grant)
}

/// Signs the links, called by Redshift for each row that a view shows.
fn sign(
    tenancy: &Tenancy,
    props: &Props,
    quotes: &RestApiRef,
    signing_key: &SecretRef,
    dead_letters: &QueueRef,
) -> RustFunction {
    RustFunction::new("write-back-sign", tenancy.architecture)
        .memory(512)
        .env("TENANT", tenancy.name.as_str())
        .env("AUDIENCE", quotes.id())
        .env("SIGNING_KEYS_SECRET", signing_key.arn())
        .env("TOKEN_SECONDS", props.token_seconds.to_string())
        .grant(signing_key.grant_read())
        .dead_letters(dead_letters)
}

/// Sets up the warehouse.
fn setup(tenancy: &Tenancy, place: &Place, dead_letters: &QueueRef) -> RustFunction {
    place
        .grants(Part::Setup)
        .into_iter()
        .fold(RustFunction::new("write-back-setup", tenancy.architecture), RustFunction::grant)
        .timeout(SETUP_SECONDS)
        .retries(2)
        .dead_letters(dead_letters)
}

/// Tables and views, the signing function of the warehouse, and who may use them.
fn in_warehouse(tenancy: &Tenancy, props: &Props, place: &Place, setup: &FunctionRef) -> CustomResource {
    CustomResource::new(setup, SETUP_SECONDS + 60)
        .property("Warehouse", place.for_setup())
        .property("Schema", props.schema(tenancy))
        .property("Source", props.source.json())
        .property("Tenant", tenancy.name.as_str())
        .property("Inputs", Json::from_iter(props.inputs.iter().map(Input::for_setup)))
        .property("Readers", props.readers.json())
}

/// Replaces the signing key after a number of days.
fn add_rotation(stack: &mut Stack, tenancy: &Tenancy, props: &Props, key: &SecretRef, dead_letters: &QueueRef) {
    let rotate = RustFunction::new("write-back-rotate", tenancy.architecture)
        .env("SIGNING_KEYS_SECRET", key.arn())
        .grant(key.grant([
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetSecretValue",
            "secretsmanager:PutSecretValue",
            "secretsmanager:UpdateSecretVersionStage",
        ]))
        .dead_letters(dead_letters);
    let rotate = stack.add("Rotate", rotate);
    stack.add("Rotation", Rotation::new(key, &rotate, props.rotation_days));
    let topic = props.alarm_topic.as_ref().map(|topic| topic.as_str());
    stack.add("RotateErrors", Alarm::on_errors(&rotate, "The signing key could not be rotated").notify(topic));
}

/// The API that browsers open; the signed link admits them, unless `access` requires more.
fn add_quotes(stack: &mut Stack, props: &Props, api: &FunctionRef) -> RestApiRef {
    let access = &props.access;
    let endpoint: Option<Value<String>> = access.private.as_ref().map(|private| match private {
        Private::Endpoint(id) => id.as_str().into(),
        Private::Made { vpc, subnets, callers } => {
            let texts = |list: &[_]| list.iter().map(access::Block::text).collect();
            let subnets = subnets.iter().map(|subnet| subnet.as_str().to_owned()).collect();
            stack.add("ApiEndpoint", ApiEndpoint::new(vpc.as_str(), subnets, texts(callers))).reference()
        }
    });
    let mut quotes = RestApi::new("Shows and writes quotes")
        .usage(access.usage())
        .private(endpoint)
        .only_from(access.only_from.iter().map(access::Block::text).collect())
        .route("ANY", "/quote", api)
        .route("GET", "/quote/status", api);
    if !access.api_key {
        quotes = quotes.keyless();
    }
    let quotes = stack.add("Quotes", quotes);
    if let Some(firewall) = &access.firewall {
        stack.add("Firewall", WebAcl::new(&quotes, firewall.requests_in_five_minutes));
    }
    quotes
}
