//! When Slack may be called: all instances of the function together make at most as many calls per minute as Slack allows.
//!
//! One item has the times at which the last calls begin. Whoever wants to call adds a time of their own, the first one that keeps
//! the limit, and waits for it. Nothing has to be given back: a turn whose owner died is one call less.

use std::time::{Duration, SystemTime};

use athena_federation::{Error, Kind};
use aws_sdk_dynamodb::types::AttributeValue;
use tracing::info;

use crate::items::{ID, Item, Items, WRITER, Written, as_moment, moment, new_writer, text};
use crate::sink::Sink;

/// Calls of one method that Slack allows per minute, tier 2: <https://docs.slack.dev/apis/web-api/rate-limits>.
const CALLS: usize = 20;

/// The time in which there are at most [`CALLS`]: a minute, a second by which calls are spread, and two by which the clocks of two
/// instances may differ.
const WINDOW: Duration = Duration::from_secs(63);

/// A turn further ahead than an instance can live is from a clock that is wrong, and counts as a call made now.
const FARTHEST: Duration = Duration::from_secs(16 * 60);

/// A turn that was missed by more than this, because the process was suspended, is taken again.
const LATE: Duration = Duration::from_secs(5);

/// How often a wait checks whether the query is still running.
const STEP: Duration = Duration::from_secs(10);

const CALLS_ID: &str = "calls";

/// What the item says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Calls {
    /// When the last calls begin, in order; at most [`CALLS`].
    begun: Vec<SystemTime>,
    /// Until when Slack wants no call.
    blocked: Option<SystemTime>,
}

impl Calls {
    fn of(item: &Item, now: SystemTime) -> Calls {
        let moment =
            |value: &AttributeValue| Some(as_moment(value)?).map(|at| if at > now + FARTHEST { now } else { at });
        let list = item.get("begun").and_then(|list| list.as_l().ok());
        let mut begun: Vec<SystemTime> = list.into_iter().flatten().filter_map(moment).collect();
        begun.sort();
        // Slack may want no call for hours, so this time is not compared with the clock.
        Calls { begun, blocked: item.get("blocked").and_then(as_moment).filter(|until| *until > now) }
    }

    /// Adds the next call and returns when it may begin.
    fn add(&mut self, now: SystemTime) -> SystemTime {
        let free = self.begun.len().checked_sub(CALLS).and_then(|index| self.begun.get(index)).map(|at| *at + WINDOW);
        let at = [free, self.blocked].into_iter().flatten().fold(now, SystemTime::max);
        self.begun.push(at);
        self.begun.sort();
        self.begun.drain(..self.begun.len().saturating_sub(CALLS));
        at
    }

