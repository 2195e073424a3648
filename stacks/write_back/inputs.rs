//! Further inputs of the form.

use cfn::Json;
use serde::Deserialize;
use serde_json::json;

use crate::shared::fields::{checked_text, given, in_range};

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
    /// Text of at most this many characters.
    Text(u32),
    /// A number or a date in a range.
    Ranged { ty: &'static str, minimum: Option<String>, maximum: Option<String> },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InputFields {
    name: InputName,
    label: Label,
    r#type: InputType,
    #[serde(default, deserialize_with = "given")]
    max_length: Option<u32>,
    #[serde(default, deserialize_with = "given")]
    minimum: Option<String>,
    #[serde(default, deserialize_with = "given")]
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

    /// The position of `text` in the order of such values; `None` if it is not a value of this type.
    fn rank(self, text: &str) -> Option<i64> {
        let digits = |digits: &str, most: usize| {
            (1..=most).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        let (sign, unsigned) = text.strip_prefix('-').map_or((1, text), |unsigned| (-1, unsigned));
        match self {
            Self::Text => None,
            Self::Integer if digits(unsigned, 18) => Some(sign * unsigned.parse::<i64>().ok()?),
            Self::Integer => None,
            Self::Decimal => {
                let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
                let fits = digits(whole, 14) && digits(part, 4);
                fits.then(|| Some(sign * format!("{whole}{part:0<4}").parse::<i64>().ok()?))?
            }
            Self::Date => {
                let parts: Vec<&str> = text.split('-').collect();
                let [year, month, day] = parts[..] else { return None };
                let fits = year.len() == 4 && month.len() == 2 && day.len() == 2 && digits(year, 4);
                let (year, month, day): (i64, i64, i64) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
                let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
                let days = match month {
                    2 => 28 + i64::from(is_leap),
                    4 | 6 | 9 | 11 => 30,
                    _ => 31,
                };
                (fits && (1..=12).contains(&month) && (1..=days).contains(&day))
                    .then_some((year * 12 + month) * 31 + day)
            }
        }
    }
}

impl TryFrom<InputFields> for Input {
    type Error = String;

    fn try_from(fields: InputFields) -> Result<Self, String> {
        let name = fields.name.as_str();
        let kind = match fields.r#type {
            InputType::Text if fields.minimum.is_some() || fields.maximum.is_some() => {
                return Err(format!(
                    "the input `{name}` is of the type text, which has no `minimum` or `maximum`; set `max_length`"
                ));
            }
            InputType::Text => Kind::Text(in_range("`max_length`", fields.max_length.unwrap_or(500), 1..=2000)?),
            ty if fields.max_length.is_some() => {
                let ty = ty.name();
                return Err(format!("the input `{name}` is of the type {ty}, which has no `max_length`; remove it"));
            }
            ty => {
                let rank = |end: &Option<String>| {
                    match end {
                    Some(end) => ty.rank(end).map(Some).ok_or_else(|| {
                        let ty = ty.name();
                        format!("`{end}` is not a valid end of the range of `{name}`; must be a value of the type {ty}, as in -5, 0.25 or 2030-12-31")
                    }),
                    None => Ok(None),
                }
                };
                if let (Some(minimum), Some(maximum)) = (rank(&fields.minimum)?, rank(&fields.maximum)?)
                    && minimum > maximum
                {
                    return Err(format!(
                        "the range of the input `{name}` is empty: its `minimum` is greater than its `maximum`"
                    ));
                }
                Kind::Ranged { ty: ty.name(), minimum: fields.minimum, maximum: fields.maximum }
            }
        };
        Ok(Self { name: fields.name, label: fields.label, kind, required: fields.required })
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

    /// The input as the set-up reads it: what its column needs.
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
    /// The name of an input, which is part of a column's name.
    pub InputName, |text: &str| {
        let starts = text.starts_with(|c: char| c.is_ascii_lowercase());
        // `t` is the field that carries the token.
        if text != "t" && starts && text.len() <= 60 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') {
            return Ok(());
        }
        Err(format!("`{text}` is not a valid name of an input; use at most 60 characters a-z, 0-9 and `_`, starting with a letter, but not `t`"))
    }
}

checked_text! {
    /// The text next to an input.
    pub(super) Label, |text: &str| {
        if (1..=100).contains(&text.chars().count()) && !text.contains(char::is_control) {
            return Ok(());
        }
        Err(format!("`{text}` is not a valid label; use 1 to 100 characters"))
    }
}
