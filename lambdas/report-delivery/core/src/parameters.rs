//! Dashboard parameters, kept exactly from the request to QuickSight.

use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The parameters of a report, in QuickSight's form.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Parameters {
    /// Texts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub string_parameters: Vec<Parameter<String>>,
    /// Whole numbers of 64 bits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub integer_parameters: Vec<Parameter<i64>>,
    /// Decimal numbers that a double holds exactly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decimal_parameters: Vec<Parameter<Decimal>>,
    /// Moments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub date_time_parameters: Vec<Parameter<Moment>>,
}

/// A parameter and its values.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Parameter<T> {
    /// Its name in the dashboard.
    pub name: String,
    /// Its values.
    pub values: Vec<T>,
}

/// A decimal number as it was written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Decimal(Box<RawValue>);

impl Decimal {
    /// The number, for QuickSight's client, which only supports doubles; `None` if a double would change it.
    pub fn value(&self) -> Option<f64> {
        let text = self.0.get();
        if !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            return None;
        }
        let value: f64 = text.parse().ok().filter(|value: &f64| value.is_finite())?;
        (canonical(text)? == canonical(&format!("{value:e}"))?).then_some(value)
    }

    /// The number as it was written.
    pub fn text(&self) -> &str {
        self.0.get()
    }
}

/// Sign, digits without surrounding zeros, and the power of ten of the last digit.
fn canonical(text: &str) -> Option<(bool, String, i64)> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_end_matches('0');
    let dropped = i64::try_from(all.len() - digits.len()).ok()?;
    let power = exponent.parse::<i64>().ok()? - i64::try_from(fraction.len()).ok()? + dropped;
    let digits = digits.trim_start_matches('0').to_owned();
    Some(if digits.is_empty() { (false, digits, 0) } else { (negative, digits, power) })
}

/// A moment as it was written: seconds since 1970, a date, or a date with a time (RFC 3339).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(Box<RawValue>);

impl Moment {
    /// The moment; `None` if its form is unknown or QuickSight has no such year. QuickSight supports milliseconds at most.
    pub fn value(&self) -> Option<SystemTime> {
        let text = self.0.get();
        if let Some(text) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            let whole = if text.len() == "2025-01-01".len() { format!("{text}T00:00:00Z") } else { text.to_owned() };
            let moment = OffsetDateTime::parse(&whole, &Rfc3339).ok()?;
            // In UTC, where the offset may lead into another year.
            return SECONDS.contains(&moment.unix_timestamp()).then(|| SystemTime::from(moment));
        }
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
        let known =
            fraction.len() <= 3 && !seconds.starts_with('-') && fraction.bytes().all(|byte| byte.is_ascii_digit());
        let seconds: i64 = seconds.parse().ok().filter(|seconds| known && SECONDS.contains(seconds))?;
        let millis: u32 = format!("{fraction:0<3}").parse().ok()?;
        let since = Duration::new(u64::try_from(seconds).ok()?, millis * 1_000_000);
        SystemTime::UNIX_EPOCH.checked_add(since)
    }

    /// The moment as it was written, as JSON.
    pub fn text(&self) -> &str {
        self.0.get()
    }
}

/// The seconds since 1970 at which QuickSight has dates: the years 1 to 9999.
const SECONDS: RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// The most parameters of a kind that QuickSight accepts: <https://docs.aws.amazon.com/quicksight/latest/APIReference/API_Parameters.html>.
const MOST: usize = 100;

impl Parameters {
    /// Checks for values that QuickSight would reject or silently change.
    ///
    /// # Errors
    ///
    /// One sentence about the first parameter that is not accepted.
    pub fn check(&self) -> Result<(), String> {
        check("StringParameters", &self.string_parameters, |text| {
            (text.len() > 1024).then(|| ("text of more than 1024 bytes".to_owned(), "text of at most 1024 bytes"))
        })?;
        check("IntegerParameters", &self.integer_parameters, |_| None)?;
        check("DecimalParameters", &self.decimal_parameters, |decimal| {
            let allowed = "a number that a double holds exactly, about 15 digits";
            decimal.value().is_none().then(|| (format!("`{}`", shown(decimal.text())), allowed))
        })?;
        check("DateTimeParameters", &self.date_time_parameters, |moment| {
            let allowed = "seconds since 1970, a date like 2025-01-31, or 2025-01-31T08:00:00Z, in the years 1 to 9999";
            moment.value().is_none().then(|| (format!("`{}`", shown(moment.text())), allowed))
        })
    }
}

