//! Exercises the deployed system: thirty reports through five slots, each format downloaded and opened, and failures reported.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, ensure};
use ferrostack_deploy::Progress;
use reqwest::Method;
use serde_json::{Value, json};
use stand_ins::quicksight::{Dashboard, QuickSight};

use crate::exercise::{Exercise, until};
use crate::rest::{Rest, send};
use crate::stack::DeployedStack;
use crate::system::LocalSystem;
use crate::world::World;

/// Reports that are submitted at once, and how many of them may be at QuickSight at a time: `slots` of `tenant.yaml`.
const REPORTS: usize = 30;
const SLOTS: usize = 5;

const SALES: &str = "sales";
const BASE: &str = "/qs-anonymous-snapshot";

/// The poller's schedule ticks each minute; then six rounds of five reports, and the same again for a slow machine.
const LONGEST_QUEUE: Duration = Duration::from_secs(600);

pub(crate) const LOCAL: LocalSystem = LocalSystem { uses_warehouse: false, can_be_measured: false };

/// What the steps need.
struct ReportExercise<'a> {
    rest: Rest,
    quicksight: &'a QuickSight,
    /// Shows the queue.
    progress: &'a Progress,
}

/// There is nothing to do before the deployment.
pub(crate) async fn prepare(_: &World<'_>) -> anyhow::Result<()> {
    Ok(())
}

/// Runs every step.
pub(crate) async fn exercise(
    world: &World<'_>,
    stack: &DeployedStack,
    exercise: &mut Exercise<'_>,
) -> anyhow::Result<()> {
    let rest = Rest::of(stack, &world.emulator.caller).await?;
    let system = ReportExercise { rest, quicksight: &world.services.quicksight, progress: world.progress };
    exercise.step("a request without the API key is refused", system.without_key()).await;
    exercise.step("a request with its own row-level tags is refused", system.with_own_tags()).await;
    let fails = system.submit(&job(Dashboard::FAILS, 0)).await;
    let loses = system.submit(&job(Dashboard::LOSES_ANSWERS, 0)).await;
    let title = format!("{REPORTS} reports are delivered, at most {SLOTS} at a time");
    exercise.step(&title, system.queue()).await;
    exercise.step("a file of each format can be downloaded and opened", system.downloads()).await;
    exercise.step("a report that fails says why", system.failed(fails)).await;
    exercise.step("a start whose answer is lost makes one report", system.once(loses)).await;
    exercise.step("a report that is deleted is gone, with its files", system.delete()).await;
    Ok(())
}

/// What a client posts; the formats take turns.
fn job(dashboard: &str, number: usize) -> Value {
    let parameters = json!({
        "StringParameters": [{"Name": "Region", "Values": ["EMEA"]}],
        "IntegerParameters": [{"Name": "Big", "Values": [9_007_199_254_740_993_i64]}],
        "DecimalParameters": [{"Name": "Rate", "Values": [0.1]}],
    });
    let mut job = json!({"dashboardId": dashboard, "sheetId": "overview", "format": "PDF", "parameters": parameters});
    if !number.is_multiple_of(3) {
        job["format"] = json!(if number % 3 == 1 { "CSV" } else { "EXCEL" });
        job["visualId"] = json!(["table-1"]);
    }
    job
}

