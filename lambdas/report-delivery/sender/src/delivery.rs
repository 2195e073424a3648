//! The ways of delivery, and how far a job has progressed on each.

use report_queue::{Change, Check, Item, Job, State, Table, Value, Write};

/// The ways of delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Mail,
    Partner,
    Sftp,
}

impl Way {
    /// The job's attribute that records its progress.
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Way::Mail => "mail",
            Way::Partner => "partner",
            Way::Sftp => "sftp",
        }
    }

    /// Whether a delivery with an unknown outcome may be repeated.
    fn is_repeatable(self) -> bool {
        !matches!(self, Way::Mail)
    }
}

/// Why something was not sent; the text names the cause and contains no data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It will never be accepted.
    Refused(String),
    /// It was certainly not sent, and may succeed later.
    NotNow(String),
    /// The outcome is unknown.
    Unknown(String),
}

/// The next step of a way.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    /// It is done or was given up.
    Nothing,
    /// Another run is working on it.
    Wait,
    /// Claim it with this write, then send.
    Send(Change),
    /// An earlier run died during it; record that the outcome is unknown.
    GiveUp(Change),
}

/// The next step of a way for a job with this item.
pub(crate) fn step(way: Way, job: &Job, item: &Item, now: u64, lease: u64) -> Step {
    let standing = match item.get(way.attribute()) {
        None => return Step::Send(write(way, job, None, trying(lease))),
        Some(Value::S(standing)) => standing,
        Some(Value::N(_)) => return Step::Nothing,
    };
    let Some(until) = standing.strip_prefix("TRYING ").and_then(|until| until.parse::<u64>().ok()) else {
        return Step::Nothing;
    };
    if now < until {
        Step::Wait
    } else if way.is_repeatable() {
        Step::Send(write(way, job, Some(standing), trying(lease)))
    } else {
        Step::GiveUp(write(way, job, Some(standing), format!("UNKNOWN {now}")))
    }
}

/// Records the outcome of a claim.
pub(crate) fn settle(way: Way, job: &Job, lease: u64, result: &Result<(), Failure>, now: u64) -> Change {
    let claimed = trying(lease);
    let again = Write::Update { set: Vec::new(), remove: vec![way.attribute()] };
    let end = match result {
        Ok(()) => format!("SENT {now}"),
        Err(Failure::Refused(code)) => format!("FAILED {code}"),
        Err(Failure::Unknown(_)) if !way.is_repeatable() => format!("UNKNOWN {now}"),
        Err(Failure::NotNow(_) | Failure::Unknown(_)) => {
            return Change { write: again, ..write(way, job, Some(&claimed), String::new()) };
        }
    };
    write(way, job, Some(&claimed), end)
}

fn trying(lease: u64) -> String {
    format!("TRYING {lease}")
}

fn write(way: Way, job: &Job, standing: Option<&str>, value: String) -> Change {
    let attribute = way.attribute();
    let own = match standing {
        None => Check::Absent(attribute),
        Some(standing) => Check::Is(attribute, standing.into()),
    };
    Change {
        item: Table::Jobs(job.key.clone()),
        checks: vec![Check::Is("state", State::Completed.name().into()), own],
        write: Write::Update { set: vec![(attribute, value.into())], remove: Vec::new() },
    }
}
