//! Parameters of a dashboard, in the form of QuickSight's API.
//!
//! The function that accepts reports checks the same, so whatever passes here starts a report.

use std::ops::RangeInclusive;

use cfn::Json;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A parameter and its values.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Parameter {
    name: String,
    values: Vec<Json>,
}

/// A kind of parameters that QuickSight has, and what its values are.
struct Kind {
    name: &'static str,
    allowed: &'static str,
    is_right: fn(&Json) -> bool,
}

const KINDS: [Kind; 4] = [
    Kind {
        name: "DateTimeParameters",
        allowed: "seconds since 1970, a date like 2025-01-31, or 2025-01-31T08:00:00Z, in the years 1 to 9999",
        is_right: is_moment,
    },
    Kind { name: "DecimalParameters", allowed: "numbers", is_right: Json::is_number },
    Kind { name: "IntegerParameters", allowed: "whole numbers", is_right: Json::is_i64 },
    Kind {
        name: "StringParameters",
        allowed: "text of at most 1024 bytes",
        is_right: |value| value.as_str().is_some_and(|text| text.len() <= 1024),
    },
];

/// The most parameters of a kind, and values of a parameter, that QuickSight accepts.
/// <https://docs.aws.amazon.com/quicksight/latest/APIReference/API_Parameters.html>
const MOST: usize = 100;

/// The seconds since 1970 at which QuickSight has dates: the years 1 to 9999.
const SECONDS: RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// Checks the parameters of one kind; the error is one sentence.
pub(super) fn check(kind: &str, parameters: &[Parameter]) -> Result<(), String> {
    let Some(Kind { allowed, is_right, .. }) = KINDS.iter().find(|known| known.name == kind) else {
        return Err(format!(
            "unknown kind of parameters `{kind}`; use one of {}",
            KINDS.map(|known| known.name).join(", ")
        ));
    };
    if parameters.is_empty() {
        return Err(format!("there are no `{kind}`; name one, or remove the key"));
    }
    if parameters.len() > MOST {
        return Err(format!("there are {} `{kind}`; must be at most {MOST}", parameters.len()));
    }
    for Parameter { name, values } in parameters {
        if name.is_empty() || values.is_empty() {
            return Err(format!(
                "a parameter of `{kind}` has no name or no value; each needs a name and at least one value"
            ));
        }
        if name.len() > 2048 {
            return Err(format!("a parameter of `{kind}` has a name of {} bytes; must be at most 2048", name.len()));
        }
        if values.len() > MOST {
            return Err(format!("`{kind}` gives `{name}` {} values; must be at most {MOST}", values.len()));
        }
        if let Some(value) = values.iter().find(|value| !is_right(value)) {
            return Err(format!("`{kind}` gives `{name}` the value {value}; use {allowed}"));
        }
    }
    Ok(())
}

/// Whether a value is a moment that QuickSight has, to the millisecond at most.
fn is_moment(value: &Json) -> bool {
    match value {
        Json::String(text) => {
            let whole = if text.len() == "2025-01-01".len() { format!("{text}T00:00:00Z") } else { text.clone() };
            // In UTC, where the offset may lead into another year.
            OffsetDateTime::parse(&whole, &Rfc3339).is_ok_and(|moment| SECONDS.contains(&moment.unix_timestamp()))
        }
        Json::Number(number) => {
            let text = number.to_string();
            let (seconds, fraction) = text.split_once('.').unwrap_or((&text, ""));
            let seconds: Result<u64, _> = seconds.parse();
            let is_known = fraction.len() <= 3 && fraction.bytes().all(|digit| digit.is_ascii_digit());
            is_known && seconds.is_ok_and(|seconds| i64::try_from(seconds).is_ok_and(|whole| SECONDS.contains(&whole)))
        }
        _ => false,
    }
}
