//! Planted bugs: lines of the state machine written wrong.
//!
//! The state machine has no switch for them. Its behavior consists of what it asks the world and how it uses the answers, so a bug is
//! planted where the two meet: the write is sent as a wrong line would have sent it, the answer is received as a wrong line would
//! have read it.

use report_queue::{Change, Check, Item, RemoteStatus, Started, Table, Value, Write};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    ClaimTakesAnySlot,
    ClaimWritesNoSlot,
    ClaimTrustsTheIndex,
    FinishKeepsTheSlot,
    RequeueKeepsTheSlot,
    FinishTrustsTheIndex,
    FreesAnybodysSlot,
    NoAnswerMeansNotStarted,
    NoRoomMeansFailed,
    ExistsMeansFailed,
    NoLease,
    NewIdAtEachAttempt,
    RemoteQueuedIsOurs,
    NeverStartsAgain,
    SubmitOverwrites,
    DeletionTrustsTheRead,
    CompletedBeforeTheResult,
    NobodyWaitsInLine,
    NobodyReclaims,
    SilenceMeansGone,
    UnknownStatusRuns,
    RefusalIsUnknown,
    GivesUpAtTheFirstSilence,
    ForgetsWhatItGaveUp,
    WaitsForResultsForever,
    EndsWhatQuickSightDoesNotKnow,
}

use Bug::*;

/// The bugs that are planted together: two if one alone is caught by a second guard.
pub(crate) const PLANTED: &[(&str, &[Bug])] = &[
    ("a claim does not check that the slot is free", &[ClaimTakesAnySlot]),
    ("a claim writes the job alone", &[ClaimWritesNoSlot]),
    ("a claim does not check the job that the index showed", &[ClaimTrustsTheIndex]),
    ("an end does not release the slot, and nobody looks at it", &[FinishKeepsTheSlot, NobodyReclaims]),
    ("a job put back into the queue keeps its slot, and nobody looks at it", &[RequeueKeepsTheSlot, NobodyReclaims]),
    ("an end checks neither the job nor whose slot it frees", &[FinishTrustsTheIndex, FreesAnybodysSlot]),
    ("a Start without an answer is treated as one that never arrived", &[NoAnswerMeansNotStarted]),
    ("no room at QuickSight is treated as a failure", &[NoRoomMeansFailed]),
    ("a job that exists is treated as a failure, and no lease is kept", &[ExistsMeansFailed, NoLease]),
    ("each attempt has its own ID, and no lease is kept", &[NewIdAtEachAttempt, NoLease]),
    ("QuickSight's QUEUED is written into the job's own state", &[RemoteQueuedIsOurs]),
    ("the poller waits for a job that QuickSight never received", &[NeverStartsAgain]),
    ("a submission overwrites an existing job", &[SubmitOverwrites]),
    ("a deletion does not check that the job still waits", &[DeletionTrustsTheRead]),
    ("a job is completed before its result exists", &[CompletedBeforeTheResult]),
    ("nobody waits in line", &[NobodyWaitsInLine]),
    ("the slot of a job that was deleted by hand is never looked at", &[NobodyReclaims]),
    ("no answer about a job is treated as its absence", &[SilenceMeansGone]),
    ("a status that nobody knows is treated as running", &[UnknownStatusRuns]),
    ("a refusal that is on no list is treated as no answer", &[RefusalIsUnknown]),
    ("a job is given up at the first silence, and forgotten", &[GivesUpAtTheFirstSilence, ForgetsWhatItGaveUp]),
    ("a result that never comes is awaited forever", &[WaitsForResultsForever]),
    ("a running job is ended when QuickSight says twice that it does not know it", &[EndsWhatQuickSightDoesNotKnow]),
];

