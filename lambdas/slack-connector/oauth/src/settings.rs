//! The function's settings, read from its environment once at the start.

use std::collections::BTreeSet;

use aws_types::SdkConfig;
use function::environment::{is_this_machine, stand_in};
use function::{Invalid, aws, required};
use reqwest::Url;

/// The function's settings.
pub struct Settings {
    pub(crate) tenant: String,
    pub(crate) client_id: String,
    pub(crate) client_secret_secret: String,
    pub(crate) token_secret: String,
    pub(crate) start_key_secret: String,
    pub(crate) state_table: String,
    pub(crate) enterprise_id: String,
    /// The address that Slack sends the browser back to, exactly as registered with the app.
    pub(crate) redirect_url: String,
    /// E-mail addresses in lower case.
    pub(crate) admins: BTreeSet<String>,
    /// Slack's base URL, without a trailing slash.
    pub(crate) slack: String,
    /// Whether Slack is a stand-in on this machine, the only case in which plain HTTP is allowed.
    pub(crate) local: bool,
    pub(crate) dynamodb: SdkConfig,
    pub(crate) secrets_manager: SdkConfig,
}

const SLACK: &str = "https://slack.com";

impl Settings {
    /// Reads the settings from the environment variables that `variable` returns.
    ///
    /// Required are `TENANT`, `CLIENT_ID`, `ENTERPRISE_ID`, `REDIRECT_URL`, `ADMINS` (a JSON list of e-mail addresses),
    /// `STATE_TABLE`, and the ARNs of three secrets: `CLIENT_SECRET_SECRET`, the token's under its name `SLACK_TOKEN_SECRET`, and
    /// `START_KEY_SECRET`. `SLACK_ENDPOINT_URL` is for a stand-in on this machine. Region, credentials and endpoints of AWS come
    /// from the variables that Lambda and the AWS SDKs use.
    ///
    /// # Errors
    ///
    /// If one is missing or malformed; the message names the variable.
    pub fn read(variable: &impl Fn(&str) -> Option<String>) -> Result<Settings, Invalid> {
        let local = stand_in(variable, "SLACK_ENDPOINT_URL")?;
        Ok(Settings {
            tenant: required(variable, "TENANT")?,
            client_id: client_id(required(variable, "CLIENT_ID")?)?,
            client_secret_secret: required(variable, "CLIENT_SECRET_SECRET")?,
            token_secret: required(variable, "SLACK_TOKEN_SECRET")?,
            start_key_secret: required(variable, "START_KEY_SECRET")?,
            state_table: required(variable, "STATE_TABLE")?,
            enterprise_id: enterprise_id(required(variable, "ENTERPRISE_ID")?)?,
            redirect_url: redirect_url(required(variable, "REDIRECT_URL")?, local.is_some())?,
            admins: admins(&required(variable, "ADMINS")?)?,
            local: local.is_some(),
            slack: local.unwrap_or_else(|| SLACK.to_owned()),
            dynamodb: aws::service(variable, "DYNAMODB")?,
            secrets_manager: aws::service(variable, "SECRETS_MANAGER")?,
        })
    }
}

fn client_id(id: String) -> Result<String, Invalid> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match id.split_once('.') {
        Some((team, app)) if is_number(team) && is_number(app) && id.len() <= 64 => Ok(id),
        _ => Err(Invalid(format!("CLIENT_ID is `{}`; must be two numbers separated by a dot", id.escape_debug()))),
    }
}

fn enterprise_id(id: String) -> Result<String, Invalid> {
    let is_id = id.strip_prefix('E').is_some_and(|rest| {
        (1..=31).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    });
    if is_id {
        Ok(id)
    } else {
        Err(Invalid(format!(
            "ENTERPRISE_ID is `{}`; must be an organization's ID: E, then capital letters and digits",
            id.escape_debug()
        )))
    }
}

