//! Distinguishes the triggers and the resources, and answers each.

use aws_sdk_s3::config::ResponseChecksumValidation;
use function::{Clock, millis};
use lambda_runtime::LambdaEvent;
use report_queue::{
    Deletion, Dynamo, Item, Job, JobKey, Request, State, Submission, Tables, begin_deletion, end_deletion,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tracing::{Instrument, error, info, info_span};

use crate::answer;
use crate::download::Files;
use crate::error::{Error, Result};
use crate::identity::{self, Caller, TagSource};
use crate::page::{self, PageKey, Place};
use crate::record;
use crate::route::{self, Call};
use crate::settings::Settings;

/// The function, for the life of its process.
pub struct ReportApi {
    pub(crate) clock: Clock,
    pub(crate) settings: Settings,
    pub(crate) tables: Dynamo,
    files: Files,
    page_key: PageKey,
}

/// Jobs on a page of a list. The table reads this many at a time, so a page has fewer jobs if some are not the caller's.
const PAGE: u16 = 100;

/// The event that EventBridge Scheduler sends for a scheduled report.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Scheduled<'a> {
    #[serde(borrow)]
    scheduled_report: &'a RawValue,
    delivery_id: String,
}

impl ReportApi {
    /// Wires the function; nothing is connected before the first event.
    pub fn new(settings: Settings, clock: Clock) -> ReportApi {
        let tables = Dynamo {
            client: aws_sdk_dynamodb::Client::new(&settings.dynamodb),
            jobs: settings.jobs_table.clone(),
            slots: String::new(),
        };
        // The bucket is in the path, because its name may contain dots and a stand-in has one host.
        let s3 = aws_sdk_s3::config::Builder::from(&settings.s3)
            .force_path_style(true)
            // A browser that follows a signed address sends no checksum header.
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .build();
        let files = Files {
            client: aws_sdk_s3::Client::from_conf(s3),
            bucket: settings.bucket.clone(),
            tenant: settings.tenant.clone(),
            url_life: settings.url_life,
        };
        let secrets = aws_sdk_secretsmanager::Client::new(&settings.secrets_manager);
        let page_key = PageKey::new(secrets, settings.page_key_secret.clone(), clock.clone());
        ReportApi { clock, settings, tables, files, page_key }
    }

    /// Handles one event: an API Gateway REST proxy event (version 1.0), or a scheduled report.
    ///
    /// The event is passed as text, because parsing it would round the decimals of its parameters.
    ///
    /// # Errors
    ///
    /// For a scheduled report that is not in the queue now; the same `deliveryId` again means the same job. For a REST event,
    /// never: the response carries the status.
    pub async fn handle(&self, event: LambdaEvent<Box<RawValue>>) -> Result<Value> {
        let (event, context) = event.into_parts();
        let span = info_span!("run", request_id = context.request_id);
        self.run(event.get()).instrument(span).await
    }

    async fn run(&self, event: &str) -> Result<Value> {
        let parsed: Value = serde_json::from_str(event).map_err(|_| Error::invalid("the event is not JSON"))?;
        if parsed.get("requestContext").is_none() {
            return self.scheduled(event).await.inspect_err(|error| error!(step = "end", reason = error.message));
        }
        let answer = match route::call(&parsed) {
            Ok(call) => self.answer(call, &parsed["requestContext"]["authorizer"]).await,
            Err(error) => Err(error),
        };
        Ok(answer.unwrap_or_else(|error| {
            match error.status {
                // The sentence quotes the request: an address, a parameter's value.
                ..500 => info!(step = "end", status = error.status),
                _ => error!(step = "end", status = error.status, reason = error.message),
            }
            answer::failed(&error)
        }))
    }

    async fn answer(&self, call: Call<'_>, authorizer: &Value) -> Result<Value> {
        let caller = identity::caller(&self.settings.tags, authorizer)?;
        match call {
            Call::Submit { body, idempotency_key } => {
                let submission = Submission::read(body)?;
                self.check_recipients(&submission)?;
                Ok(answer::ok(202, &self.submit(submission, caller, idempotency_key).await?))
            }
            Call::List { dashboard, token } => self.list(dashboard, token, &caller).await,
            Call::Describe(key) => {
                let (job, request) = self.visible(&key, &caller).await?;
                let now = millis(self.clock.now());
                Ok(answer::text(200, record::described(&job, &request, &self.settings, now)))
            }
            Call::Result(key) => {
                let (job, request) = self.visible(&key, &caller).await?;
                if !job.state.is_end() {
                    let status = record::status(&job);
                    return Err(Error::conflict(format!("the job has no result yet; its status is {status}")));
                }
                Ok(answer::ok(200, &record::result(&job, &request, &self.settings)))
            }
            Call::Download(key, number) => {
                let (job, _) = self.visible(&key, &caller).await?;
                Ok(answer::ok(200, &self.files.address(&job, number).await?))
            }
            Call::Delete(key) => self.delete(&key, &caller).await,
        }
    }

