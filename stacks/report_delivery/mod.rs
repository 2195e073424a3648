//! Delivers QuickSight reports as files to people who have no QuickSight user.
//!
//! ```text
//! Requests (REST API with key) ───┐
//! Schedules (EventBridge          ├──► ReportApi ──► Jobs  table: waiting, running and ended jobs
//!   Scheduler), if there are any ─┘                   ▲  │
//!                                                     │  └─ stream ──► ReportSender  e-mail, partner's bucket, SFTP,
//! Sweep (each minute) ───────────┐                    │                              if one of them is on
//! Stored (Object Created rule) ──┴──► ReportPoller ───┘
//!                                       │ └──► SlotTable  of the platform: how many jobs the account runs at once
//!                                       └────► QuickSight ──► Reports  bucket, t/<tenant>/<dashboard>/<job>/
//! ```

mod deliveries;
mod props;
mod scheduled_report;
mod tags;

use cfn::intrinsic::{account_id, sub};
use cfn::{Finding, Json, Parameter, Stack, Value};
use constructs::{
    Alarm, Bucket, BucketRef, EventRule, FunctionRef, Grant, Index, Queue, QueueRef, RestApi, RustFunction, Schedule,
    ScheduleGroup, Secret, SecretRef, Table, TableRef, TableTrigger, Writer,
};
pub use deliveries::{Deliveries, Email, PartnerBucket, Sftp};
pub use props::{Dashboards, Props, Throttle};
pub use scheduled_report::ScheduledReport;
use serde_json::json;
pub use tags::{RowLevelTag, TagValue};

use crate::roster::System;
use crate::shared::fields::Name;
use crate::tenancy::Tenancy;

/// The index of the jobs that have not ended.
const OPEN: &str = "open";

/// This system in the roster.
pub const SYSTEM: System = System {
    name: "report-delivery",
    title: "Report delivery",
    summary: "QuickSight reports (PDF, CSV, Excel) for people without a QuickSight user: API, queue and download, and optionally schedules, email, a partner's bucket or SFTP",
};

/// The stack of one tenant.
pub fn stack(tenancy: &Tenancy, props: &Props) -> Stack {
    let mut stack = tenancy.stack(SYSTEM.name, "Delivers QuickSight reports as files");
    let below = format!("t/{}/", tenancy.name);
    warn_of_all_rows(&mut stack, props);

    let jobs = stack.add("Jobs", jobs_table(props));
    let reports = stack.add("Reports", reports_bucket(props, &below));
    let page_key =
        stack.add("PageKey", Secret::key("Signs the tokens that lead to the next page of a list of reports"));
    let dead_letters = stack.add("DeadLetters", Queue::dead_letters());
    let slots = slot_table(&mut stack);

    let stores = Stores { below: &below, jobs: &jobs, reports: &reports, dead_letters: &dead_letters };
    let api = stack.add("ReportApi", report_api(&stores, tenancy, props, &page_key));
    let poller = stack.add("ReportPoller", poller(&stores, tenancy, props, slots));

    let sweeps = stack.add("Sweeps", ScheduleGroup::new(&poller, &dead_letters));
    stack.add("Sweep", Schedule::rate("1 minute", json!({ "sweep": true, "every": 5 }), &sweeps));
    stack.add("Stored", stored(&reports, &below, &poller, &dead_letters));
    let requests = stack.add("Requests", request_api(props, &api));
    let address = requests.url("/qs-anonymous-snapshot");
    add_schedules(&mut stack, props, &api, &dead_letters);
    if props.deliveries.any() {
        add_deliveries(&mut stack, &stores, tenancy, props, &address);
    }

    let topic = props.alarm_topic.as_ref().map(|topic| topic.as_str());
    stack.add("ApiErrors", Alarm::on_errors(&api, "A request for a report failed").notify(topic));
    stack.add("PollerErrors", Alarm::on_errors(&poller, "The queue of reports does not move").notify(topic));
    stack.add("DeadLettersArrived", Alarm::on_messages(&dead_letters, "A report was given up").notify(topic));

    stack.output("ReportUrl", address);
    if let Some(key) = requests.key_id() {
        stack.output("ApiKeyId", key);
    }
    stack.output("ReportBucket", reports.name());
    stack.output("JobsTable", jobs.name());
    stack.output("ReportPollerFunction", poller.name());
    stack.output("DeadLetterQueue", dead_letters.url());
    stack
}

