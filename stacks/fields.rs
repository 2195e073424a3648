//! Values of a tenant file that more than one system has: types that cannot be wrong once they are read.

use serde::Deserialize;
use std::fmt;

/// The name of something in a tenant file: lower-case words joined by hyphens, each starting with a letter, at most 20
/// characters. Logical IDs are made of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Name(String);

impl Name {
    /// Most characters of a name.
    pub const LENGTH: usize = 20;

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as a part of a logical ID, `office-hours` as `OfficeHours`. Different names stay different.
    pub fn logical(&self) -> String {
        self.0
            .split('-')
            .map(|word| {
                let (first, rest) = word.split_at(1);
                first.to_uppercase() + rest
            })
            .collect()
    }
}

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_word = |word: &str| {
            word.starts_with(|it: char| it.is_ascii_lowercase())
                && word.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit())
        };
        if text.len() <= Self::LENGTH && text.split('-').all(is_word) {
            return Ok(Self(text));
        }
        Err(format!(
            "`{text}` is no name; allowed are at most {} characters a-z and 0-9, in words that start with a letter and are joined by `-`",
            Self::LENGTH
        ))
    }
}

/// Makes a newtype over text that is checked when it is read.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// The text as it was written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                $check(&text)?;
                Ok(Self(text))
            }
        }
    };
}
pub(crate) use checked_text;

checked_text! {
    /// The name of a tenant: `[a-z][a-z0-9-]{0,19}`. Stack names are made of it.
    TenantName, |text: &str| {
        let starts = text.starts_with(|it: char| it.is_ascii_lowercase());
        let fits = text.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-');
        if starts && fits && text.len() <= 20 {
            return Ok(());
        }
        Err(format!("`{text}` is no tenant name; allowed are at most 20 characters a-z, 0-9 and `-`, a letter first"))
    }
}

impl fmt::Display for TenantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
