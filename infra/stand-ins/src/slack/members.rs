//! The members of an invented organization, and each day's file about them.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use time::{Date, Month};

/// One member on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Counted from 0; the same member each day.
    pub number: usize,
    /// Whether the member used Slack that day.
    pub is_active: bool,
    /// How many messages the member wrote; `None` if the file leaves it out.
    pub messages: Option<i64>,
}

/// Days on which Slack used different names for two fields.
const RENAMED: &str = "2026-01-01";

/// The members on a day, of an organization of `size`: someone joins on each day of a week.
pub fn of(day: Date, size: usize) -> impl Iterator<Item = Member> {
    let seed = u64::from(day.to_julian_day().unsigned_abs());
    (0..count(day, size)).map(move |number| {
        let noise = scramble(seed << 32 | number as u64);
        let is_active = noise % 10 < 7;
        // Slack leaves a field out instead of setting it to null.
        let messages = (!noise.is_multiple_of(13)).then_some(if is_active { (noise >> 8) as i64 % 40 } else { 0 });
        Member { number, is_active, messages }
    })
}

/// How many members there are on a day.
pub fn count(day: Date, size: usize) -> usize {
    size + usize::from(day.weekday().number_days_from_monday())
}

/// A day's file: one JSON object per line, on every second day in two gzip members, like files that were joined from parts.
pub fn file(day: Date, size: usize) -> Vec<u8> {
    let date = text(day);
    let lines: Vec<u8> = of(day, size).flat_map(|member| format!("{}\n", member.record(&date)).into_bytes()).collect();
    let cut = if day.day().is_multiple_of(2) { lines.len() / 2 } else { lines.len() };
    let (first, second) = lines.split_at(cut);
    let mut file = pack(first);
    if !second.is_empty() {
        file.extend(pack(second));
    }
    file
}

impl Member {
    /// The ID by which Slack knows the member.
    pub fn user_id(&self) -> String {
        format!("W{:09X}", scramble(self.number as u64) & 0xF_FFFF_FFFF)
    }

    fn record(&self, date: &str) -> Value {
        let [ios, android] = if date < RENAMED {
            ["is_active_iOS", "is_active_Android"]
        } else {
            ["is_active_ios", "is_active_android"]
        };
        let mut record = json!({
            "enterprise_id": "E012ABCDEFG",
            "date": date,
            "user_id": self.user_id(),
            "email_address": format!("person.{}@example.com", self.number),
            "is_guest": self.number.is_multiple_of(20),
            "is_billable_seat": !self.number.is_multiple_of(20),
            "is_active": self.is_active,
            ios: self.is_active && self.number.is_multiple_of(3),
            android: self.is_active && self.number % 3 == 1,
            "is_active_desktop": self.is_active,
            "reactions_added_count": self.number % 7,
            "channel_messages_posted_count": self.messages.map_or(0, |messages| messages / 2),
            "files_added_count": self.number % 2,
            "is_active_apps": false,
            "is_active_workflows": false,
            "is_active_slack_connect": self.number.is_multiple_of(11),
            "total_calls_count": 0,
            "slack_calls_count": 0,
            "slack_huddles_count": self.number % 3,
            "search_count": self.number % 5,
            "date_claimed": 1_500_000_000 + self.number,
            "field_of_the_future": {"what": ["ever"]},
        });
        if let Some(messages) = self.messages {
            record["messages_posted_count"] = json!(messages);
        }
        record
    }
}

/// A date as Slack writes it, `2026-11-20`.
pub fn text(day: Date) -> String {
    format!("{:04}-{:02}-{:02}", day.year(), u8::from(day.month()), day.day())
}

pub(super) fn parse(date: &str) -> Option<Date> {
    let mut parts = date.splitn(3, '-').map(|part| part.parse::<u16>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let parsed = Date::from_calendar_date(year.into(), month, u8::try_from(day).ok()?).ok()?;
    (text(parsed) == date).then_some(parsed)
}

pub(super) fn thirteen_months_before(today: Date) -> Date {
    let (year, month) = (today.year() - 1, today.month().previous());
    let year = if today.month() == Month::January { year - 1 } else { year };
    Date::from_calendar_date(year, month, today.day().min(month.length(year)))
        .expect("the day was limited to the month")
}

/// SplitMix64: <https://prng.di.unimi.it/splitmix64.c>.
fn scramble(seed: u64) -> u64 {
    let mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn pack(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).and_then(|()| encoder.finish()).expect("memory takes what is written to it")
}
