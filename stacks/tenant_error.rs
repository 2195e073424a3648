//! What an author reads when a tenant file is wrong: one sentence, at its place.

use std::borrow::Cow;
use std::fmt;

use serde_saphyr::{Error, Location, MessageFormatter, UserMessageFormatter};

use crate::shared::fields::NOTHING;

/// A mistake in a tenant file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantError {
    /// What is wrong, the value, what is allowed.
    pub message: String,
    /// The line, counted from 1.
    pub line: u64,
    /// The column, counted from 1.
    pub column: u64,
}

impl TenantError {
    pub(crate) fn new(error: &Error, text: &str) -> Self {
        let error = error.without_snippet();
        let Some(location) = error.location() else {
            return Self { message: on_one_line(&explain(error, "")), line: 1, column: 1 };
        };
        let value: String = text
            .chars()
            .skip(location.span().offset() as usize)
            .take((location.span().len() as usize).clamp(1, 60))
            .take_while(|c| *c != '\n')
            .collect();
        let message = on_one_line(&explain(error, value.trim()));
        if message.contains("found a tab") || message.contains("tabs disallowed") {
            return Self::tab(text, location.line()).unwrap_or(Self { message, ..Self::at(location) });
        }
        Self { message, ..Self::at(location) }
    }

    fn at(location: Location) -> Self {
        Self { message: String::new(), line: location.line(), column: location.column() }
    }

    /// The first tab in the indentation of a line. The parser reports the value before it, which may be on an earlier line, `from`.
    fn tab(text: &str, from: u64) -> Option<Self> {
        let lines = (1..).zip(text.lines()).skip_while(|(number, _)| *number < from);
        let mut places = lines.filter_map(|(number, line)| Some((number, line.find(|c| c != ' ')?, line)));
        let (line, spaces, _) = places.find(|(_, spaces, line)| line[*spaces..].starts_with('\t'))?;
        let message = "a tab is not allowed in the indentation; use spaces".to_owned();
        Some(Self { message, line, column: spaces as u64 + 1 })
    }
}

/// A value may contain line ends and other control characters that a terminal obeys.
fn on_one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}

impl fmt::Display for TenantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for TenantError {}

/// The parser's errors in our words: the value, and what is allowed.
fn explain(error: &Error, value: &str) -> String {
    match error {
        // If a value is missing, the parser points at the colon.
        Error::NullIntoString { .. }
        | Error::SerdeUnknownVariant { .. }
        | Error::InvalidBooleanStrict { .. }
        | Error::InvalidScalar { .. }
        | Error::Unexpected { .. }
            if value == ":" =>
        {
            NOTHING.to_owned()
        }
        Error::NullIntoString { .. } | Error::ExternallyTaggedEnumExpectedScalarOrMapping { .. } => {
            format!("`{value}` is not allowed here; use text")
        }
        Error::SerdeUnknownField { field, expected, .. } => {
            format!("unknown key `{field}`; use one of {}", expected.join(", "))
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            format!("`{variant}` is not allowed here; use one of {}", expected.join(", "))
        }
        Error::SerdeMissingField { field, .. } => format!("the key `{field}` is missing"),
        Error::DuplicateMappingKey { key, .. } => match key {
            Some(key) => format!("the key `{key}` appears a second time; remove one of them"),
            None => "a key appears a second time; remove one of them".to_owned(),
        },
        Error::InvalidScalar { ty, .. } => format!("`{value}` is not allowed here; use {}", in_words(ty)),
        Error::InvalidBooleanStrict { .. } => format!("`{value}` is not allowed here; use true or false"),
        Error::Unexpected { expected, .. } => {
            format!("`{value}` is not allowed here; use {}", in_words(expected))
        }
        // The parser's own words are about anchors and tokens; the author usually meant text, such as a cron expression.
        Error::UnknownAnchor { .. } | Error::ExternalMessage { .. }
            if value.starts_with(['*', '&', '!', '@', '`', '%']) =>
        {
            format!("`{}` has a special meaning in YAML; quote text that starts with it", &value[..1])
        }
        Error::MultipleDocuments { .. } => "a second document begins here; use one file per tenant".to_owned(),
        Error::Eof { .. } => "the file is empty or ends too early".to_owned(),
        other => match UserMessageFormatter.format_message(other) {
            Cow::Borrowed(text) => text.to_owned(),
            Cow::Owned(text) => text,
        },
    }
}

fn in_words(expected: &str) -> &str {
    match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "string scalar" => "text",
        "mapping start" => "a mapping, `key: value`",
        "sequence start" => "a list, `- item`",
        other => other,
    }
}
