//! `config.json`, by which the page finds its APIs.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the page is told. Nothing in it is secret: every visitor reads it.
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
    /// Whether people may sign up by themselves; CloudFormation makes a text of it.
    #[serde(deserialize_with = "boolean")]
    sign_up: bool,
    /// Where Cognito is, if it is not AWS's.
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
            if let Some(address) = address.filter(|it| !it.starts_with(scheme)) {
                return Err(format!("the property Config.{name} is {address:?}; allowed is an address with {scheme}"));
            }
        }
        Ok(config)
    }

    /// The file as the page reads it.
    pub(crate) fn json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and a boolean are JSON")
    }
}

fn boolean<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Bool(it) => Ok(it),
        Value::String(text) if text == "true" => Ok(true),
        Value::String(text) if text == "false" => Ok(false),
        other => Err(serde::de::Error::custom(format!("signUp is {other}; allowed are true and false"))),
    }
}
