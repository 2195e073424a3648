//! Row-level security tags: whose rows a report shows.

use cfn::Json;
use serde::Deserialize;
use serde_json::json;

use crate::shared::fields::{checked_text, given};

/// A row-level security tag.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "TagFields")]
pub struct RowLevelTag {
    /// Its key.
    pub key: TagKey,
    /// Where its value comes from.
    pub value: TagValue,
}

/// Where the value of a tag comes from.
#[derive(Clone, Debug)]
pub enum TagValue {
    /// It is the same for every report.
    Fixed(TagText),
    /// It is a claim of the caller.
    Claim(Claim),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TagFields {
    key: TagKey,
    #[serde(default, deserialize_with = "given")]
    value: Option<TagText>,
    #[serde(default, deserialize_with = "given")]
    claim: Option<Claim>,
}

impl TryFrom<TagFields> for RowLevelTag {
    type Error = String;

    fn try_from(fields: TagFields) -> Result<Self, String> {
        let value = match (fields.value, fields.claim) {
            (Some(value), None) => TagValue::Fixed(value),
            (None, Some(claim)) => TagValue::Claim(claim),
            _ => return Err("a row-level tag has either `value` or `claim`; give one of them".to_owned()),
        };
        Ok(Self { key: fields.key, value })
    }
}

impl RowLevelTag {
    /// The tag as report-api reads it.
    pub(super) fn json(&self) -> Json {
        match &self.value {
            TagValue::Fixed(value) => json!({ "key": self.key.as_str(), "value": value.as_str() }),
            TagValue::Claim(claim) => json!({ "key": self.key.as_str(), "claim": claim.as_str() }),
        }
    }
}

checked_text! {
    /// The key of a row-level security tag.
    pub TagKey, |text: &str| {
        if (1..=128).contains(&text.chars().count()) {
            return Ok(());
        }
        Err(format!("`{text}` is not a valid tag key; use 1 to 128 characters"))
    }
}

checked_text! {
    /// The value of a row-level security tag.
    pub TagText, |text: &str| {
        // `*` is QuickSight's sign for all rows, alone or among several values: a report must not show everything by a slip.
        let parts = || text.split([',', ';', '|']).map(str::trim);
        if (1..=256).contains(&text.chars().count()) && !parts().any(|part| part == "*") {
            return Ok(());
        }
        Err(format!("`{text}` is not a valid tag value; must be 1 to 256 characters without `*`, which would show every row"))
    }
}

checked_text! {
    /// The name of a claim in a caller's token.
    pub Claim, |text: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'-' | b'.');
        if (1..=64).contains(&text.len()) && text.bytes().all(is_plain) {
            return Ok(());
        }
        Err(format!("`{text}` is not a valid claim; use a name such as custom:customer"))
    }
}
