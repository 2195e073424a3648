//! Everything around the function: the table, the buckets, SES, Transfer Family, the clock, and what it wrote to its log.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use function::{Clock, logging};
use lambda_runtime::{Context, LambdaEvent};
use loopback::{Answer, Request, reply, serve};
use report_sender::{Handler, Settings};
use serde_json::{Value, json};

use crate::dynamo::Dynamo;

/// What the fakes know and have seen.
pub(crate) struct State {
    pub(crate) dynamo: Dynamo,
    /// The bodies of mails.
    pub(crate) mails: Vec<Value>,
    /// Where copies went, and from where.
    pub(crate) copies: Vec<(String, String)>,
    /// The bodies of transfers.
    pub(crate) transfers: Vec<Value>,
    /// What SES, the partner's bucket and Transfer Family do instead of their work, one a call.
    pub(crate) mail_faults: VecDeque<Answer>,
    pub(crate) copy_faults: VecDeque<Answer>,
    pub(crate) transfer_faults: VecDeque<Answer>,
    pub(crate) now: SystemTime,
    log: Vec<u8>,
}

pub(crate) struct World {
    pub(crate) state: Arc<Mutex<State>>,
    handler: Handler,
    pub(crate) time_left: Duration,
    _logging: tracing::subscriber::DefaultGuard,
}

pub(crate) const MAIL: (&str, &str) = ("MAIL_FROM", "reports@example.com");
pub(crate) const PARTNER: (&str, &str) = ("PARTNER_BUCKET", "partner");
pub(crate) const SFTP: (&str, &str) = ("SFTP_CONNECTOR", "c-01234567890abcdef");

/// The content of every file.
pub(crate) const CONTENT: &str = "canary-content";

impl World {
    pub(crate) async fn with(variables: &[(&str, &str)]) -> World {
        let state = Arc::new(Mutex::new(State {
            dynamo: Dynamo::default(),
            mails: Vec::new(),
            copies: Vec::new(),
            transfers: Vec::new(),
            mail_faults: VecDeque::new(),
            copy_faults: VecDeque::new(),
            transfer_faults: VecDeque::new(),
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_765_307_746),
            log: Vec::new(),
        }));
        let served = state.clone();
        let address = serve(move |request| std::future::ready(served.lock().unwrap().answer(&request))).await;
        let url = format!("http://{address}");
        let mut environment = BTreeMap::from([
            ("TENANT", "acme"),
            ("JOBS_TABLE", "jobs"),
            ("REPORT_BUCKET", "reports"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "canary-aws-secret"),
            ("AWS_ENDPOINT_URL", &url),
        ]);
        environment.extend(variables.iter().copied());
        let settings = Settings::read(&|name: &str| environment.get(name).map(|it| it.to_string())).unwrap();
        let (writer, present) = (state.clone(), state.clone());
        let write = move || Log(writer.clone());
        let logged = logging::subscriber(&["report_sender", "report_queue"], tracing::Level::TRACE, write);
        let clock = Clock::new(move || present.lock().unwrap().now, |_| Box::pin(std::future::ready(())));
        World {
            handler: Handler::new(settings, clock),
            state,
            time_left: Duration::from_secs(120),
            _logging: tracing::subscriber::set_default(logged),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// A completed job with so many files, for these people.
    pub(crate) fn completed(&self, id: &str, files: usize, recipients: &[&str]) {
        let request = json!({"sheetId": "s1", "format": "PDF", "parameters": {}, "tags": [], "recipients": recipients});
        let file = |n: usize| json!({"format": "PDF", "key": format!("t/acme/d1/{id}/part {n}.pdf")});
        let files: Vec<Value> = (1..=files).map(file).collect();
        let text = |text: &str| json!({"S": text});
        let item = json!({
            "dashboardId": text("d1"), "jobId": text(id), "state": text("COMPLETED"), "attempts": {"N": "1"},
            "request": text(&request.to_string()), "files": text(&json!(files).to_string()), "viewer": text("v"),
            "other": {"M": {}},
        });
        self.state().dynamo.jobs.insert(id.to_owned(), item);
    }

    /// The stream brings these jobs, as they are now.
    pub(crate) async fn stream(&self, ids: &[&str]) -> Result<Value, String> {
        let record = |id: &&str| {
            let image = self.state().dynamo.jobs[*id].clone();
            json!({"eventName": "MODIFY", "eventSource": "aws:dynamodb", "dynamodb": {"SequenceNumber": "1", "NewImage": image}})
        };
        let records: Vec<Value> = ids.iter().map(record).collect();
        self.invoke(json!({"Records": records})).await
    }

    pub(crate) async fn invoke(&self, event: Value) -> Result<Value, String> {
        let mut context = Context::default();
        let deadline = self.state().now + self.time_left;
        context.deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64;
        let result = self.handler.handle(LambdaEvent::new(event, context)).await;
        let shown = format!("{result:?}");
        self.state().log.extend(shown.bytes());
        result
    }

    /// How far a job has come on a way, without the time.
    pub(crate) fn standing(&self, id: &str, way: &str) -> String {
        let standing = self.state().dynamo.job(id, way);
        let text = standing.as_str().unwrap_or_default();
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        if word == "FAILED" { text.to_owned() } else { format!("{word}{}", if rest.is_empty() { "?" } else { "" }) }
    }

    /// How many mails, copies and transfers were made.
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
        let log = String::from_utf8(self.state().log.clone()).unwrap();
        for canary in ["canary", "@example.com"] {
            assert!(!log.contains(canary), "the secret `{canary}` got out: {log}");
        }
    }
}

/// An error as a service with JSON tells it.
pub(crate) fn refusal(status: u16, kind: &str) -> Answer {
    let body = json!({"__type": kind, "message": "canary@example.com"}).to_string().into_bytes();
    Answer::Reply { status, headers: vec![("x-amzn-ErrorType", kind.to_owned())], body }
}

/// An error as S3 tells it.
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
                self.mails.push(body());
                self.mail_faults.pop_front().unwrap_or(reply(200, json!({"MessageId": "m-1"})))
            }
            ("GET", path) if path.starts_with("/reports/") => reply(200, CONTENT),
            ("PUT", path) if path.starts_with("/partner/") => {
                self.copies.push((path.to_owned(), request.header("x-amz-copy-source").to_owned()));
                let done = "<CopyObjectResult><ETag>e</ETag></CopyObjectResult>";
                self.copy_faults.pop_front().unwrap_or(reply(200, done))
            }
            (method, _) => panic!("nobody has {method} {}", request.target),
        }
    }
}

struct Log(Arc<Mutex<State>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().log.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
