//! The caller, as far as row-level security is concerned.

use report_queue::Tag;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// The source of a row-level tag's value; never a request's body, query or headers.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum TagSource {
    Fixed(Fixed),
    Claimed(Claimed),
}

/// A fixed value of the tenant.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fixed {
    key: String,
    value: String,
}

/// A claim about the caller from the authorizer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claimed {
    key: String,
    claim: String,
}

impl TagSource {
    pub(crate) fn key(&self) -> &str {
        match self {
            TagSource::Fixed(fixed) => &fixed.key,
            TagSource::Claimed(claimed) => &claimed.key,
        }
    }

    /// The value, or the name of the claim.
    pub(crate) fn source(&self) -> &str {
        match self {
            TagSource::Fixed(fixed) => &fixed.value,
            TagSource::Claimed(claimed) => &claimed.claim,
        }
    }
}

/// A caller.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// All the tags.
    pub(crate) tags: Vec<Tag>,
    /// A hash of the caller's own tags: callers with the same hash see the same jobs.
    pub(crate) viewer: String,
}

/// The caller described by `authorizer` in the request context.
///
/// # Errors
///
/// If a claim that a tag needs is missing, is not text of 1 to 256 characters, or could mean more than one value.
pub(crate) fn caller(sources: &[TagSource], authorizer: &Value) -> Result<Caller> {
    let mut tags = Vec::new();
    let mut digest = Sha256::new();
    for source in sources {
        let value = match source {
            TagSource::Fixed(fixed) => fixed.value.clone(),
            TagSource::Claimed(claimed) => {
                let value = claim(authorizer, &claimed.claim).ok_or_else(|| {
                    Error::forbidden(format!(
                        "the caller has no claim `{}`, by which reports are filtered",
                        claimed.claim
                    ))
                })?;
                if value.contains(is_special) {
                    return Err(Error::forbidden(format!(
                        "the caller's claim `{}` has a character that QuickSight could read as all rows or as several values; must be without *, commas, semicolons, bars and control characters",
                        claimed.claim
                    )));
                }
                for part in [&claimed.key, &value] {
                    digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
                    digest.update(part);
                }
                value
            }
        };
        tags.push(Tag { key: source.key().to_owned(), value });
    }
    Ok(Caller { tags, viewer: hex::encode(digest.finalize()) })
}

/// `*` is what QuickSight's datasets match all rows with, unless configured otherwise. They may also split a tag's value into several, at
/// a delimiter of which a report knows nothing; a comma is usual:
/// <https://docs.aws.amazon.com/quicksight/latest/APIReference/API_RowLevelPermissionTagRule.html>.
fn is_special(character: char) -> bool {
    matches!(character, '*' | ',' | ';' | '|') || character.is_control()
}

/// A user pool's claims are a nested object, a Lambda authorizer's context is not.
fn claim(authorizer: &Value, name: &str) -> Option<String> {
    let found = authorizer["claims"].get(name).or_else(|| authorizer.get(name))?;
    let text = match found {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (1..=256).contains(&text.chars().count()).then_some(text)
}
