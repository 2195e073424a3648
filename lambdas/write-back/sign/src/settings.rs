//! The function's settings, read from its environment once at the start.

use aws_types::SdkConfig;
use function::{Invalid, aws, required};
use write_back::LONGEST_LIFE;

/// The function's settings.
pub struct Settings {
    pub(crate) tenant: String,
    pub(crate) audience: String,
    pub(crate) signing_keys_secret: String,
    pub(crate) token_seconds: u64,
    pub(crate) secrets_manager: SdkConfig,
}

impl Settings {
    /// Reads the settings from the environment variables that `variable` returns: `TENANT`, `AUDIENCE` (the ID of the REST API),
    /// `SIGNING_KEYS_SECRET` (its ARN), and `TOKEN_SECONDS` (60 to 2,678,400), all required.
    ///
    /// # Errors
    ///
    /// If one is missing or malformed; the message names the variable.
    pub fn read(variable: &impl Fn(&str) -> Option<String>) -> Result<Settings, Invalid> {
        let seconds = required(variable, "TOKEN_SECONDS")?;
        let token_seconds = seconds.parse().ok().filter(|seconds| (60..=LONGEST_LIFE).contains(seconds));
        Ok(Settings {
            tenant: short(variable, "TENANT")?,
            audience: short(variable, "AUDIENCE")?,
            signing_keys_secret: required(variable, "SIGNING_KEYS_SECRET")?,
            token_seconds: token_seconds.ok_or_else(|| {
                Invalid(format!(
                    "TOKEN_SECONDS is `{seconds}`; must be a whole number of seconds from 60 to {LONGEST_LIFE}"
                ))
            })?,
            secrets_manager: aws::service(variable, "SECRETS_MANAGER")?,
        })
    }
}

fn short(variable: &impl Fn(&str) -> Option<String>, name: &str) -> Result<String, Invalid> {
    let value = required(variable, name)?;
    match value.len() {
        ..=64 => Ok(value),
        length => Err(Invalid(format!("{name} has {length} bytes; must be at most 64"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[(&str, &str)] = &[
        ("TENANT", "acme"),
        ("AUDIENCE", "a1b2c3d4e5"),
        ("SIGNING_KEYS_SECRET", "arn"),
        ("TOKEN_SECONDS", "1800"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];

    fn with(name: &str, value: Option<&str>) -> Result<Settings, Invalid> {
        let whole = |asked: &str| WHOLE.iter().find(|(known, _)| *known == asked).map(|(_, value)| *value);
        Settings::read(&|asked: &str| if asked == name { value } else { whole(asked) }.map(str::to_owned))
    }

    #[test]
    fn a_missing_variable_is_named() {
        for (missing, _) in WHOLE {
            assert!(with(missing, None).err().expect("refused").0.contains(missing));
        }
    }

    #[test]
    fn a_token_lives_a_minute_to_a_month() {
        for seconds in ["60", "2678400"] {
            assert!(with("TOKEN_SECONDS", Some(seconds)).is_ok());
        }
        for seconds in ["0", "59", "2678401", "-60", "1h", "1e3"] {
            let error = with("TOKEN_SECONDS", Some(seconds)).err().expect("refused");
            assert!(error.0.contains(seconds) && error.0.contains("TOKEN_SECONDS"), "{error}");
        }
        assert!(with("TENANT", Some(&"t".repeat(65))).is_err());
    }
}