fn redirect_url(url: String, local: bool) -> Result<String, Invalid> {
    let parsed = Url::parse(&url).ok().filter(|parsed| {
        let is_secure = parsed.scheme() == "https" || (local && is_this_machine(parsed));
        is_secure
            && parsed.as_str() == url
            && parsed.path().ends_with("/callback")
            && (parsed.username(), parsed.password(), parsed.query(), parsed.fragment()) == ("", None, None, None)
    });
    match parsed {
        Some(_) => Ok(url),
        None => Err(Invalid(format!(
            "REDIRECT_URL is `{}`; must be https://<host>/callback with nothing after it",
            url.escape_debug()
        ))),
    }
}

fn admins(list: &str) -> Result<BTreeSet<String>, Invalid> {
    let wrong = || Invalid("ADMINS must be a JSON list of at least one e-mail address".to_owned());
    let listed: Vec<String> = serde_json::from_str(list).map_err(|_| wrong())?;
    let admins: BTreeSet<String> = listed.iter().map(|admin| admin.to_lowercase()).collect();
    let is_address = |admin: &String| {
        admin.len() <= 254 && admin.split_once('@').is_some_and(|(name, domain)| !name.is_empty() && !domain.is_empty())
    };
    if !admins.is_empty() && admins.iter().all(is_address) { Ok(admins) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[(&str, &str)] = &[
        ("TENANT", "acme"),
        ("CLIENT_ID", "123.456"),
        ("CLIENT_SECRET_SECRET", "arn"),
        ("SLACK_TOKEN_SECRET", "arn"),
        ("START_KEY_SECRET", "arn"),
        ("STATE_TABLE", "states"),
        ("ENTERPRISE_ID", "E12345678"),
        ("REDIRECT_URL", "https://a1.execute-api.eu-west-1.amazonaws.com/callback"),
        ("ADMINS", r#"["Ada@Example.com"]"#),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];

    fn read(changes: &[(&str, &str)]) -> Result<Settings, Invalid> {
        let find = |pairs: &[(&str, &str)], name: &str| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        Settings::read(&|name: &str| find(changes, name).or_else(|| find(WHOLE, name)))
    }

    #[test]
    fn a_missing_variable_is_named() {
        assert!(read(&[]).is_ok());
        for (name, _) in WHOLE {
            let error = read(&[(name, "")]).err().expect("refused");
            assert!(error.0.contains(name), "{error}");
        }
    }

    #[test]
    fn a_malformed_value_is_refused() {
        for (name, value) in [
            ("CLIENT_ID", "123"),
            ("CLIENT_ID", "123.4a"),
            ("ENTERPRISE_ID", "T12345678"),
            ("ENTERPRISE_ID", "E1234-678"),
            ("ENTERPRISE_ID", "E"),
            ("REDIRECT_URL", "http://a1.example.com/callback"),
            ("REDIRECT_URL", "http://127.0.0.1/callback"),
            ("REDIRECT_URL", "https://a1.example.com/callback?x"),
            ("REDIRECT_URL", "https://a1.example.com/other"),
            ("REDIRECT_URL", "https://u@a1.example.com/callback"),
            ("REDIRECT_URL", "https://A1.example.com/callback"),
            ("ADMINS", "[]"),
            ("ADMINS", "ada@example.com"),
            ("ADMINS", r#"["ada"]"#),
            ("SLACK_ENDPOINT_URL", "https://slack.com"),
        ] {
            let error = read(&[(name, value)]).err().unwrap_or_else(|| panic!("{name}={value} is refused"));
            assert!(error.0.contains(name), "{error}");
        }
    }

    #[test]
    fn a_stand_in_may_be_reached_in_plain_http() {
        let local =
            [("SLACK_ENDPOINT_URL", "http://127.0.0.1:4242/"), ("REDIRECT_URL", "http://127.0.0.1:4571/x/callback")];
        assert_eq!(read(&local).expect("accepted").slack, "http://127.0.0.1:4242");
    }

    #[test]
    fn addresses_of_admins_do_not_depend_on_case() {
        assert!(read(&[]).expect("accepted").admins.contains("ada@example.com"));
    }
}