    /// The holder of an API key must not be able to send mail to anybody.
    fn check_recipients(&self, submission: &Submission) -> Result<()> {
        let allowed = &self.settings.recipient_domains;
        let domain = |address: &str| address.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
        if submission.recipients().iter().all(|address| allowed.contains(&domain(address))) {
            return Ok(());
        }
        let domains = allowed.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let domains = if domains.is_empty() { "none; use a schedule to send reports" } else { &domains };
        Err(Error::invalid(format!("`recipients` has an address outside the tenant's domains; allowed: {domains}")))
    }

    /// A scheduled report: only fixed tags, because there is no caller.
    async fn scheduled(&self, event: &str) -> Result<Value> {
        let event: Scheduled = serde_json::from_str(event).map_err(|_| {
            Error::invalid(r#"the event is unknown; must be API Gateway's or {"scheduledReport":{…},"deliveryId":"…"}"#)
        })?;
        if let Some(TagSource::Claimed(_)) =
            self.settings.tags.iter().find(|source| matches!(source, TagSource::Claimed(_)))
        {
            return Err(Error::invalid(
                "a scheduled report has no caller, but a row-level tag of this tenant comes from a caller's claim; give that tag a fixed value",
            ));
        }
        let caller = identity::caller(&self.settings.tags, &Value::Null)?;
        let submission = Submission::read(event.scheduled_report.get())?;
        self.submit(submission, caller, Some(&event.delivery_id)).await
    }

    async fn list(&self, dashboard: Option<&str>, token: Option<&str>, caller: &Caller) -> Result<Value> {
        let now = millis(self.clock.now()) / 1000;
        let after = match token {
            None => None,
            Some(token) => {
                let place = self.page_key.open(token).await?;
                let same = (place.tenant.as_str(), place.viewer.as_str(), place.query.as_deref())
                    == (&self.settings.tenant, &caller.viewer, dashboard);
                if !same || place.expires <= now {
                    return Err(page::unknown());
                }
                Some(place.key())
            }
        };
        let page = self.tables.list(dashboard, after, PAGE).await?;
        let mut entries = Vec::new();
        for item in &page.items {
            // A record that cannot be read belongs to nobody.
            let Some((job, request)) = self.seen(item, caller) else { continue };
            entries.push(record::listed(&job, &request, &self.settings));
        }
        let next = match page.next.as_ref().and_then(last) {
            None => None,
            Some(key) => {
                let place = Place {
                    tenant: self.settings.tenant.clone(),
                    viewer: caller.viewer.clone(),
                    query: dashboard.map(str::to_owned),
                    dashboard: key.dashboard,
                    job: key.job,
                    expires: now + page::LIFE_SECONDS,
                };
                Some(self.page_key.seal(&place).await?)
            }
        };
        let items = serde_json::to_string(&entries).expect("text and numbers can always be written as JSON");
        let (count, scanned) = (entries.len(), page.items.len());
        let next = json!(next);
        Ok(answer::text(
            200,
            format!(r#"{{"Items":{items},"Count":{count},"ScannedCount":{scanned},"NextToken":{next}}}"#),
        ))
    }

    async fn delete(&self, key: &JobKey, caller: &Caller) -> Result<Value> {
        let item = self.tables.job(key).await?.ok_or_else(Error::no_job)?;
        let job = Job::read(&item)?;
        if job.viewer != caller.viewer {
            return Err(Error::no_job());
        }
        match begin_deletion(&self.tables, &job, millis(self.clock.now())).await? {
            Deletion::Done => return Ok(answer::no_content()),
            Deletion::Busy => {
                let status = record::status(&job);
                return Err(Error::conflict(format!(
                    "the job's status is {status}, and QuickSight may be working on it; delete it after it has ended"
                )));
            }
            Deletion::Started => {}
        }
        self.files.remove(&job).await?;
        end_deletion(&self.tables, key, millis(self.clock.now())).await?;
        info!(step = "delete", job = %key);
        Ok(answer::ok(200, &json!({"message": "Snapshot job deleted successfully"})))
    }

    /// A job that the caller may see, with its request.
    async fn visible(&self, key: &JobKey, caller: &Caller) -> Result<(Job, Request)> {
        let item = self.tables.job(key).await?;
        item.and_then(|item| self.seen(&item, caller)).ok_or_else(Error::no_job)
    }

    fn seen(&self, item: &Item, caller: &Caller) -> Option<(Job, Request)> {
        let job = Job::read(item).ok()?;
        let now = millis(self.clock.now()) / 1000;
        let there = !matches!(job.state, State::Deleting | State::Deleted) && job.expires.is_none_or(|at| now < at);
        if !there || job.viewer != caller.viewer {
            return None;
        }
        let request = Request::read(&job.request).ok()?;
        Some((job, request))
    }
}

fn last(item: &Item) -> Option<JobKey> {
    let text = |name: &str| match item.get(name) {
        Some(report_queue::Value::S(text)) => Some(text.clone()),
        _ => None,
    };
    Some(JobKey { dashboard: text("dashboardId")?, job: text("jobId")? })
}