fn check<T>(
    kind: &str,
    parameters: &[Parameter<T>],
    wrong: impl Fn(&T) -> Option<(String, &'static str)>,
) -> Result<(), String> {
    if parameters.len() > MOST {
        return Err(format!("`parameters.{kind}` has {} entries; must be at most {MOST}", parameters.len()));
    }
    for parameter in parameters {
        let name = shown(&parameter.name);
        if parameter.name.is_empty() || parameter.name.len() > 2048 {
            return Err(format!("`parameters.{kind}` names a parameter `{name}`; must be 1 to 2048 bytes"));
        }
        if parameter.values.is_empty() || parameter.values.len() > MOST {
            let count = parameter.values.len();
            return Err(format!("`parameters.{kind}` gives `{name}` {count} values; must be 1 to {MOST}"));
        }
        if let Some((value, allowed)) = parameter.values.iter().find_map(&wrong) {
            return Err(format!("`parameters.{kind}` gives `{name}` the value {value}; must be {allowed}"));
        }
    }
    Ok(())
}

/// The beginning of a received text, safe for a message.
pub(crate) fn shown(text: &str) -> String {
    let short: String = text.chars().filter(|character| !character.is_control()).take(64).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_only_accepted_if_a_double_holds_it() {
        let value = |text: &str| serde_json::from_str::<Decimal>(text).unwrap().value();
        assert_eq!(value("0.1"), Some(0.1));
        assert_eq!(value("-12.50"), Some(-12.5));
        assert_eq!(value("1e3"), Some(1000.0));
        assert_eq!(value("0.000"), Some(0.0));
        assert_eq!(value("9007199254740992"), Some(9_007_199_254_740_992.0));
        for text in ["9007199254740993", "0.12345678901234567890", "1e400", "\"0.1\"", "true", "[1]", "null"] {
            assert_eq!(value(text), None, "{text}");
        }
    }

    #[test]
    fn a_moment_is_read_in_each_of_its_forms() {
        let value = |text: &str| serde_json::from_str::<Moment>(text).unwrap().value();
        let first = SystemTime::UNIX_EPOCH + Duration::from_secs(1_735_689_600);
        for text in [
            "1735689600",
            "1735689600.0",
            "\"2025-01-01\"",
            "\"2025-01-01T00:00:00Z\"",
            "\"2025-01-01T01:00:00+01:00\"",
        ] {
            assert_eq!(value(text), Some(first), "{text}");
        }
        assert_eq!(value("1735689600.25"), Some(first + Duration::from_millis(250)));
        for text in ["\"yesterday\"", "1e9", "-1", "1.2345", "\"2025-13-01\"", "null", "\"\""] {
            assert_eq!(value(text), None, "{text}");
        }
    }

    #[test]
    fn a_moment_is_in_the_years_1_to_9999() {
        let value = |text: &str| serde_json::from_str::<Moment>(text).unwrap().value();
        for text in
            ["253402300799", "253402300799.999", "\"0001-01-01\"", "\"9999-12-31\"", "\"9999-12-31T23:59:59.999Z\""]
        {
            assert!(value(text).is_some(), "{text}");
        }
        for text in [
            "1735689600123",
            "253402300800",
            "253402300800.0",
            "9223372036854775807",
            "18446744073709551615",
            "\"0000-01-01\"",
            "\"0001-01-01T00:00:00+01:00\"",
            "\"9999-12-31T23:59:59-01:00\"",
        ] {
            assert_eq!(value(text), None, "{text}");
        }
    }
}