fn warn_of_all_rows(stack: &mut Stack, props: &Props) {
    if props.tags.is_empty() {
        let everything = "reports show all rows, since `row_level_tags` is empty";
        stack.finding(
            Finding::warning("ReportApi", everything).help("this is right only if no dataset has row-level security"),
        );
    }
}

/// The jobs by dashboard. The index has those that are not finished.
fn jobs_table(props: &Props) -> Table {
    let jobs = Table::new("dashboardId")
        .sort("jobId")
        .index(Index { name: OPEN, key: "open", sort: "since" })
        .expires("expires");
    if props.deliveries.any() { jobs.stream() } else { jobs }
}

/// QuickSight writes the files below the tenant's prefix.
fn reports_bucket(props: &Props, below: &str) -> Bucket {
    Bucket::default().expires_after(props.retention_days).sends_events().written_by(Writer {
        service: "quicksight.amazonaws.com",
        prefix: below.to_owned(),
        source_arn: sub("arn:${AWS::Partition}:quicksight:${AWS::Region}:${AWS::AccountId}:*"),
    })
}

/// The name of the platform's table of slots.
fn slot_table(stack: &mut Stack) -> Value<String> {
    stack.parameter(
        "SlotTable",
        Parameter::of_type("AWS::SSM::Parameter::Value<String>")
            .default("/ferrostack/platform/slot-table")
            .description("SSM parameter with the name of the table of the account's QuickSight slots"),
    )
}

/// Accepts requests for reports and delivers the files.
fn report_api(stores: &Stores<'_>, tenancy: &Tenancy, props: &Props, page_key: &SecretRef) -> RustFunction {
    let (jobs, reports) = (stores.jobs, stores.reports);
    let mut api = stores
        .function("report-api", tenancy)
        .timeout(29)
        .env("ACCOUNT_ID", account_id())
        .env("PARTITION", sub("${AWS::Partition}"))
        .env("PAGE_KEY_SECRET", page_key.arn())
        .env("ROW_LEVEL_TAGS", props.row_level_tags())
        .env("DASHBOARDS", props.dashboards.to_string())
        .env("URL_SECONDS", props.url_seconds.to_string())
        .grant(page_key.grant_read())
        .grant(jobs.grant([
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:Scan",
            "dynamodb:UpdateItem",
        ]))
        // S3 asks for both to delete versions: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
        .grant(reports.grant_below(stores.below, ["s3:GetObject", "s3:DeleteObject", "s3:DeleteObjectVersion"]))
        .grant(reports.grant_list())
        .grant(reports.grant_list_versions_below(stores.below));
    if let Some(domains) = props.deliveries.email.as_ref().and_then(Email::recipient_domains) {
        api = api.env("RECIPIENT_DOMAINS", domains);
    }
    api
}

/// Advances the queue: starts snapshot jobs while slots are free, and checks whether they have ended.
fn poller(stores: &Stores<'_>, tenancy: &Tenancy, props: &Props, slots: Value<String>) -> RustFunction {
    let [read_slots, change_slots] = slot_grants(tenancy);
    stores
        .function("report-poller", tenancy)
        .timeout(55)
        .env("ACCOUNT_ID", account_id())
        .env("SLOT_TABLE", slots)
        .env("SLOTS", props.slots.to_string())
        .env("RETENTION_DAYS", props.retention_days.to_string())
        .grant(stores.jobs.grant(["dynamodb:GetItem", "dynamodb:UpdateItem"]))
        .grant(stores.jobs.grant_query_index(OPEN))
        .grant(read_slots)
        .grant(change_slots)
        .grant(snapshot_grant(props))
}

