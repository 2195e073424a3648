//! The nightly run: stores the files of the days that are missing, the newest first.

use std::time::{Duration, SystemTime};

use athena_federation::{Error, Kind};
use function::Clock;
use serde::Serialize;
use tracing::{info, warn};

use crate::day_reader::{Day, DayReader, DayRequest};
use crate::days;
use crate::members::Part;
use crate::records::Records;
use crate::secret;
use crate::sink::Sink;
use crate::table::Booleans;

/// What a nightly run did.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Fetched {
    /// Days whose file was stored.
    pub stored: u32,
    /// Days whose file was stored before.
    pub kept: u32,
    /// Days without a file at Slack, and days that failed.
    pub absent: u32,
    /// Whether the time ended before all days were looked at; the next run continues.
    pub is_cut_short: bool,
}

/// Slack's limit is left to queries by half.
const PAUSE: Duration = Duration::from_secs(6);

/// No day is started in this time before the end.
const RESERVE: Duration = Duration::from_secs(120);

/// After so many days in a row without a file, Slack has none of the days before either.
const GAP: u32 = 3;

/// Stores the files of the last `count` days that have none yet.
///
/// # Errors
///
/// If a file of the last three days cannot be read or stored, or Slack does not accept the token. An older day that fails is skipped.
pub(crate) async fn fetch(
    reader: &DayReader,
    count: u32,
    deadline: SystemTime,
    account: Option<&str>,
    clock: &Clock,
) -> Result<Fetched, Error> {
    let today = days::today(clock.now());
    let oldest = (today - time::Duration::days(count.into())).max(days::oldest(today));
    let wanted = (1..).map(|ago| today - time::Duration::days(ago)).take_while(|day| *day >= oldest);
    let stored = reader.files.dates(&days::text(oldest), account).await.map_err(|failure| {
        Error::new(Kind::Unavailable, format!("S3 does not list the stored files of days: {failure}"))
    })?;
    let (mut done, mut gap, mut first_error) = (Fetched::default(), 0, None);
    for day in wanted {
        let date = days::text(day);
        if stored.contains(&date) {
            done.kept += 1;
            gap = 0;
            continue;
        }
        if clock.now() + RESERVE > deadline {
            done.is_cut_short = true;
            break;
        }
        let records = || Records::new(date.clone(), Part::WHOLE, Booleans::Boolean, |_| false);
        let request = DayRequest { date: &date, is_over: true, deadline, account, records: &records };
        let result = match reader.read(&request, &mut Sink(None)).await {
            Ok(Day::Complete { is_stored: false }) => {
                Err(Error::new(Kind::Unavailable, format!("the file of {date} was not stored")))
            }
            result => result,
        };
        match result {
            Ok(Day::Complete { .. }) => {
                done.stored += 1;
                gap = 0;
            }
            Ok(Day::Missing | Day::Unfinished) => {
                done.absent += 1;
                gap += 1;
            }
            Err(error) if secret::is_not_connected(&error) => {
                warn!(step = "nightly", "Slack is not connected; there is nothing to fetch");
                break;
            }
            Err(error) if error.kind == Kind::Throttled => {
                done.is_cut_short = true;
                break;
            }
            Err(error) if matches!(error.kind, Kind::AccessDenied | Kind::NotConfigured) => return Err(error),
            Err(error) => {
                warn!(step = "nightly", date, reason = %error, "the day is skipped");
                done.absent += 1;
                if days::is_new(day, today) {
                    first_error.get_or_insert(error);
                }
            }
        }
        if gap == GAP {
            break;
        }
        clock.sleep(PAUSE).await;
    }
    info!(step = "nightly", done.stored, done.kept, done.absent, done.is_cut_short);
    first_error.map_or(Ok(done), Err)
}
