//! Environment variables, read once at the start.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use url::Url;

/// A variable that is missing or malformed, in one sentence that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(pub String);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Invalid {}

/// The value of a variable that the stack sets.
///
/// # Errors
///
/// If it is missing or empty.
pub fn required(variable: &impl Fn(&str) -> Option<String>, name: &str) -> Result<String, Invalid> {
    let missing = || Invalid(format!("the environment variable {name} is missing; the stack sets it"));
    optional(variable, name).ok_or_else(missing)
}

/// The value of an optional variable; an empty one counts as missing.
pub fn optional(variable: &impl Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    variable(name).filter(|value| !value.is_empty())
}

/// An optional whole number; `usual` if it is missing.
///
/// # Errors
///
/// If it is not a number or is outside `allowed`.
pub fn number<T: FromStr + PartialOrd + fmt::Display>(
    variable: &impl Fn(&str) -> Option<String>,
    name: &str,
    usual: T,
    allowed: RangeInclusive<T>,
) -> Result<T, Invalid> {
    let Some(text) = optional(variable, name) else { return Ok(usual) };
    let number = text.parse().ok().filter(|number| allowed.contains(number));
    let (least, most) = allowed.into_inner();
    number.ok_or_else(|| Invalid(format!("{name} is `{text}`; must be a whole number from {least} to {most}")))
}

/// The address of a stand-in on this machine, without a trailing slash. Only the local target sets it, so no setting can send
/// a secret elsewhere.
///
/// # Errors
///
/// If it is set but is not an `http` or `https` address of 127.0.0.1, localhost or \[::1\] with nothing after it. The value may contain
/// a password and is not repeated.
pub fn stand_in(variable: &impl Fn(&str) -> Option<String>, name: &str) -> Result<Option<String>, Invalid> {
    let Some(text) = optional(variable, name) else { return Ok(None) };
    let address = Url::parse(&text).ok().filter(|url| {
        is_this_machine(url)
            && (url.username(), url.password(), url.path()) == ("", None, "/")
            && (url.query(), url.fragment()) == (None, None)
    });
    match address {
        Some(url) => Ok(Some(url.as_str().trim_end_matches('/').to_owned())),
        None => Err(Invalid(format!(
            "{name} is not an address on this machine; must be on 127.0.0.1, localhost or [::1]; remove it to call the real service"
        ))),
    }
}

/// Whether what is sent to this address stays on this machine.
pub fn is_this_machine(url: &Url) -> bool {
    matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")) && matches!(url.scheme(), "http" | "https")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_default_or_within_its_limits() {
        let read = |value: &str| number(&|_: &str| Some(value.to_owned()), "SLOTS", 5, 1..=100);
        for (value, number) in [("", 5), ("1", 1), ("100", 100)] {
            assert_eq!(read(value), Ok(number));
        }
        for value in ["0", "101", "-1", "1.0", "1e1", "many", " 1", "99999999999999999999"] {
            let message = format!("SLOTS is `{value}`; must be a whole number from 1 to 100");
            assert_eq!(read(value), Err(Invalid(message)));
        }
    }

    #[test]
    fn a_stand_in_must_be_on_this_machine() {
        let read = |value: &str| stand_in(&|_: &str| Some(value.to_owned()), "QLIK_ENDPOINT_URL");
        assert_eq!(read(""), Ok(None));
        assert_eq!(read("http://127.0.0.1:4242/"), Ok(Some("http://127.0.0.1:4242".to_owned())));
        assert_eq!(read("http://[::1]:4242"), Ok(Some("http://[::1]:4242".to_owned())));
        for value in [
            "http://10.0.0.1",
            "https://slack.com",
            "http://127.0.0.1.evil.com",
            "http://127.0.0.1@evil.com",
            "http://u@127.0.0.1",
            "http://localhost/x",
            "http://localhost/?x",
            "ftp://localhost",
            "localhost:80",
        ] {
            let error = read(value).unwrap_err();
            assert!(error.0.contains("QLIK_ENDPOINT_URL") && !error.0.contains(value), "{error}");
        }
    }
}
