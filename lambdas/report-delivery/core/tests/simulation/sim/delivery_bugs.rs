//! Planted bugs of the sender: what it writes and reads as a wrong line would have written and read it.

use report_queue::{Change, Check, Delivery, Item, NotSent, Value, Way, Write};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    ClaimIsNotChecked,
    ClaimIsNotWritten,
    ClaimHasNoEnd,
    ClaimsAreIgnored,
    EndIsNotWritten,
    NoAnswerMeansNotSent,
    NoAnswerMeansRefused,
    ThrottledMeansRefused,
    RefusedMeansLater,
    FailureIsSuccess,
    DiedMeansNotSent,
    LostMailsAreForgotten,
}

use Bug::*;

/// The bugs that are planted together: two if one alone is caught by a second guard.
pub(crate) const PLANTED_IN_DELIVERIES: &[(&str, &[Bug])] = &[
    ("a claim does not check what the job's item says", &[ClaimIsNotChecked]),
    ("nothing is claimed before it is sent", &[ClaimIsNotWritten]),
    ("a claim ends before its run", &[ClaimHasNoEnd]),
    ("the claim of another run is ignored", &[ClaimsAreIgnored, ClaimIsNotChecked]),
    ("a delivery that was made is not recorded", &[EndIsNotWritten]),
    ("a mail without an answer is treated as not sent", &[NoAnswerMeansNotSent]),
    ("a delivery without an answer is treated as refused", &[NoAnswerMeansRefused]),
    ("a throttled delivery is treated as refused", &[ThrottledMeansRefused]),
    ("a delivery that is refused for good is tried again", &[RefusedMeansLater]),
    ("a record succeeds although a delivery failed", &[FailureIsSuccess]),
    ("a mail whose run died is sent again", &[DiedMeansNotSent, ClaimIsNotChecked]),
    ("a mail that nobody knows about counts as done", &[LostMailsAreForgotten]),
];

/// The item as a wrong line would have read it at `now`.
pub(crate) fn read(bugs: &[Bug], mut item: Item, now: u64) -> Item {
    for way in Way::ALL {
        let is_forgotten = match Delivery::of(&item, way) {
            Some(Delivery::Trying { until, .. }) => {
                bugs.contains(&ClaimsAreIgnored) || (bugs.contains(&DiedMeansNotSent) && until <= now)
            }
            Some(Delivery::Unknown(_)) if bugs.contains(&LostMailsAreForgotten) => {
                item.insert(way.attribute().to_owned(), Delivery::Sent(now).to_string().into());
                false
            }
            _ => false,
        };
        if is_forgotten {
            item.remove(way.attribute());
        }
    }
    item
}

/// The writes as a wrong line would have sent them.
pub(crate) fn written(bugs: &[Bug], mut changes: Vec<Change>) -> Vec<Change> {
    let word = word_of(&changes[0]);
    if word == "TRYING" {
        if bugs.contains(&ClaimIsNotWritten) {
            return Vec::new();
        }
        if bugs.contains(&ClaimIsNotChecked) {
            changes[0].checks.retain(|check| matches!(check, Check::Is("state", _)));
        }
        if bugs.contains(&ClaimHasNoEnd)
            && let Write::Update { set, .. } = &mut changes[0].write
            && let Value::S(text) = &mut set[0].1
        {
            *text = ended(text);
        }
    } else {
        if bugs.contains(&EndIsNotWritten) && word == "SENT" {
            return Vec::new();
        }
        // What was not claimed could not be concluded.
        if bugs.contains(&ClaimIsNotWritten) {
            changes[0].checks.retain(|check| matches!(check, Check::Is("state", _)));
        }
        for check in &mut changes[0].checks {
            if let Check::Is(_, Value::S(claim)) = check
                && bugs.contains(&ClaimHasNoEnd)
            {
                *claim = ended(claim);
            }
        }
    }
    changes
}

/// A claim that ended long ago; anything else as it is.
fn ended(text: &str) -> String {
    match text.split(' ').collect::<Vec<_>>()[..] {
        ["TRYING", _, run] => format!("TRYING 1 {run}"),
        _ => text.to_owned(),
    }
}

/// The answer of a service as a wrong line would have read it.
pub(crate) fn answered(bugs: &[Bug], way: Way, answer: Result<(), NotSent>) -> Result<(), NotSent> {
    answer.map_err(|not_sent| match not_sent {
        NotSent::Unknown(code) if bugs.contains(&NoAnswerMeansNotSent) && way == Way::Mail => NotSent::NotNow(code),
        NotSent::Unknown(code) if bugs.contains(&NoAnswerMeansRefused) => NotSent::Refused(code),
        NotSent::NotNow(code) if bugs.contains(&ThrottledMeansRefused) => NotSent::Refused(code),
        NotSent::Refused(code) if bugs.contains(&RefusedMeansLater) => NotSent::NotNow(code),
        other => other,
    })
}

/// Whether a run succeeded, as a wrong line would have said it.
pub(crate) fn succeeded(bugs: &[Bug], is_done: bool) -> bool {
    is_done || bugs.contains(&FailureIsSuccess)
}

/// The first word of the delivery that a change records.
fn word_of(change: &Change) -> &str {
    match &change.write {
        Write::Update { set, .. } => match &set[0].1 {
            Value::S(text) => text.split(' ').next().unwrap_or_default(),
            Value::N(_) => "",
        },
        _ => "",
    }
}
