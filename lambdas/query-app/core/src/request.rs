//! One request: what a user asked for once, and how far it is.

use redshift::StatementId;

use crate::query::Bound;
use crate::ticket::digest;

/// A request as its item has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// A hash of owner and client's id, 64 hexadecimal digits: the same request however often it is sent, and nobody else's.
    pub key: String,
    /// The user, Cognito's `sub`.
    pub owner: String,
    /// The client's id, a UUID.
    pub id: String,
    /// The query's name.
    pub query: String,
    /// Hash of query and values: the same id with others is a mistake.
    pub fingerprint: String,
    /// How far it is.
    pub state: State,
    /// What Redshift calls it, once that is known.
    pub statement: Option<StatementId>,
    /// Who waits for it.
    pub connection: Option<Connection>,
    /// Since when nobody waits; milliseconds.
    pub alone: Option<u64>,
    /// Why its statement was told to end.
    pub cancelled: Option<Cause>,
    /// Milliseconds.
    pub created: u64,
    /// The last part of the result that was sent, from 0; -1 before the first.
    pub sent: i64,
    /// Whether there is something to do or to tell yet.
    pub open: bool,
    /// Which of the owner's places for running statements it has.
    pub slot: u32,
    /// The most rows its result may have.
    pub limit: u32,
}

/// How far a request is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// About to be handed to Redshift.
    Pending,
    /// Redshift has it.
    Running,
    /// There is nothing more to come.
    Ended(End),
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// With a result of so many rows.
    Finished {
        /// Rows of the result.
        rows: u64,
    },
    /// Without one.
    Failed(Failure),
    /// Because somebody asked for it.
    Cancelled,
}

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Redshift refused the statement or gave up on it.
    Failed,
    /// It took too long.
    TimedOut,
    /// The warehouse could not be reached, or is paused.
    Unavailable,
}

/// Why a statement was told to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Its owner asked for it.
    Asked,
    /// Nobody waits for it.
    Alone,
    /// It took too long.
    Time,
}

/// A WebSocket, and for how long its user is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// API Gateway's id.
    pub id: String,
    /// When the user's token ends; seconds.
    pub until: u64,
}

/// How long a request is kept: as long as Redshift keeps results, 24 hours, and as long again to say that it is gone.
pub(crate) const KEPT_SECONDS: u64 = 48 * 60 * 60;

/// How long Redshift keeps a result; milliseconds.
const RESULT_LIFE: u64 = 24 * 60 * 60 * 1000;

impl Request {
    /// A new request of `owner`. `id` has to be one [`is_request_id`] takes.
    pub fn new(owner: &str, id: &str, query: &str, bound: &Bound, limit: u32, now: u64) -> Request {
        let mut parts = vec![query.as_bytes()];
        parts.extend(bound.values.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]));
        Request {
            key: Request::key(owner, id),
            owner: owner.to_owned(),
            id: id.to_owned(),
            query: query.to_owned(),
            fingerprint: digest(&parts),
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

    /// What operators find the request by in the logs, and nobody can use otherwise.
    pub fn reference(&self) -> &str {
        &self.key[..12]
    }

    /// Whether Redshift has deleted its result, as far as time tells.
    pub fn is_gone(&self, now: u64) -> bool {
        self.created + RESULT_LIFE <= now
    }
}

impl State {
    /// As clients are told, and as the item has it.
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

    /// A sentence for people, with nothing of SQL, values or the database in it.
    pub fn reason(self) -> &'static str {
        match self {
            Failure::Failed => "the warehouse could not run the query; tell whoever runs this system the reference",
            Failure::TimedOut => "the query took too long and was stopped; ask for less, such as a shorter time",
            Failure::Unavailable => {
                "the warehouse cannot be used now, it may be paused or busy; try again in a few minutes"
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

/// Whether a text is a UUID in small letters, which is what clients call their requests.
pub fn is_request_id(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(|group| group.bytes().all(is_hex))
}
