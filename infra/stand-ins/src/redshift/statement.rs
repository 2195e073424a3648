//! A submitted statement or batch: its states, and how it is described.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use tokio::sync::{Notify, watch};

use super::results::ResultSet;
use super::session::Outcome;
use super::submission::Submission;

/// A submission that was accepted.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) id: String,
    pub(super) submission: Submission,
    pub(super) created: SystemTime,
    pub(super) number: u64,
    pub(super) updated: SystemTime,
    started: Option<Instant>,
    duration: Duration,
    pub(super) state: State,
    error: Option<String>,
    pub(super) parts: Vec<Part>,
    /// Signals the task that runs it to stop.
    pub(super) cancel: Arc<Notify>,
    /// Becomes true at the end.
    pub(super) ended: watch::Sender<bool>,
}

/// One SQL statement of it.
#[derive(Debug, Default)]
pub(super) struct Part {
    state: State,
    error: Option<String>,
    rows: Option<u64>,
    pub(super) result: Option<Arc<ResultSet>>,
}

/// In their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum State {
    #[default]
    Submitted,
    Picked,
    Started,
    Finished,
    Failed,
    Aborted,
}

impl State {
    /// The service's name for it.
    pub(super) fn name(self) -> &'static str {
        match self {
            State::Submitted => "SUBMITTED",
            State::Picked => "PICKED",
            State::Started => "STARTED",
            State::Finished => "FINISHED",
            State::Failed => "FAILED",
            State::Aborted => "ABORTED",
        }
    }

    pub(super) fn is_end(self) -> bool {
        matches!(self, State::Finished | State::Failed | State::Aborted)
    }
}

impl Statement {
    pub(super) fn new(id: String, number: u64, submission: Submission) -> Statement {
        let now = SystemTime::now();
        Statement {
            id,
            number,
            created: now,
            updated: now,
            started: None,
            duration: Duration::ZERO,
            state: State::Submitted,
            error: None,
            parts: submission.written.iter().map(|_| Part::default()).collect(),
            cancel: Arc::default(),
            ended: watch::Sender::new(false),
            submission,
        }
    }

    /// Moves on to a state; a statement that has ended keeps its state.
    pub(super) fn become_state(&mut self, state: State, error: Option<String>) {
        if self.state.is_end() {
            return;
        }
        let now = Instant::now();
        match state {
            State::Started => self.started = Some(now),
            _ if state.is_end() => self.duration = self.started.map(|started| now - started).unwrap_or_default(),
            _ => {}
        }
        if state == State::Aborted {
            for part in self.parts.iter_mut().filter(|part| !part.state.is_end()) {
                part.state = State::Aborted;
            }
        }
        (self.state, self.error, self.updated) = (state, error, SystemTime::now());
        if state.is_end() {
            self.ended.send_replace(true);
        }
    }

    /// Records the outcome of one of its SQL statements.
    pub(super) fn part_ended(&mut self, at: usize, outcome: Result<Outcome, String>) {
        let part = &mut self.parts[at];
        match outcome {
            Ok(outcome) => {
                part.state = State::Finished;
                part.rows = Some(outcome.rows);
                part.result = outcome.result.map(Arc::new);
            }
            Err(error) => (part.state, part.error) = (State::Failed, Some(error)),
        }
    }

    /// In a failed transaction, no statement has a result.
    pub(super) fn roll_back(&mut self) {
        for part in self.parts.iter_mut().filter(|part| part.state != State::Failed) {
            *part = Part { state: State::Aborted, ..Part::default() };
        }
    }

    pub(super) fn has_result(&self) -> bool {
        self.state == State::Finished && self.parts.last().is_some_and(|part| part.result.is_some())
    }

    fn rows(&self) -> i64 {
        match self.state {
            State::Finished => self.parts.last().and_then(|part| part.rows).map_or(-1, signed),
            _ => -1,
        }
    }

    /// The answer to a submission.
    pub(super) fn accepted(&self) -> Value {
        let mut answer = self.place();
        answer["Id"] = json!(self.id);
        answer["CreatedAt"] = json!(seconds(self.created));
        answer
    }

