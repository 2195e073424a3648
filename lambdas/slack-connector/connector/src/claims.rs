//! Who downloads a day's file. The first split of a day claims it; the others wait for its outcome and read what it has stored.
//!
//! A claim is a lease: it ends on its own, so the day of an instance that died is claimed by the next one. A holder that was only
//! slow does no harm. Its name is no longer in the item, so it cannot settle the claim, and S3 rejects its file if one is stored already.

use std::time::{Duration, SystemTime};

use athena_federation::Error;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::items::{ID, Item, Items, WRITER, Written, as_moment, moment, new_writer, text};

/// The right to download a day's file, until it ends.
pub(crate) struct Claim {
    date: String,
    writer: AttributeValue,
    until: SystemTime,
}

/// What became of an attempt to claim a day.
pub(crate) enum Claimed {
    /// The day is this split's to download.
    Mine(Claim),
    /// Another split is downloading it.
    Busy,
    /// Another split has downloaded it a moment ago.
    Settled(Settled),
}

/// The end of a claim.
pub(crate) struct Settled {
    pub(crate) outcome: Outcome,
    /// Identifies it, so that a day can be claimed again although it was settled.
    writer: AttributeValue,
}

/// What a download came to, if it concerns all splits of the day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The file is stored.
    Stored,
    /// Slack has no file, with this code.
    Absent(String),
}

/// How long a download may take after its turn has come, before another split takes over. Slack's response may pause for 30
/// seconds, and the largest files take about 20.
const LEASE: Duration = Duration::from_secs(120);

/// How long the outcome answers other splits. Those that wait ask every few seconds.
const REMEMBERED: Duration = Duration::from_secs(60);

const STORED: &str = "stored";

impl Items {
    /// Claims a day, unless another split is downloading it or has just done so; `after` is an outcome that is of no use.
    ///
    /// # Errors
    ///
    /// If the table does not respond.
    pub(crate) async fn claim(&self, date: &str, after: Option<&Settled>) -> Result<Claimed, Error> {
        let now = self.clock.now();
        let claim = Claim { date: date.to_owned(), writer: new_writer(), until: now + LEASE };
        let free = "attribute_not_exists(#id) OR #until <= :now";
        let mut values = vec![(":now", moment(now))];
        let mut condition = free.to_owned();
        if let Some(after) = after {
            condition.push_str(" OR #writer = :after");
            values.push((":after", after.writer.clone()));
        }
        let found = match self.put(claim.item(None), &condition, &values).await? {
            Written::Yes => return Ok(Claimed::Mine(claim)),
            Written::No(found) => found,
        };
        let is_old = found.get("until").and_then(as_moment).is_none_or(|until| until > now + FARTHEST);
        match (found.get("outcome").and_then(|outcome| outcome.as_s().ok()), found.get(WRITER)) {
            (Some(outcome), Some(writer)) => {
                let outcome = if outcome == STORED { Outcome::Stored } else { Outcome::Absent(outcome.clone()) };
                Ok(Claimed::Settled(Settled { outcome, writer: writer.clone() }))
            }
            // A claim of a clock that is wrong would block the day for too long: it is treated like an outcome without use.
            (None, Some(writer)) if is_old => {
                let values = [(":after", writer.clone())];
                let taken = self.put(claim.item(None), "#writer = :after", &values).await?;
                Ok(if matches!(taken, Written::Yes) { Claimed::Mine(claim) } else { Claimed::Busy })
            }
            _ => Ok(Claimed::Busy),
        }
    }

    /// Makes the claim last for a download that begins at `turn`.
    pub(crate) async fn extend(&self, claim: &mut Claim, turn: SystemTime) {
        if turn + LEASE <= claim.until + LEASE / 2 {
            return;
        }
        claim.until = turn + LEASE;
        self.replace(claim, claim.item(None)).await;
    }

    /// Ends the claim. Without an outcome, the next split downloads the day itself.
    pub(crate) async fn settle(&self, mut claim: Claim, outcome: Option<Outcome>) {
        let now = self.clock.now();
        claim.until = if outcome.is_some() { now + REMEMBERED } else { now };
        let outcome = outcome.map(|outcome| match outcome {
            Outcome::Stored => STORED.to_owned(),
            Outcome::Absent(code) => code,
        });
        self.replace(&claim, claim.item(outcome.as_deref())).await;
    }

    /// Writes the item of a claim, if it is still this one's. If that fails, the claim ends on its own, and the query continues.
    async fn replace(&self, claim: &Claim, item: Item) {
        match self.put(item, "#writer = :own", &[(":own", claim.writer.clone())]).await {
            Ok(Written::Yes) => {}
            Ok(Written::No(_)) => tracing::warn!(step = "claim", date = claim.date, "the claim was taken over"),
            Err(error) => {
                tracing::warn!(step = "claim", date = claim.date, reason = %error, "the claim ends on its own")
            }
        }
    }
}

/// A claim that ends later than this is from a clock that is wrong: an instance lives for 15 minutes.
const FARTHEST: Duration = Duration::from_secs(20 * 60);

impl Claim {
    fn item(&self, outcome: Option<&str>) -> Item {
        let fields =
            [(ID, text(&format!("day#{}", self.date))), (WRITER, self.writer.clone()), ("until", moment(self.until))];
        let outcome = outcome.map(|outcome| ("outcome", text(outcome)));
        fields.into_iter().chain(outcome).map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
