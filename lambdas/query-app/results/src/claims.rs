//! The caller according to API Gateway's Cognito authorizer.

use queries::Identity;
use serde_json::Value;

/// The user of the ID token that API Gateway has verified.
pub(crate) fn identity(claims: &Value) -> Option<Identity> {
    let owner = claims["sub"].as_str().filter(|owner| (1..=128).contains(&owner.len()))?;
    let until = match &claims["exp"] {
        Value::Number(number) => number.as_u64()?,
        Value::String(text) => text.parse().ok().or_else(|| written_out(text))?,
        _ => return None,
    };
    Some(Identity { owner: owner.to_owned(), until })
}

/// A REST API passes times as Java writes them, `Wed Sep 21 19:08:02 UTC 2016`; returns seconds since 1970.
fn written_out(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let [_, month, day, time, "UTC" | "GMT", year] = text.split(' ').collect::<Vec<_>>()[..] else { return None };
    let month = MONTHS.iter().position(|name| *name == month)? as u64 + 1;
    let (year, day): (u64, u64) = (year.parse().ok()?, day.parse().ok()?);
    let [hours, minutes, seconds] = time.split(':').map(|part| part.parse().ok()).collect::<Option<Vec<u64>>>()?[..]
    else {
        return None;
    };
    if !(1970..=9999).contains(&year) || !(1..=31).contains(&day) || hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    // Years that begin in March have their leap day at the end.
    let (march_year, march_month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        march_year * 365 + march_year / 4 - march_year / 100 + march_year / 400 + (march_month * 153 + 2) / 5 + day - 1;
    // 719,468 days from 1 March of the year 0 to 1970.
    Some((days - 719_468) * 86_400 + hours * 3600 + minutes * 60 + seconds)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_tokens_expiry_is_read_in_each_of_its_forms() {
        for (exp, until) in [
            (json!(1_474_484_882), Some(1_474_484_882)),
            (json!("1474484882"), Some(1_474_484_882)),
            (json!("Wed Sep 21 19:08:02 UTC 2016"), Some(1_474_484_882)),
            (json!("Thu Jan 01 00:00:00 UTC 1970"), Some(0)),
            (json!("Thu Feb 29 12:00:00 UTC 2024"), Some(1_709_208_000)),
            (json!("Wed Sep 21 19:08:02 CET 2016"), None),
            (json!("tomorrow"), None),
            (Value::Null, None),
        ] {
            let found = identity(&json!({"sub": "user", "exp": exp})).map(|identity| identity.until);
            assert_eq!(found, until, "{exp}");
        }
        assert_eq!(identity(&json!({"exp": 1})), None);
        assert_eq!(identity(&Value::Null), None);
    }
}
