//! Everything the function depends on: the table, the buckets, SES, Transfer Family, the clock, and what it wrote to its log.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use lambda_runtime::{Context, LambdaEvent};
use loopback::{Answer, Log, Request, Time, environment, reply, serve};
use report_sender::{ReportSender, Settings};
use serde_json::{Value, json};

use crate::dynamo::Dynamo;
use crate::freezing::freezing;

/// What the fakes know and have recorded.
pub(crate) struct State {
    pub(crate) dynamo: Dynamo,
    /// The bodies of mails.
    pub(crate) mails: Vec<Value>,
    /// How many mails SES sends on.
    pub(crate) accepted_mails: usize,
    /// Whether SES sends a mail on although it answers with a fault.
    pub(crate) accepts_despite_fault: bool,
    /// Where copies went, and from where.
    pub(crate) copies: Vec<(String, String)>,
    /// The bodies of transfers.
    pub(crate) transfers: Vec<Value>,
    /// Faults of SES, the partner's bucket and Transfer Family, one per call.
    pub(crate) mail_faults: VecDeque<Answer>,
    pub(crate) copy_faults: VecDeque<Answer>,
    pub(crate) transfer_faults: VecDeque<Answer>,
    results: String,
}

pub(crate) struct World {
    pub(crate) state: Arc<Mutex<State>>,
    handler: ReportSender,
    pub(crate) time_left: Duration,
    pub(crate) time: Time,
    log: Log,
    runs: AtomicU32,
}

pub(crate) const MAIL: (&str, &str) = ("MAIL_FROM", "reports@example.com");
pub(crate) const PARTNER: (&str, &str) = ("PARTNER_BUCKET", "partner");
pub(crate) const PARTNER_ACCOUNT: &str = "210987654321";
pub(crate) const SFTP: (&str, &str) = ("SFTP_CONNECTOR", "c-01234567890abcdef");

/// The content of every file.
pub(crate) const CONTENT: &str = "canary-content";

impl World {
    pub(crate) async fn with(variables: &[(&str, &str)]) -> World {
        World::new(variables, false).await
    }

    /// A world in which the function is frozen after each call to SES, and its connections die meanwhile.
    pub(crate) async fn frozen_between_calls(variables: &[(&str, &str)]) -> World {
        World::new(variables, true).await
    }

