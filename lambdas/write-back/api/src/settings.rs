//! The function's settings, read from its environment once at the start.

use aws_types::SdkConfig;
use function::environment::optional;
use function::{Invalid, aws, required};
use redshift::Warehouse;

use crate::input::Input;
use crate::locale::Locale;
use crate::sql::Inserts;

/// The function's settings.
pub struct Settings {
    pub(crate) tenant: String,
    pub(crate) signing_keys_secret: String,
    pub(crate) claims_table: String,
    pub(crate) warehouse: Warehouse,
    pub(crate) inserts: Inserts,
    pub(crate) inputs: Vec<Input>,
    pub(crate) write_on_click: bool,
    pub(crate) locale: Locale,
    pub(crate) currency: Option<String>,
    /// How DynamoDB is reached.
    pub dynamodb: SdkConfig,
    /// How the Redshift Data API is reached.
    pub redshift_data: SdkConfig,
    /// How Secrets Manager is reached.
    pub secrets_manager: SdkConfig,
}

impl Settings {
    /// Reads the settings from the environment variables that `variable` returns.
    ///
    /// Required: `TENANT`, `SIGNING_KEYS_SECRET` (its ARN), `CLAIMS_TABLE`, `WAREHOUSE` (JSON, see [`Warehouse`]), `SCHEMA`.
    /// Optional: `INPUTS` (JSON list of further inputs of the form), `WRITE_ON_CLICK` (`true`), `LOCALE` (`en-US` if absent),
    /// `CURRENCY` (ISO 4217).
    ///
    /// # Errors
    ///
    /// If one is missing or malformed; the message names the variable.
    pub fn read(variable: &impl Fn(&str) -> Option<String>) -> Result<Settings, Invalid> {
        let inputs = Input::parse(&optional(variable, "INPUTS").unwrap_or_else(|| "[]".into()))?;
        Ok(Settings {
            tenant: required(variable, "TENANT")?,
            signing_keys_secret: required(variable, "SIGNING_KEYS_SECRET")?,
            claims_table: required(variable, "CLAIMS_TABLE")?,
            warehouse: Warehouse::read(variable)?,
            inserts: Inserts::new(&required(variable, "SCHEMA")?, &inputs)?,
            inputs,
            write_on_click: match optional(variable, "WRITE_ON_CLICK").as_deref() {
                None | Some("false") => false,
                Some("true") => true,
                Some(other) => {
                    return Err(Invalid(format!("WRITE_ON_CLICK is `{other}`; must be `true` or `false`")));
                }
            },
            locale: Locale::parse(&optional(variable, "LOCALE").unwrap_or_else(|| "en-US".into()))?,
            currency: optional(variable, "CURRENCY").map(currency).transpose()?,
            dynamodb: aws::service(variable, "DYNAMODB")?,
            redshift_data: aws::service(variable, "REDSHIFT_DATA")?,
            secrets_manager: aws::service(variable, "SECRETS_MANAGER")?,
        })
    }
}

fn currency(code: String) -> Result<String, Invalid> {
    if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        Ok(code)
    } else {
        Err(Invalid(format!("CURRENCY is `{code}`; must be an ISO 4217 code of three capital letters")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[(&str, &str)] = &[
        ("TENANT", "acme"),
        ("SIGNING_KEYS_SECRET", "arn"),
        ("CLAIMS_TABLE", "claims"),
        ("WAREHOUSE", r#"{"workgroup":"w","database":"d"}"#),
        ("SCHEMA", "write_back"),
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
        assert!(with("", None).is_ok());
        for (missing, _) in WHOLE {
            assert!(with(missing, None).err().expect("refused").0.contains(missing));
        }
    }

    #[test]
    fn a_malformed_value_is_refused_with_the_variables_name() {
        for (name, value) in [
            ("WAREHOUSE", r#"{"database":"d"}"#),
            ("SCHEMA", "a\0b"),
            ("INPUTS", "{}"),
            ("WRITE_ON_CLICK", "yes"),
            ("LOCALE", "german"),
            ("CURRENCY", "euro"),
        ] {
            let error = with(name, Some(value)).err().expect("refused");
            assert!(error.0.contains(name), "{error}");
        }
    }
}
