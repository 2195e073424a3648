//! Further inputs of the form.

use crate::fields::{checked_text, in_range};
use cfn::Json;
use serde::Deserialize;
use serde_json::json;

/// One further input of the form, stored with the quote in the column `input_<name>`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "InputFields")]
pub struct Input {
    /// Its name.
    pub name: InputName,
    label: Label,
    kind: Kind,
    required: bool,
}

#[derive(Clone, Debug)]
enum Kind {
    /// So many characters at most.
    Text(u32),
    /// A number or a date between two ends.
    Ranged { ty: &'static str, minimum: Option<String>, maximum: Option<String> },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InputFields {
    name: InputName,
    label: Label,
    r#type: InputType,
    max_length: Option<u32>,
    minimum: Option<String>,
    maximum: Option<String>,
    #[serde(default)]
    required: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum InputType {
    Text,
    Integer,
    Decimal,
    Date,
}

impl InputType {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Date => "date",
        }
    }

    /// Whether `text` is an end of the range of such an input.
    fn takes(self, text: &str) -> bool {
        let digits = |it: &str, most: usize| (1..=most).contains(&it.len()) && it.bytes().all(|it| it.is_ascii_digit());
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        match self {
            Self::Text => false,
            Self::Integer => digits(unsigned, 18),
            Self::Decimal => match unsigned.split_once('.') {
                Some((whole, part)) => digits(whole, 16) && digits(part, 2),
                None => digits(unsigned, 16),
            },
            Self::Date => {
                let parts: Vec<&str> = text.split('-').collect();
                let lengths: Vec<usize> = parts.iter().map(|it| it.len()).collect();
                let number = |it: usize| parts[it].parse::<u32>().unwrap_or_default();
                lengths == [4, 2, 2]
                    && parts.iter().all(|it| digits(it, 4))
                    && (1..=12).contains(&number(1))
                    && (1..=31).contains(&number(2))
            }
        }
    }
}

impl TryFrom<InputFields> for Input {
    type Error = String;

    fn try_from(it: InputFields) -> Result<Self, String> {
        let name = it.name.as_str();
        let kind = match it.r#type {
            InputType::Text if it.minimum.is_some() || it.maximum.is_some() => {
                return Err(format!(
                    "the input `{name}` is a text, which has no `minimum` or `maximum`; set `max_length`"
                ));
            }
            InputType::Text => Kind::Text(in_range("`max_length`", it.max_length.unwrap_or(500), 1..=2000)?),
            ty if it.max_length.is_some() => {
                let ty = ty.name();
                return Err(format!("the input `{name}` is of the type {ty}, which has no `max_length`; leave it out"));
            }
            ty => {
                for end in [&it.minimum, &it.maximum].into_iter().flatten() {
                    if !ty.takes(end) {
                        let ty = ty.name();
                        return Err(format!(
                            "`{end}` is no end of the range of `{name}`; allowed is a value of the type {ty}, as in -5, 0.25 or 2030-12-31"
                        ));
                    }
                }
                Kind::Ranged { ty: ty.name(), minimum: it.minimum, maximum: it.maximum }
            }
        };
        Ok(Self { name: it.name, label: it.label, kind, required: it.required })
    }
}

impl Input {
    /// The input as write-back-api reads it.
    pub(super) fn for_api(&self) -> Json {
        let mut json = json!({ "name": self.name.as_str(), "label": self.label.as_str() });
        match &self.kind {
            Kind::Text(length) => {
                json["type"] = "text".into();
                json["maxLength"] = (*length).into();
            }
            Kind::Ranged { ty, minimum, maximum } => {
                json["type"] = (*ty).into();
                for (key, end) in [("minimum", minimum), ("maximum", maximum)] {
                    if let Some(end) = end {
                        json[key] = end.as_str().into();
                    }
                }
            }
        }
        if self.required {
            json["required"] = true.into();
        }
        json
    }

    /// The input as redshift-setup reads it: what its column needs.
    pub(super) fn for_setup(&self) -> Json {
        match &self.kind {
            Kind::Text(length) => {
                json!({ "Name": self.name.as_str(), "Type": "text", "MaxLength": length.to_string() })
            }
            Kind::Ranged { ty, .. } => json!({ "Name": self.name.as_str(), "Type": ty }),
        }
    }
}

checked_text! {
    /// The name of an input: a column is made of it.
    pub InputName, |text: &str| {
        let starts = text.starts_with(|it: char| it.is_ascii_lowercase());
        // `t` is the field that carries the token.
        if text != "t" && starts && text.len() <= 60 && text.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_') {
            return Ok(());
        }
        Err(format!("`{text}` is no name of an input; allowed are at most 60 characters a-z, 0-9 and `_`, a letter first, and not `t`"))
    }
}

checked_text! {
    /// What stands beside an input.
    pub(super) Label, |text: &str| {
        if (1..=100).contains(&text.chars().count()) && !text.contains(char::is_control) {
            return Ok(());
        }
        Err(format!("`{text}` is no label; allowed are 1 to 100 characters"))
    }
}
