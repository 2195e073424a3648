//! How long to wait before the next attempt.

use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// How often one call is attempted within one run; if it still fails, the next delivery tries again.
pub(crate) const TRIES: u32 = 3;

/// The pause before attempt `tried + 1`: what Qlik asked for plus up to a second, or full jitter of up to 1, 2, 4 … seconds.
///
/// Many schedules start in the same minute, so nobody returns at exactly the requested time.
pub(crate) fn pause(tried: u32, after: Option<Duration>) -> Duration {
    match after {
        Some(after) => after + jitter(Duration::from_secs(1)),
        None => jitter(Duration::from_secs(1 << (tried - 1).min(3))),
    }
}

/// The wait requested by a `Retry-After` header: seconds or an HTTP date, RFC 9110 section 10.2.3.
pub(crate) fn retry_after(header: &str, now: SystemTime) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    // An HTTP date has the form of a mail date in GMT.
    let date = OffsetDateTime::parse(header, &Rfc2822).ok()?;
    Some(SystemTime::from(date).duration_since(now).unwrap_or_default())
}

fn jitter(most: Duration) -> Duration {
    most.mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_714_557_600);
        assert_eq!(retry_after("7", now), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Wed, 01 May 2024 10:00:09 GMT", now), Some(Duration::from_secs(9)));
        assert_eq!(retry_after("Wed, 01 May 2024 09:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
        assert_eq!(retry_after("-1", now), None);
    }

    #[test]
    fn a_pause_is_never_shorter_than_qlik_asked_for_and_grows_up_to_its_cap() {
        for tried in 1..9 {
            assert!(pause(tried, None) <= Duration::from_secs(8));
            let asked = pause(tried, Some(Duration::from_secs(7)));
            assert!(asked >= Duration::from_secs(7) && asked <= Duration::from_secs(8), "{asked:?}");
        }
    }
}