/// The writes as a wrong line would have sent them.
pub(crate) fn writes(bugs: &[Bug], mut changes: Vec<Change>) -> Vec<Change> {
    let has = |bug| bugs.contains(&bug);
    let state = state_of(&changes[0]);
    let frees = changes.len() == 2 && changes[1].write == Write::Delete;
    let claims = changes.len() == 2 && !frees;
    let reclaims = changes.len() == 1
        && changes[0].write == Write::Delete
        && matches!(&changes[0].item, Table::Slots(name) if name.starts_with("slot#"));
    if reclaims && has(NobodyReclaims) {
        changes.clear();
        return changes;
    }
    let ends = matches!(state.as_str(), "COMPLETED" | "FAILED");
    if claims {
        if has(ClaimTakesAnySlot) {
            changes[1].checks.clear();
        }
        if has(ClaimTrustsTheIndex) {
            changes[0].checks.clear();
        }
        if has(ClaimWritesNoSlot) {
            changes.truncate(1);
        }
        if has(NoLease) {
            replace(&mut changes[0], "lease", |_| 0.into());
        }
    } else if frees {
        if has(FreesAnybodysSlot) {
            changes[1].checks.clear();
        }
        if ends && has(FinishTrustsTheIndex) {
            changes[0].checks.clear();
        }
        if (ends && has(FinishKeepsTheSlot)) || (state == "QUEUED" && has(RequeueKeepsTheSlot)) {
            changes.truncate(1);
        }
    } else if has(NoLease) {
        replace(&mut changes[0], "lease", |_| 0.into());
    }
    if has(GivesUpAtTheFirstSilence) {
        replace(&mut changes[0], "silent", |_| 0.into());
    }
    if has(WaitsForResultsForever) {
        replace(&mut changes[0], "settling", |_| (1 << 50).into());
    }
    if has(EndsWhatQuickSightDoesNotKnow) {
        replace(&mut changes[0], "settling", |_| 0.into());
    }
    let is_given_up = changes.len() == 1 && state == "FAILED";
    match &mut changes[0].write {
        Write::Update { remove, .. } if is_given_up && has(ForgetsWhatItGaveUp) => remove.push("open"),
        Write::Put(_) if has(SubmitOverwrites) && state == "QUEUED" => changes[0].checks.clear(),
        Write::Update { set, remove } => {
            if has(DeletionTrustsTheRead) && state == "DELETING" {
                changes[0].checks.clear();
            } else if has(RemoteQueuedIsOurs) && set.contains(&("remoteStatus", "QUEUED".into())) {
                set.retain(|(name, _)| *name != "state");
                set.extend([("state", "QUEUED".into()), ("open", "queued".into())]);
                remove.clear();
            }
        }
        _ => {}
    }
    changes
}

/// The answer to a Start as a wrong line would have read it.
pub(crate) fn started(bugs: &[Bug], answer: Started) -> Started {
    let reason = || report_queue::Reason::new("PLANTED", "a planted bug");
    match answer {
        Started::Unknown(_) if bugs.contains(&NoAnswerMeansNotStarted) => Started::Full("planted".to_owned()),
        Started::Refused(_) if bugs.contains(&RefusalIsUnknown) => {
            Started::Unknown(report_queue::Unavailable("planted".to_owned()))
        }
        Started::Full(_) if bugs.contains(&NoRoomMeansFailed) => Started::Refused(reason()),
        Started::Exists if bugs.contains(&ExistsMeansFailed) => Started::Refused(reason()),
        other => other,
    }
}

/// QuickSight's status as a wrong line would have read it.
pub(crate) fn described(bugs: &[Bug], answer: Option<RemoteStatus>) -> Option<RemoteStatus> {
    match answer {
        Some(RemoteStatus::Other(_)) if bugs.contains(&UnknownStatusRuns) => Some(RemoteStatus::Running),
        None if bugs.contains(&NeverStartsAgain) => Some(RemoteStatus::Running),
        Some(RemoteStatus::Running) if bugs.contains(&CompletedBeforeTheResult) => Some(RemoteStatus::Completed),
        other => other,
    }
}

/// No answer to a question about a job, as a wrong line would have read it.
pub(crate) fn unanswered(bugs: &[Bug]) -> Result<Option<RemoteStatus>, report_queue::Unavailable> {
    if bugs.contains(&SilenceMeansGone) {
        return Ok(None);
    }
    Err(report_queue::Unavailable("no answer".to_owned()))
}

/// The slot table as a wrong line would have read it.
pub(crate) fn slots(bugs: &[Bug], mut items: Vec<Item>) -> Vec<Item> {
    if bugs.contains(&NobodyWaitsInLine) {
        items.retain(|item| item.contains_key("job"));
    }
    items
}

fn state_of(change: &Change) -> String {
    let set = match (&change.item, &change.write) {
        (Table::Jobs(_), Write::Put(set) | Write::Update { set, .. }) => set,
        _ => return String::new(),
    };
    match set.iter().find(|(name, _)| *name == "state") {
        Some((_, Value::S(state))) => state.clone(),
        _ => String::new(),
    }
}

fn replace(change: &mut Change, name: &str, value: impl Fn(&Value) -> Value) {
    if let Write::Update { set, .. } = &mut change.write {
        for (attribute, current) in set.iter_mut() {
            if *attribute == name {
                *current = value(current);
            }
        }
    }
}

/// Whether a change's checks hold for the existing item.
pub(crate) fn holds(checks: &[Check], item: Option<&Item>) -> bool {
    checks.iter().all(|check| match check {
        Check::Is(name, value) => item.and_then(|item| item.get(*name)) == Some(value),
        Check::Absent(name) => item.is_none_or(|item| !item.contains_key(*name)),
    })
}