    fn item(&self, writer: AttributeValue) -> Item {
        let begun = AttributeValue::L(self.begun.iter().copied().map(moment).collect());
        let blocked = self.blocked.map(|until| ("blocked", moment(until)));
        let fields = [(ID, text(CALLS_ID)), (WRITER, writer), ("begun", begun)];
        fields.into_iter().chain(blocked).map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// The turn of one call.
pub(crate) struct Turn {
    /// When the call may begin.
    pub(crate) at: SystemTime,
}

impl Items {
    /// Reserves the next turn.
    ///
    /// # Errors
    ///
    /// [`Kind::Throttled`] if it is after `latest`, in which case nothing is reserved; or if the table does not respond.
    pub(crate) async fn reserve_turn(&self, latest: SystemTime) -> Result<Turn, Error> {
        let turn = self.change_calls(latest, |calls, now| {
            let at = calls.add(now);
            // Without a wait, there is as much time as there can be.
            if at > now && at > latest {
                Err(too_late(at.duration_since(now).unwrap_or_default()))
            } else {
                Ok(Turn { at })
            }
        });
        turn.await
    }

    /// Waits for the turn. `false` if it has passed, or Slack wants no calls by now: then take another one.
    ///
    /// # Errors
    ///
    /// If the query was cancelled in the meantime.
    pub(crate) async fn wait_for(&self, turn: &Turn, sink: &mut Sink<'_, '_>) -> Result<bool, Error> {
        let Ok(wait) = turn.at.duration_since(self.clock.now()) else { return Ok(true) };
        if wait.is_zero() {
            return Ok(true);
        }
        info!(step = "wait", seconds = wait.as_secs(), "waiting for a turn to call Slack");
        // Turns that begin at the same time are spread over a second.
        let end = turn.at + Duration::from_millis(fastrand::u64(..1000));
        while let Ok(left) = end.duration_since(self.clock.now())
            && !left.is_zero()
        {
            self.clock.sleep(left.min(STEP)).await;
            sink.check().await?;
        }
        let now = self.clock.now();
        let is_late = now.duration_since(end).is_ok_and(|late| late > LATE);
        Ok(!is_late && Calls::of(&self.get(CALLS_ID).await?, now).blocked.is_none())
    }

    /// Slack wants no calls for this time.
    ///
    /// # Errors
    ///
    /// If the table does not respond.
    pub(crate) async fn block_calls(&self, time: Duration, latest: SystemTime) -> Result<(), Error> {
        let blocked = self.change_calls(latest, |calls, now| {
            // A time that no calendar has is as long as Slack keeps a file.
            let until = now.checked_add(time.min(LONGEST_BLOCK)).unwrap_or(now);
            calls.blocked = calls.blocked.max(Some(until));
            Ok(())
        });
        blocked.await
    }

    /// Changes the item, again if another instance changed it at the same time.
    async fn change_calls<T>(
        &self,
        latest: SystemTime,
        change: impl Fn(&mut Calls, SystemTime) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut pause = Duration::from_millis(20);
        let mut item = self.get(CALLS_ID).await?;
        loop {
            let now = self.clock.now();
            let mut calls = Calls::of(&item, now);
            let changed = change(&mut calls, now)?;
            let (condition, values) = match item.get(WRITER) {
                Some(writer) => ("#writer = :seen", vec![(":seen", writer.clone())]),
                None => ("attribute_not_exists(#id)", Vec::new()),
            };
            match self.put(calls.item(new_writer()), condition, &values).await? {
                Written::Yes => return Ok(changed),
                Written::No(_) if now + pause > latest => return Err(too_late(pause)),
                Written::No(found) => item = found,
            }
            self.clock.sleep(pause + Duration::from_millis(fastrand::u64(..50))).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }
}

/// Longer than any query or nightly run lives.
const LONGEST_BLOCK: Duration = Duration::from_secs(24 * 60 * 60);

fn too_late(wait: Duration) -> Error {
    Error::new(
        Kind::Throttled,
        format!(
            "Slack has too many requests: the next call may begin in {} seconds, and this function's time ends before; narrow the predicate on `date`, or try again later",
            wait.as_secs()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
    }

    #[test]
    fn twenty_calls_begin_at_once_and_the_next_ones_a_minute_later() {
        let mut calls = Calls::default();
        let begun: Vec<SystemTime> = (0..45).map(|_| calls.add(at(0))).collect();
        let expected = [(20, at(0)), (20, at(63)), (5, at(126))];
        assert_eq!(begun, expected.map(|(count, time)| vec![time; count]).concat());
        // After a pause, there is nothing to wait for.
        assert_eq!(calls.add(at(1000)), at(1000));
        assert_eq!(calls.begun.len(), CALLS);
    }

    #[test]
    fn a_call_waits_until_slack_wants_calls_again() {
        let mut calls = Calls { begun: Vec::new(), blocked: Some(at(30)) };
        assert_eq!((calls.add(at(0)), calls.add(at(31))), (at(30), at(31)));
    }

    #[test]
    fn a_turn_of_a_clock_that_is_an_hour_ahead_counts_as_a_call_made_now() {
        let mut calls = Calls::default();
        (0..CALLS).for_each(|_| {
            calls.add(at(3600));
        });
        let mut seen = Calls::of(&calls.item(new_writer()), at(0));
        assert_eq!(seen.add(at(0)), at(63));
    }

    #[test]
    fn an_item_that_cannot_be_read_blocks_nobody() {
        let strange: Item =
            [("begun", text("x")), ("blocked", text("y"))].map(|(name, value)| (name.to_owned(), value)).into();
        assert_eq!(Calls::of(&strange, at(0)), Calls::default());
    }
}