    async fn new(variables: &[(&str, &str)], freezes: bool) -> World {
        let state = Arc::new(Mutex::new(State {
            dynamo: Dynamo::default(),
            mails: Vec::new(),
            accepted_mails: 0,
            accepts_despite_fault: false,
            copies: Vec::new(),
            transfers: Vec::new(),
            mail_faults: VecDeque::new(),
            copy_faults: VecDeque::new(),
            transfer_faults: VecDeque::new(),
            results: String::new(),
        }));
        let served = state.clone();
        let address = serve(move |request| std::future::ready(served.lock().unwrap().answer(&request))).await;
        let ses = if freezes { freezing(address).await } else { address };
        let ses = format!("http://{ses}");
        let own = [
            ("TENANT", "acme"),
            ("JOBS_TABLE", "jobs"),
            ("REPORT_BUCKET", "reports"),
            ("PARTNER_ACCOUNT", PARTNER_ACCOUNT),
            ("AWS_ENDPOINT_URL_SESV2", ses.as_str()),
        ];
        let variable = environment(&format!("http://{address}"), own.iter().chain(variables));
        let time = Time::at(1_765_307_746);
        World {
            handler: ReportSender::new(Settings::read(&variable).unwrap(), time.clock()),
            state,
            time_left: Duration::from_secs(120),
            time,
            log: Log::of(&["report_sender", "report_queue"]),
            runs: AtomicU32::new(0),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// A completed job with so many files, for these people.
    pub(crate) fn completed(&self, id: &str, files: usize, recipients: &[&str]) {
        let request = json!({"sheetId": "s1", "format": "PDF", "parameters": {}, "tags": [], "recipients": recipients});
        let file = |number: usize| json!({"format": "PDF", "key": format!("t/acme/d1/{id}/part {number}.pdf")});
        let files: Vec<Value> = (1..=files).map(file).collect();
        let text = |text: &str| json!({"S": text});
        let item = json!({
            "dashboardId": text("d1"), "jobId": text(id), "state": text("COMPLETED"), "attempts": {"N": "1"},
            "request": text(&request.to_string()), "files": text(&json!(files).to_string()), "viewer": text("v"),
            "other": {"M": {}},
        });
        self.state().dynamo.jobs.insert(id.to_owned(), item);
    }

    /// The stream delivers the records of these jobs' completion, perhaps again.
    pub(crate) async fn stream(&self, ids: &[&str]) -> Result<Value, String> {
        let record = |id: &&str| {
            let mut image = self.state().dynamo.jobs[*id].clone();
            for way in ["mail", "partner", "sftp"] {
                image.as_object_mut().unwrap().remove(way);
            }
            json!({"eventName": "MODIFY", "eventSource": "aws:dynamodb", "dynamodb": {"SequenceNumber": "1", "NewImage": image}})
        };
        let records: Vec<Value> = ids.iter().map(record).collect();
        self.invoke(json!({"Records": records})).await
    }

    pub(crate) async fn invoke(&self, event: Value) -> Result<Value, String> {
        let mut context = Context::default();
        context.deadline = self.time.deadline(self.time_left);
        context.request_id = format!("run-{}", self.runs.fetch_add(1, Ordering::Relaxed));
        let result = self.handler.handle(LambdaEvent::new(event, context)).await.map_err(|error| error.to_string());
        let shown = format!("{result:?}");
        self.state().results.push_str(&shown);
        result
    }

    /// A job's progress on a way, without the time.
    pub(crate) fn standing(&self, id: &str, way: &str) -> String {
        let standing = self.state().dynamo.job(id, way);
        let text = standing.as_str().unwrap_or_default();
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        if word == "FAILED" { text.to_owned() } else { format!("{word}{}", if rest.is_empty() { "?" } else { "" }) }
    }

    /// The numbers of mails, copies and transfers.
    pub(crate) fn made(&self) -> (usize, usize, usize) {
        let state = self.state();
        (state.mails.len(), state.copies.len(), state.transfers.len())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let said = self.log.text() + &self.state().results;
        for canary in ["canary", "@example.com"] {
            assert!(!said.contains(canary), "the secret `{canary}` leaked: {said}");
        }
    }
}

/// An error as a JSON service returns it.
pub(crate) fn refusal(status: u16, kind: &str) -> Answer {
    let body = json!({"__type": kind, "message": "canary@example.com"}).to_string().into_bytes();
    Answer::Reply { status, headers: vec![("x-amzn-ErrorType", kind.to_owned())], body }
}

/// An error as S3 returns it.
pub(crate) fn denied(status: u16, kind: &str) -> Answer {
    reply(status, format!("<Error><Code>{kind}</Code><Message>canary</Message></Error>"))
}

impl State {
    fn answer(&mut self, request: &Request) -> Answer {
        if let Some(answer) = self.dynamo.answer(request) {
            return answer;
        }
        let body = || serde_json::from_str(&request.body).unwrap();
        let path = request.target.split('?').next().unwrap();
        if request.header("x-amz-target") == "TransferService.StartFileTransfer" {
            self.transfers.push(body());
            return self.transfer_faults.pop_front().unwrap_or(reply(200, json!({"TransferId": "t-1"})));
        }
        match (request.method.as_str(), path) {
            ("POST", "/v2/email/outbound-emails") => {
                let fault = self.mail_faults.pop_front();
                if fault.is_none() || self.accepts_despite_fault {
                    self.accepted_mails += 1;
                }
                self.mails.push(body());
                fault.unwrap_or(reply(200, json!({"MessageId": "m-1"})))
            }
            ("GET", path) if path.starts_with("/reports/") => reply(200, CONTENT),
            ("PUT", path) if path.starts_with("/partner/") => {
                assert_eq!(request.header("x-amz-expected-bucket-owner"), PARTNER_ACCOUNT);
                self.copies.push((path.to_owned(), request.header("x-amz-copy-source").to_owned()));
                let done = "<CopyObjectResult><ETag>e</ETag></CopyObjectResult>";
                self.copy_faults.pop_front().unwrap_or(reply(200, done))
            }
            (method, _) => panic!("nobody has {method} {}", request.target),
        }
    }
}