impl ReportExercise<'_> {
    async fn without_key(&self) -> anyhow::Result<String> {
        let (status, body) = send(self.rest.request(Method::POST, BASE), Some(&job(SALES, 0))).await?;
        ensure!(status == 403, "the answer was {status}: {body}");
        Ok("403".to_owned())
    }

    async fn with_own_tags(&self) -> anyhow::Result<String> {
        let mut body = job(SALES, 0);
        body["RowLevelPermissionTags"] = json!([{"Key": "tenant", "Value": "somebody-else"}]);
        let (status, body) = send(self.rest.with_key(Method::POST, BASE), Some(&body)).await?;
        ensure!(status == 400, "the answer was {status}: {body}");
        Ok("400".to_owned())
    }

    /// Submits one report and returns its ID.
    async fn submit(&self, body: &Value) -> anyhow::Result<String> {
        let (status, answer) = send(self.rest.with_key(Method::POST, BASE), Some(body)).await?;
        ensure!(status == 202 && answer["Status"] == "QUEUED", "the answer was {status}: {answer}");
        answer["SnapshotJobId"].as_str().map(str::to_owned).context("the answer has no ID")
    }

    async fn queue(&self) -> anyhow::Result<String> {
        let mut ids = BTreeSet::new();
        for number in 0..REPORTS {
            ids.insert(self.submit(&job(SALES, number)).await?);
        }
        ensure!(ids.len() == REPORTS, "only {} of {REPORTS} IDs are different", ids.len());
        self.progress.begin("reports through the queue", REPORTS as u64);
        until("the end of all reports", LONGEST_QUEUE, async || {
            let jobs = self.jobs().await?;
            let ended = jobs.values().filter(|status| is_end(status)).count();
            self.progress.done(ended as u64);
            Ok((ended == REPORTS).then_some(()))
        })
        .await?;
        let jobs = self.jobs().await?;
        ensure!(jobs.keys().eq(ids.iter()), "the list differs from the reports that were submitted");
        let failed: Vec<_> = jobs.iter().filter(|(_, status)| *status != "COMPLETED").collect();
        ensure!(failed.is_empty(), "not completed: {failed:?}");
        let high_water = self.quicksight.counts().high_water;
        ensure!(high_water <= SLOTS, "{high_water} reports were at QuickSight at one time");
        Ok(format!("{REPORTS} completed, at most {high_water} at the stand-in at a time"))
    }

    /// Every report of the sales dashboard and its status, from all pages of the list.
    async fn jobs(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let (mut jobs, mut next) = (BTreeMap::new(), None);
        loop {
            let mut request = self.rest.with_key(Method::GET, BASE).query(&[("dashboardId", SALES)]);
            if let Some(token) = &next {
                request = request.query(&[("nextToken", token)]);
            }
            let (status, page) = send(request, None).await?;
            ensure!(status == 200, "the list answered {status}: {page}");
            for item in page["Items"].as_array().context("the list has no Items")? {
                let field = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
                jobs.insert(field("jobId"), field("jobStatus"));
            }
            next = page["NextToken"].as_str().map(str::to_owned);
            if next.is_none() {
                return Ok(jobs);
            }
        }
    }

    async fn describe(&self, dashboard: &str, id: &str) -> anyhow::Result<Value> {
        let path = format!("{BASE}/describe_job/{dashboard}/{id}");
        let (status, answer) = send(self.rest.with_key(Method::GET, &path), None).await?;
        ensure!(status == 200, "describe_job answered {status}: {answer}");
        Ok(answer)
    }

    async fn downloads(&self) -> anyhow::Result<String> {
        let mut opened = BTreeMap::new();
        for id in self.jobs().await?.keys() {
            let (name, bytes) = self.download(id).await?;
            let kind = name.rsplit('.').next().unwrap_or_default().to_owned();
            if opened.contains_key(&kind) {
                continue;
            }
            check_file(&kind, &bytes).with_context(|| format!("{name} is not right"))?;
            opened.insert(kind, bytes.len());
            if opened.len() == 3 {
                break;
            }
        }
        ensure!(opened.len() == 3, "there were only {opened:?}");
        let files: Vec<_> = opened.iter().map(|(kind, size)| format!("{kind} of {size} bytes")).collect();
        Ok(files.join(", "))
    }

    /// The name that a browser would give the file, and the file.
    async fn download(&self, id: &str) -> anyhow::Result<(String, Vec<u8>)> {
        let path = format!("{BASE}/download_output/{SALES}/{id}");
        let (status, answer) = send(self.rest.with_key(Method::GET, &path), None).await?;
        ensure!(status == 200, "download_output answered {status}: {answer}");
        let url = answer["presignedUrl"].as_str().context("the answer has no presignedUrl")?;
        let file = reqwest::get(url).await.context("no answer from the bucket")?;
        ensure!(file.status().is_success(), "the bucket answered {}", file.status());
        let disposition =
            file.headers().get("content-disposition").and_then(|value| value.to_str().ok()).unwrap_or_default();
        ensure!(disposition.starts_with("attachment"), "the file is shown instead of saved: `{disposition}`");
        let name = disposition.rsplit('=').next().unwrap_or_default().trim_matches('"').to_owned();
        Ok((name, file.bytes().await?.to_vec()))
    }

    async fn failed(&self, id: anyhow::Result<String>) -> anyhow::Result<String> {
        let job = self.ended(Dashboard::FAILS, &id?).await?;
        ensure!(job["JobStatus"] == "FAILED", "it is {job}");
        let text = job.to_string();
        ensure!(text.contains("was asked for a job that fails"), "the reason is missing: {text}");
        Ok("FAILED, with QuickSight's reason".to_owned())
    }

    async fn once(&self, id: anyhow::Result<String>) -> anyhow::Result<String> {
        let job = self.ended(Dashboard::LOSES_ANSWERS, &id?).await?;
        ensure!(job["JobStatus"] == "COMPLETED", "it is {job}");
        // The thirty, the one that fails, and this one.
        let started = self.quicksight.counts().started;
        ensure!(started == REPORTS + 2, "{started} reports were started");
        Ok(format!("{started} submitted, {started} started"))
    }

    async fn ended(&self, dashboard: &str, id: &str) -> anyhow::Result<Value> {
        until("the end of a report", LONGEST_QUEUE, async || {
            let job = self.describe(dashboard, id).await?;
            Ok(is_end(job["JobStatus"].as_str().unwrap_or_default()).then_some(job))
        })
        .await
    }

    async fn delete(&self) -> anyhow::Result<String> {
        let jobs = self.jobs().await?;
        let id = jobs.keys().next().context("there is no report")?;
        let (status, answer) = send(self.rest.with_key(Method::DELETE, &format!("{BASE}/{SALES}/{id}")), None).await?;
        ensure!(matches!(status, 200 | 204), "the answer was {status}: {answer}");
        let path = format!("{BASE}/download_output/{SALES}/{id}");
        let (status, answer) = send(self.rest.with_key(Method::GET, &path), None).await?;
        ensure!(matches!(status, 404 | 410), "a download answered {status}: {answer}");
        Ok(format!("a download is {status}"))
    }
}

fn is_end(status: &str) -> bool {
    matches!(status, "COMPLETED" | "FAILED" | "EXPIRED" | "CANCELED")
}

fn check_file(kind: &str, bytes: &[u8]) -> anyhow::Result<()> {
    match kind {
        "pdf" => ensure!(bytes.starts_with(b"%PDF-") && bytes.ends_with(b"%%EOF"), "it is not a PDF"),
        "xlsx" => ensure!(bytes.starts_with(b"PK"), "it is not a workbook"),
        "csv" => {
            let text = std::str::from_utf8(bytes)?;
            for line in ["\"Rate\",\"0.1\"", "\"Big\",\"9007199254740993\"", "\"Region\",\"EMEA\""] {
                ensure!(text.contains(line), "a parameter did not survive the queue; it has {text}");
            }
        }
        other => anyhow::bail!("unknown format {other}"),
    }
    Ok(())
}
