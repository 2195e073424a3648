//! One request of a user, and its progress.

use std::collections::BTreeMap;

use redshift::StatementId;

use crate::query::Bound;
use crate::ticket::digest;

/// A request as stored in its item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// A hash of the owner and the client's ID, 64 hexadecimal digits: the same however often the request is sent, and different
    /// for every user.
    pub key: String,
    /// The user, Cognito's `sub`.
    pub owner: String,
    /// The client's ID, a UUID.
    pub id: String,
    /// The query's name.
    pub query: String,
    /// The query's values by name, as text.
    pub values: BTreeMap<String, String>,
    /// Hash of query and values: the same ID with different ones is an error.
    pub fingerprint: String,
    /// Hash of the SQL, which is not stored: the same statement can be submitted again only as long as the query is the same.
    pub sql: String,
    /// Its state.
    pub state: State,
    /// Its statement in Redshift, once known.
    pub statement: Option<StatementId>,
    /// The connection that waits for it.
    pub connection: Option<Connection>,
    /// Since when nobody waits; milliseconds.
    pub alone: Option<u64>,
    /// Why its statement was cancelled.
    pub cancelled: Option<Cause>,
    /// Milliseconds.
    pub created: u64,
    /// The last part of the result that was sent, from 0; -1 before the first.
    pub sent: i64,
    /// Whether there is anything left to do or to report.
    pub open: bool,
    /// The number of its slot among the owner's running statements.
    pub slot: u32,
    /// The most rows its result may have.
    pub limit: u32,
}

/// The state of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// About to be submitted to Redshift.
    Pending,
    /// Redshift has it.
    Running,
    /// It has ended.
    Ended(End),
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// With a result.
    Finished {
        /// Rows of the result.
        rows: u64,
    },
    /// Without a result.
    Failed(Failure),
    /// Because it was cancelled.
    Cancelled,
}

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Redshift rejected or aborted the statement.
    Failed,
    /// It took too long.
    TimedOut,
    /// The warehouse could not be reached, or is paused.
    Unavailable,
}

/// Why a statement was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Its owner cancelled it.
    Asked,
    /// Nobody waits for it.
    Alone,
    /// It took too long.
    Time,
}

/// A WebSocket, and how long its user is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// API Gateway's ID.
    pub id: String,
    /// When the user's token expires; seconds.
    pub until: u64,
}

/// How long a request is kept: the 24 hours that Redshift keeps results, and as long again to report that they have expired.
pub(crate) const KEPT_SECONDS: u64 = 48 * 60 * 60;

/// How long Redshift keeps a result; milliseconds.
const RESULT_LIFE: u64 = 24 * 60 * 60 * 1000;

impl Request {
    /// A new request of `owner`. `id` must be one that [`is_request_id`] accepts.
    pub fn new(owner: &str, id: &str, query: &str, bound: &Bound, limit: u32, now: u64) -> Request {
        Request {
            key: Request::key(owner, id),
            owner: owner.to_owned(),
            id: id.to_owned(),
            query: query.to_owned(),
            values: bound.values.iter().cloned().collect(),
            fingerprint: fingerprint(query, bound),
            sql: digest(&[bound.sql.as_bytes()]),
            state: State::Pending,
            statement: None,
            connection: None,
            alone: None,
            cancelled: None,
            created: now,
            sent: -1,
            open: true,
            slot: 0,
            limit,
        }
    }

    /// The key of a request.
    pub fn key(owner: &str, id: &str) -> String {
        digest(&[owner.as_bytes(), id.as_bytes()])
    }

    /// Whether `bound` is the statement that this request was started with.
    pub fn is_for(&self, bound: &Bound) -> bool {
        self.fingerprint == fingerprint(&self.query, bound) && self.sql == digest(&[bound.sql.as_bytes()])
    }

    /// A reference with which operators find the request in the logs, and which is useless to anybody else.
    pub fn reference(&self) -> &str {
        &self.key[..12]
    }

    /// Whether Redshift has deleted its result, judging by the time.
    pub fn is_gone(&self, now: u64) -> bool {
        self.created + RESULT_LIFE <= now
    }
}

fn fingerprint(query: &str, bound: &Bound) -> String {
    let mut parts = vec![query.as_bytes()];
    parts.extend(bound.values.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]));
    digest(&parts)
}

impl State {
    /// The name for clients and in the item.
    pub fn name(&self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Running => "running",
            State::Ended(end) => end.name(),
        }
    }
}

impl End {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            End::Finished { .. } => "finished",
            End::Failed(failure) => failure.code(),
            End::Cancelled => "cancelled",
        }
    }
}

impl Failure {
    const ALL: [Failure; 3] = [Failure::Failed, Failure::TimedOut, Failure::Unavailable];

    /// One word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Failure::Failed => "failed",
            Failure::TimedOut => "timed-out",
            Failure::Unavailable => "unavailable",
        }
    }

    /// A sentence for people, without SQL, values or database details.
    pub fn reason(self) -> &'static str {
        match self {
            Failure::Failed => {
                "the warehouse could not run the query; give the reference to the operators of this system"
            }
            Failure::TimedOut => "the query took too long and was stopped; request less, such as a shorter period",
            Failure::Unavailable => {
                "the warehouse is not available now and may be paused or busy; try again in a few minutes"
            }
        }
    }

    pub(crate) fn parse(code: &str) -> Option<Failure> {
        Failure::ALL.into_iter().find(|failure| failure.code() == code)
    }
}

impl Cause {
    const ALL: [Cause; 3] = [Cause::Asked, Cause::Alone, Cause::Time];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Cause::Asked => "asked",
            Cause::Alone => "alone",
            Cause::Time => "time",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Cause> {
        Cause::ALL.into_iter().find(|cause| cause.name() == name)
    }
}

/// Whether a text is a UUID in lower case, which is the form of a request's ID.
pub fn is_request_id(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(|group| group.bytes().all(is_hex))
}