/// The scheduled reports; each asks the API's function as a caller would.
fn add_schedules(stack: &mut Stack, props: &Props, api: &FunctionRef, dead_letters: &QueueRef) {
    if props.schedules.is_empty() {
        return;
    }
    let group = stack.add("Schedules", ScheduleGroup::new(api, dead_letters));
    for (name, report) in &props.schedules {
        let input = json!({ "scheduledReport": report.request(), "deliveryId": Schedule::DELIVERY_ID });
        let schedule = report.when.schedule(report.time_zone.as_ref(), input, &group);
        stack.add(&schedule_id(name), schedule);
    }
}

/// Sends completed reports.
fn add_deliveries(stack: &mut Stack, stores: &Stores<'_>, tenancy: &Tenancy, props: &Props, address: &Value<String>) {
    let sender = stack.add("ReportSender", sender(stores, tenancy, &props.deliveries, address));
    let completed = json!({ "dynamodb": { "NewImage": { "state": { "S": ["COMPLETED"] } } } });
    stack.add("Completed", TableTrigger::new(stores.jobs, completed, &sender, stores.dead_letters));
    let topic = props.alarm_topic.as_ref().map(|topic| topic.as_str());
    stack.add("SenderErrors", Alarm::on_errors(&sender, "A report could not be sent").notify(topic));
}

fn schedule_id(name: &Name) -> String {
    format!("Schedule{}", name.logical())
}

/// What every function of the stack works with.
struct Stores<'a> {
    /// The start of the key of every object.
    below: &'a str,
    jobs: &'a TableRef,
    reports: &'a BucketRef,
    dead_letters: &'a QueueRef,
}

impl Stores<'_> {
    fn function(&self, package: &str, tenancy: &Tenancy) -> RustFunction {
        RustFunction::new(package, tenancy.architecture)
            .env("TENANT", tenancy.name.as_str())
            .env("JOBS_TABLE", self.jobs.name())
            .env("REPORT_BUCKET", self.reports.name())
            .dead_letters(self.dead_letters)
    }
}

/// The slots belong to the account: every tenant reads who holds them, and acquires and releases its own. IAM compares keys and not what an
/// item contains, so a tenant could release a slot of another one, but it cannot take another tenant's place in the line.
fn slot_grants(tenancy: &Tenancy) -> [Grant; 2] {
    let table = sub("arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${SlotTable}");
    let keys = ["slot#*".to_owned(), format!("waiting#{}", tenancy.name)];
    let own = json!({ "ForAllValues:StringLike": { "dynamodb:LeadingKeys": keys } });
    [
        Grant::new(["dynamodb:Scan"], [table.clone()]),
        Grant::new(["dynamodb:DeleteItem", "dynamodb:PutItem"], [table]).only_when(own),
    ]
}

/// Snapshot jobs of the tenant's dashboards, or of all if the tenant file says so.
/// Resources: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonquicksight.html>
fn snapshot_grant(props: &Props) -> Grant {
    let actions = [
        "quicksight:DescribeDashboardSnapshotJob",
        "quicksight:DescribeDashboardSnapshotJobResult",
        "quicksight:StartDashboardSnapshotJob",
    ];
    let ids: Vec<&str> = match &props.dashboards {
        Dashboards::These(ids) => ids.iter().map(|id| id.as_str()).collect(),
        Dashboards::All => vec!["*"],
    };
    let arn =
        |rest: String| sub(format!("arn:${{AWS::Partition}}:quicksight:${{AWS::Region}}:${{AWS::AccountId}}:{rest}"));
    let resources = ids.iter().flat_map(|id| [format!("dashboard/{id}"), format!("dashboard/{id}/snapshot-job/*")]);
    Grant::new(actions, resources.map(arn))
}

