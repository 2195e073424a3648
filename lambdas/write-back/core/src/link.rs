//! The content of a link.

use std::borrow::Cow;
use std::fmt;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::cost::Cost;

/// The longest customer and skill in bytes, as in `varchar(256)`.
pub const TEXT_BYTES: usize = 256;

/// A link's row and what a click on it does, as signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What the click does.
    pub action: Action,
    /// At most [`TEXT_BYTES`], may be empty.
    pub customer: String,
    /// At most [`TEXT_BYTES`], may be empty.
    pub skill: String,
    /// The cost of the quote.
    pub cost: Cost,
}

/// What a click on a link does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Writes a quote, or another revision of it.
    Generate,
    /// Accepts the quote.
    Accept(QuoteId),
}

impl Action {
    /// The name in tokens and in SQL: `generate` or `accept`.
    pub fn name(&self) -> &'static str {
        match self {
            Action::Generate => "generate",
            Action::Accept(_) => "accept",
        }
    }
}

/// The ID of a quote: a UUID in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuoteId(String);

impl QuoteId {
    /// Reads an ID; `None` if `text` is not a UUID in lower case.
    pub fn parse(text: &str) -> Option<QuoteId> {
        is_quote_id(text).then(|| QuoteId(text.to_owned()))
    }

    /// A new ID (UUID version 4).
    ///
    /// # Errors
    ///
    /// If the system returns no random bytes.
    pub fn random() -> Result<QuoteId, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        bytes[6] = 0x40 | bytes[6] & 0x0f;
        bytes[8] = 0x80 | bytes[8] & 0x3f;
        let digits = hex::encode(bytes);
        Ok(QuoteId([&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")))
    }

    /// The 36 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for QuoteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub(crate) fn is_quote_id(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'),
        })
}

/// The text in NFC, so that two encodings of one name are the same.
pub(crate) fn normalized(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.nfc().collect())
}

/// The text in NFD: the other way in which a database may contain a text that a token has in NFC.
pub fn decomposed(text: &str) -> String {
    text.nfd().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_quote_id_is_valid_and_differs_from_the_next() {
        let ids = [QuoteId::random().unwrap(), QuoteId::random().unwrap()];
        assert_ne!(ids[0], ids[1]);
        for id in &ids {
            assert_eq!(QuoteId::parse(id.as_str()).as_ref(), Some(id));
            assert_eq!(&id.as_str()[14..15], "4");
        }
    }

    #[test]
    fn only_a_uuid_in_lower_case_is_a_quote_id() {
        for text in [
            "",
            "1",
            "F0000000-0000-4000-8000-000000000000",
            "f0000000-0000-4000-8000-00000000000",
            "../../../../../../../../../../../../",
        ] {
            assert_eq!(QuoteId::parse(text), None, "{text}");
        }
    }
}
