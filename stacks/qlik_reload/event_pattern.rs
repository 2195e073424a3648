//! Event patterns of tenant files.

use cfn::Json;
use constructs::event_pattern;
use serde::Deserialize;

/// An event pattern that EventBridge accepts.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Json")]
pub struct EventPattern(Json);

impl EventPattern {
    /// The pattern as JSON.
    pub fn json(&self) -> Json {
        self.0.clone()
    }
}

impl TryFrom<Json> for EventPattern {
    type Error = String;

    fn try_from(pattern: Json) -> Result<Self, String> {
        event_pattern::check(&pattern)?;
        let (length, most) = (pattern.to_string().chars().count(), event_pattern::LENGTH);
        if length > most {
            return Err(format!("the pattern has {length} characters as JSON; must be at most {most}"));
        }
        Ok(Self(pattern))
    }
}