/// A file of this tenant was stored in the bucket.
fn stored(reports: &BucketRef, below: &str, poller: &FunctionRef, dead_letters: &QueueRef) -> EventRule {
    let pattern = json!({
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": { "name": [Json::from(reports.name())] },
            "object": { "key": [{ "prefix": below }] },
        },
    });
    EventRule::new("A report was stored in the bucket", pattern, poller, None, dead_letters)
}

/// The published paths. Every method reaches the function, which rejects unknown ones with an answer in JSON.
fn request_api(props: &Props, api: &FunctionRef) -> RestApi {
    // The function names the field that is wrong; API Gateway would only say that one is.
    let anything = json!({ "$schema": "http://json-schema.org/draft-04/schema#", "type": "object" });
    RestApi::new("Creates QuickSight reports and delivers their files")
        .usage(props.usage())
        .users_of(props.user_pool.as_ref().map(|pool| pool.as_str().into()))
        .route_with_body("POST", "/qs-anonymous-snapshot", api, anything)
        .route("ANY", "/qs-anonymous-snapshot", api)
        .route("ANY", "/qs-anonymous-snapshot/describe_job/{dashboardId}/{jobId}", api)
        .route("ANY", "/qs-anonymous-snapshot/describe_job_result/{dashboardId}/{jobId}", api)
        .route("ANY", "/qs-anonymous-snapshot/download_output/{dashboardId}/{jobId}", api)
        .route("ANY", "/qs-anonymous-snapshot/{dashboardId}/{jobId}", api)
}

/// Sends complete reports by every way that is on.
fn sender(stores: &Stores<'_>, tenancy: &Tenancy, deliveries: &Deliveries, address: &Value<String>) -> RustFunction {
    let mut sender = stores
        .function("report-sender", tenancy)
        .memory(512)
        .timeout(120)
        .grant(stores.jobs.grant_read_stream())
        .grant(stores.jobs.grant(["dynamodb:GetItem", "dynamodb:UpdateItem"]))
        .grant(stores.reports.grant_below(stores.below, ["s3:GetObject"]));
    if let Some(email) = &deliveries.email {
        let identity = |identity: &str| {
            sub(format!("arn:${{AWS::Partition}}:ses:${{AWS::Region}}:${{AWS::AccountId}}:identity/{identity}"))
        };
        // SES knows the sender by its address or by its domain, whichever was verified.
        let identities = [identity(email.from.as_str()), identity(email.from.domain())];
        sender = sender
            .env("MAIL_FROM", email.from.as_str())
            .env("MAIL_ATTACH_BYTES", email.attach_bytes.to_string())
            .env("MAIL_LINK_BASE", address)
            // SES checks the second right for messages that it has to assemble, such as those with attachments.
            .grant(Grant::new(["ses:SendEmail", "ses:SendRawEmail"], identities));
    }
    if let Some(partner) = &deliveries.partner_bucket {
        let keys = format!("{}*", partner.prefix.as_str());
        sender = sender
            .env("PARTNER_BUCKET", partner.name.as_str())
            .env("PARTNER_ACCOUNT", partner.account.as_str())
            .env("PARTNER_PREFIX", partner.prefix.as_str())
            .grant(partner.name.grant_objects(&keys, ["s3:PutObject"], partner.account.as_str().into()));
    }
    if let Some(sftp) = &deliveries.sftp {
        let arn = "arn:${AWS::Partition}:transfer:${AWS::Region}:${AWS::AccountId}:connector/";
        sender = sender
            .env("SFTP_CONNECTOR", sftp.connector.as_str())
            .env("SFTP_FOLDER", sftp.folder.as_str())
            .grant(Grant::new(["transfer:StartFileTransfer"], [sub(format!("{arn}{}", sftp.connector.as_str()))]));
    }
    sender
}
