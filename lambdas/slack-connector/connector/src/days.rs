//! The days that a query needs, according to its predicate on `date`.

use std::time::SystemTime;

use athena_federation::{Bound, Error, Kind, Value, ValueSet};
use time::{Date, Duration, Month, OffsetDateTime};

/// A day as Slack and Athena write it, `2026-11-20`; such texts sort like the days themselves.
pub(crate) fn text(day: Date) -> String {
    format!("{:04}-{:02}-{:02}", day.year(), u8::from(day.month()), day.day())
}

/// The day that a text names; `None` for anything that [`text`] would not write.
pub(crate) fn parse(date: &str) -> Option<Date> {
    let mut parts = date.splitn(3, '-').map(|part| part.parse::<u16>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let parsed = Date::from_calendar_date(year.into(), month, u8::try_from(day).ok()?).ok()?;
    (text(parsed) == date).then_some(parsed)
}

/// Today in UTC, as Slack counts days.
pub(crate) fn today(now: SystemTime) -> Date {
    OffsetDateTime::from(now).date()
}

/// The first day that Slack still keeps: thirteen months ago, on a rolling basis.
pub(crate) fn oldest(today: Date) -> Date {
    let (year, month) = (today.year() - 1, today.month().previous());
    let year = if today.month() == Month::January { year - 1 } else { year };
    let last = month.length(year);
    Date::from_calendar_date(year, month, today.day().min(last)).expect("the day was limited to the month's length")
}

/// The number of days if nothing bounds them.
const WINDOW: i64 = 30;

/// The most days that thirteen months can have.
const MAX_DAYS: usize = 397;

/// Earlier than Slack's first analytics of this kind.
const FIRST: Date = match Date::from_ordinal_date(2015, 1) {
    Ok(date) => date,
    Err(_) => panic!("2015-01-01 is a valid date"),
};

/// The days that a query needs if `date` must be in `set`.
///
/// # Errors
///
/// If there are more days than thirteen months can have.
pub(crate) fn days(set: Option<&ValueSet>, today: Date) -> Result<Vec<Date>, Error> {
    let all = ValueSet::all();
    let set = set.unwrap_or(&all);
    let yesterday = today - Duration::days(1);
    let from = match window(set) {
        Window::Newest => today - Duration::days(WINDOW),
        Window::Kept => oldest(today),
        Window::Exact => FIRST,
    };
    let candidates = std::iter::successors(Some(from), |day| day.next_day()).take_while(|day| *day <= today);
    // Today's file cannot be finished: only a query that names the day itself gets the error.
    let due = candidates.filter(|day| *day <= yesterday || is_named(set, *day, today));
    let oldest = oldest(today);
    let due = due.filter(|day| *day >= oldest || is_asked_for_although_old(set, *day, oldest));
    let days: Vec<Date> = due.filter(|day| set.contains(Some(&value(*day)))).collect();
    match days.len() {
        0..=MAX_DAYS => Ok(days),
        many => Err(Error::new(
            Kind::InvalidRequest,
            format!("the query asks for {many} days; must be at most {MAX_DAYS}; narrow the predicate on `date`"),
        )),
    }
}

/// Whether a query asks for a day that Slack no longer keeps, so that it gets an error. A range that also has newer days is clipped to
/// these, whether its older end is open or not.
fn is_asked_for_although_old(set: &ValueSet, day: Date, oldest: Date) -> bool {
    let Some(range) = set.range_of(&value(day)) else { return false };
    let point = Bound::Included(value(day));
    (range.low() == point && range.high() == point)
        || match range.high() {
            Bound::Unbounded => false,
            Bound::Included(end) => !is_at_least(&end, oldest),
            Bound::Excluded(end) => !is_at_least(&end, oldest.next_day().unwrap_or(oldest)),
        }
}

fn is_at_least(end: &Value, day: Date) -> bool {
    matches!(end, Value::Text(end) if *end >= text(day))
}

/// Whether the query fails if Slack has no finished file of `day`: always, unless the day is the newest end of an open window.
pub(crate) fn must_be_finished(set: Option<&ValueSet>, day: Date, today: Date) -> bool {
    match set {
        _ if !is_new(day, today) => true,
        None => false,
        Some(set) => is_named(set, day, today),
    }
}

/// Whether a day is so new that Slack may not have finished its file.
pub(crate) fn is_new(day: Date, today: Date) -> bool {
    day >= today - Duration::days(NEW_DAYS)
}

/// Slack finishes a day's file within about a day; a longer delay is an error.
const NEW_DAYS: i64 = 3;

enum Window {
    /// No lower bound.
    Newest,
    /// One side is open: as far back as Slack keeps files.
    Kept,
    /// Both sides are bounded.
    Exact,
}

fn window(set: &ValueSet) -> Window {
    let low = set.ranges().first().is_none_or(|range| range.low() != Bound::Unbounded);
    let high = set.ranges().last().is_none_or(|range| range.high() != Bound::Unbounded);
    match (low, high) {
        (false, false) => Window::Newest,
        (true, true) => Window::Exact,
        _ => Window::Kept,
    }
}

/// Whether the set's range with `day` ends before the days that are not over yet, or is only that day.
fn is_named(set: &ValueSet, day: Date, today: Date) -> bool {
    let Some(range) = set.range_of(&value(day)) else { return false };
    let point = Bound::Included(value(day));
    (range.low() == point && range.high() == point) || !range.contains(&value(today))
}

fn value(day: Date) -> Value {
    Value::Text(text(day))
}

#[cfg(test)]
mod tests {
    use athena_federation::Range;

    use super::*;

    fn day(text: &str) -> Date {
        parse(text).unwrap()
    }

    fn bound(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    /// First, last and number of the days.
    fn read(set: Option<ValueSet>, today: &str) -> (String, String, usize) {
        let days = days(set.as_ref(), day(today)).unwrap();
        let shown = |day: Option<&Date>| day.map(|day| text(*day)).unwrap_or_default();
        (shown(days.first()), shown(days.last()), days.len())
    }

    fn range(low: Bound, high: Bound) -> Option<ValueSet> {
        Some(ValueSet::of_ranges(Range::new(low, high), false))
    }

    fn span(first: &str, last: &str, count: usize) -> (String, String, usize) {
        (first.to_owned(), last.to_owned(), count)
    }

    #[test]
    fn only_whole_dates_are_dates() {
        for wrong in ["", "2020-1-1", "2020-02-30", "20201110", "2020-11-10x", "+020-11-10", "2020-11", " 2020-11-10"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(text(day("2024-02-29")), "2024-02-29");
    }

    #[test]
    fn slack_keeps_thirteen_months() {
        for (today, first) in [
            ("2026-11-21", "2025-10-21"),
            ("2026-01-31", "2024-12-31"),
            ("2026-03-31", "2025-02-28"),
            ("2025-03-30", "2024-02-29"),
        ] {
            assert_eq!(oldest(day(today)), day(first), "{today}");
            assert!((day(today) - oldest(day(today))).whole_days() <= MAX_DAYS as i64);
        }
    }

    #[test]
    fn without_a_bound_the_last_thirty_days_are_read() {
        assert_eq!(read(None, "2020-12-15"), span("2020-11-15", "2020-12-14", 30));
        let without = ValueSet::of_values([bound("2020-12-01")], true).complement();
        assert_eq!(read(Some(without), "2020-12-15"), span("2020-11-15", "2020-12-14", 29));
    }

    #[test]
    fn bounds_are_followed_however_old_the_days_are() {
        let today = "2026-11-21";
        let (low, high) = (bound("2020-11-01"), bound("2020-11-05"));
        let listed = ValueSet::of_values([bound("2020-11-12"), bound("2020-11-10")], false);
        assert_eq!(read(Some(listed), today), span("2020-11-10", "2020-11-12", 2));
        let between = range(Bound::Excluded(low.clone()), Bound::Excluded(high.clone()));
        assert_eq!(read(between, today), span("2020-11-02", "2020-11-04", 3));
        assert_eq!(
            read(range(Bound::Included(low), Bound::Unbounded), "2020-11-20"),
            span("2020-11-01", "2020-11-19", 19)
        );
        assert_eq!(
            read(range(Bound::Unbounded, Bound::Included(bound("2025-11-01"))), today),
            span("2025-10-21", "2025-11-01", 12)
        );
        assert_eq!(
            read(range(Bound::Included(bound("2019")), Bound::Unbounded), today),
            span("2025-10-21", "2026-11-20", 396)
        );
        assert_eq!(read(Some(ValueSet::none()), today), span("", "", 0));
    }

    #[test]
    fn a_day_that_is_not_over_is_only_read_when_it_is_named() {
        let today = "2026-11-21";
        let month = range(Bound::Included(bound("2026-11-01")), Bound::Included(bound("2026-11-30")));
        assert_eq!(read(month, today), span("2026-11-01", "2026-11-20", 20));
        let listed = |date| Some(ValueSet::of_values([bound(date)], false));
        assert_eq!(read(listed("2026-11-21"), today).2, 1);
        assert_eq!(read(listed("2026-11-22"), today).2, 0);
    }

    #[test]
    fn a_range_with_days_that_slack_no_longer_keeps_is_clipped_to_the_others() {
        let today = "2026-11-21";
        for low in [Bound::Unbounded, Bound::Included(bound("2019-01-01")), Bound::Excluded(bound("2025-10-01"))] {
            assert_eq!(
                read(range(low.clone(), Bound::Included(bound("2026-11-20"))), today),
                span("2025-10-21", "2026-11-20", 396)
            );
            assert_eq!(
                read(range(low.clone(), Bound::Included(bound("2025-10-21"))), today),
                span("2025-10-21", "2025-10-21", 1)
            );
            assert_eq!(
                read(range(low, Bound::Excluded(bound("2025-10-22"))), today),
                span("2025-10-21", "2025-10-21", 1)
            );
        }
    }

    #[test]
    fn more_days_than_slack_keeps_are_refused() {
        let years = range(Bound::Included(bound("2019-01-01")), Bound::Included(bound("2024-01-01")));
        let error = days(years.as_ref(), day("2026-11-21")).unwrap_err();
        assert!(error.message.contains("1827 days"), "{error}");
    }

    #[test]
    fn an_unfinished_day_matters_unless_it_ends_an_open_window() {
        let today = day("2026-11-21");
        let from = range(Bound::Included(bound("2026-11-01")), Bound::Unbounded);
        let until = range(Bound::Included(bound("2026-11-01")), Bound::Included(bound("2026-11-20")));
        for (set, date, expected) in [
            (None, "2026-11-20", false),
            (None, "2026-11-10", true),
            (from, "2026-11-20", false),
            (until, "2026-11-20", true),
            (Some(ValueSet::of_values([bound("2026-11-20")], false)), "2026-11-20", true),
        ] {
            assert_eq!(must_be_finished(set.as_ref(), day(date), today), expected, "{set:?} {date}");
        }
    }
}
