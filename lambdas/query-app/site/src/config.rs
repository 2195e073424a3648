//! `config.json`, with which the page finds its APIs.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The page's configuration. Nothing in it is secret: every visitor can read it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Config {
    region: String,
    user_pool_id: String,
    user_pool_client_id: String,
    /// `wss://…`
    socket: String,
    /// `https://…`
    api: String,
    /// Whether people may sign up themselves; CloudFormation turns the number into text.
    #[serde(deserialize_with = "boolean")]
    sign_up: bool,
    /// Cognito's address, if it is not AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    cognito: Option<String>,
}

impl Config {
    /// # Errors
    ///
    /// One sentence that names the property.
    pub(crate) fn read(property: &Value) -> Result<Config, String> {
        let config: Config =
            serde_json::from_value(property.clone()).map_err(|error| format!("the property Config: {error}"))?;
        for (name, address, scheme) in [
            ("socket", Some(&config.socket), "wss://"),
            ("api", Some(&config.api), "https://"),
            ("cognito", config.cognito.as_ref(), "https://"),
        ] {
            if let Some(address) = address.filter(|address| !address.starts_with(scheme)) {
                return Err(format!(
                    "the property Config.{name} is {address:?}; must be an address that starts with {scheme}"
                ));
            }
        }
        Ok(config)
    }

    /// The origins that the page connects to, in addition to its own.
    pub(crate) fn origins(&self) -> [String; 3] {
        let cognito = || format!("https://cognito-idp.{}.amazonaws.com", self.region);
        let cognito = self.cognito.clone().unwrap_or_else(cognito);
        [self.api.as_str(), self.socket.as_str(), cognito.as_str()].map(origin)
    }

    /// The file as the page reads it.
    pub(crate) fn json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("text and booleans can always be written as JSON")
    }
}

/// Scheme, host and port of an address. What a policy gives a meaning to cannot be part of them.
fn origin(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").unwrap_or(("https", address));
    let host = rest.split('/').next().unwrap_or_default();
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    format!("{scheme}://{}", host.chars().take_while(is_plain).collect::<String>())
}

fn boolean<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Bool(flag) => Ok(flag),
        Value::String(text) if text == "true" => Ok(true),
        Value::String(text) if text == "false" => Ok(false),
        other => Err(serde::de::Error::custom(format!("signUp is {other}; must be true or false"))),
    }
}