    /// `DescribeStatement`
    pub(super) fn described(&self) -> Value {
        let submission = &self.submission;
        let size: usize = self.parts.iter().filter_map(|part| part.result.as_ref()).map(|result| result.size()).sum();
        let mut answer = self.place();
        let members = json!({
            "Id": self.id,
            "Status": self.state.name(),
            "CreatedAt": seconds(self.created),
            "UpdatedAt": seconds(self.updated),
            "Duration": nanos(self.duration),
            "HasResultSet": self.has_result(),
            "ResultRows": self.rows(),
            "ResultSize": if self.state == State::Finished { signed(size as u64) } else { -1 },
            "RedshiftPid": self.number,
            "RedshiftQueryId": if self.started.is_some() { signed(self.number) } else { 0 },
            "ResultFormat": "JSON",
        });
        merge(&mut answer, members);
        if submission.is_batch {
            let parts = self.parts.iter().enumerate().map(|(at, part)| self.part(at, part));
            answer["SubStatements"] = parts.collect();
        } else {
            answer["QueryString"] = json!(submission.written[0]);
        }
        if !submission.parameters.is_empty() {
            let parameter = |(name, value): &(String, String)| json!({"name": name, "value": value});
            answer["QueryParameters"] = submission.parameters.iter().map(parameter).collect();
        }
        if let Some(error) = &self.error {
            answer["Error"] = json!(error);
        }
        answer
    }

    fn part(&self, at: usize, part: &Part) -> Value {
        let mut described = json!({
            "Id": format!("{}:{}", self.id, at + 1),
            "Status": part.state.name(),
            "QueryString": self.submission.written[at],
            "CreatedAt": seconds(self.created),
            "UpdatedAt": seconds(self.updated),
            "Duration": nanos(self.duration),
            "HasResultSet": part.result.is_some(),
            "ResultRows": part.rows.map_or(-1, signed),
            "ResultSize": part.result.as_ref().map_or(-1, |result| signed(result.size() as u64)),
            "RedshiftQueryId": signed(self.number),
        });
        if let Some(error) = &part.error {
            described["Error"] = json!(error);
        }
        described
    }

    /// An entry of `ListStatements`.
    pub(super) fn listed(&self) -> Value {
        let submission = &self.submission;
        let mut entry = json!({
            "Id": self.id,
            "Status": self.state.name(),
            "CreatedAt": seconds(self.created),
            "UpdatedAt": seconds(self.updated),
            "IsBatchStatement": submission.is_batch,
            "ResultFormat": "JSON",
        });
        if submission.is_batch {
            entry["QueryStrings"] = json!(submission.written);
        } else {
            entry["QueryString"] = json!(submission.written[0]);
        }
        if let Some(name) = &submission.name {
            entry["StatementName"] = json!(name);
        }
        entry
    }

    /// The event for EventBridge, if one was asked for:
    /// <https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-monitoring-events.html>.
    pub(super) fn event(&self, region: &str, id: &str) -> Option<Value> {
        let submission = &self.submission;
        if !submission.with_event {
            return None;
        }
        let resource = match (&submission.cluster, &submission.workgroup) {
            (Some(name), _) => format!("arn:aws:redshift:{region}:{ACCOUNT}:cluster:{name}"),
            (None, name) => {
                let name = name.as_deref().unwrap_or_default();
                format!("arn:aws:redshift-serverless:{region}:{ACCOUNT}:workgroup/{name}")
            }
        };
        Some(json!({
            "version": "0",
            "id": id,
            "detail-type": "Redshift Data Statement Status Change",
            "source": "aws.redshift-data",
            "account": ACCOUNT,
            "time": aws_smithy_types::DateTime::from(self.updated)
                .fmt(aws_smithy_types::date_time::Format::DateTime).unwrap_or_default(),
            "region": region,
            "resources": [resource],
            "detail": {
                "principal": format!("arn:aws:sts::{ACCOUNT}:assumed-role/stand-in/stand-in"),
                "statementName": submission.name.as_deref().unwrap_or_default(),
                "statementId": self.id,
                "redshiftQueryId": self.number,
                "state": self.state.name(),
                "rows": self.rows().max(0),
                "expireAt": seconds(self.created + A_DAY).floor(),
            },
        }))
    }

    fn place(&self) -> Value {
        let submission = &self.submission;
        let mut place = json!({"Database": submission.database});
        for (member, value) in [
            ("ClusterIdentifier", &submission.cluster),
            ("WorkgroupName", &submission.workgroup),
            ("DbUser", &submission.user),
            ("SecretArn", &submission.secret),
        ] {
            if let Some(value) = value {
                place[member] = json!(value);
            }
        }
        place
    }
}

/// The emulator's account.
const ACCOUNT: &str = "000000000000";
/// How long the service keeps results.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn merge(into: &mut Value, members: Value) {
    if let (Value::Object(into), Value::Object(members)) = (into, members) {
        into.extend(members);
    }
}

fn seconds(time: SystemTime) -> f64 {
    let millis = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
    millis as f64 / 1000.0
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
