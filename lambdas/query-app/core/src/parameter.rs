//! A query's parameters: their declarations in a file, and the check of values against them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One parameter of a query, as its file declares it and as clients receive it.
///
/// Values are bound as text and cast in SQL: `cast(:day as date)`, `to_date(:month, 'YYYY-MM')`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Parameter {
    /// The name in SQL, after a colon: a lower-case letter followed by up to 39 lower-case letters, digits and `_`.
    pub name: String,
    /// The label for people, at most 100 characters.
    pub label: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Whether a request must set it. An optional parameter has a default.
    #[serde(default = "yes")]
    pub required: bool,
    /// The initial value in a form, and the value of an optional parameter that is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// The minimum, for numbers, dates and months.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<String>,
    /// The maximum, for numbers, dates and months.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<String>,
    /// The longest text in characters, 1 to 1,000; default 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<usize>,
    /// The options of a choice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

/// A parameter's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A whole number of 64 bits.
    Integer,
    /// Up to 18 digits, and 9 after the point.
    Decimal,
    /// `2015-01-31`
    Date,
    /// `2015-01`
    Month,
    /// Characters other than control characters, at least one.
    Text,
    /// One of several texts.
    Choice,
}

/// The default for the longest text.
const LENGTH: usize = 200;

const MOST_LENGTH: usize = 1000;

impl Parameter {
    /// # Errors
    ///
    /// If the declaration contradicts itself.
    pub(crate) fn check(&self) -> Result<(), String> {
        let name = &self.name;
        let problem = |what: &str| Err(format!("parameter `{name}` {what}"));
        let is_letter = |character: char| character.is_ascii_lowercase();
        let fits = name.starts_with(is_letter)
            && name.chars().all(|character| is_letter(character) || character.is_ascii_digit() || character == '_');
        if !fits || name.len() > 40 {
            return problem("must have a name of a lower-case letter and up to 39 lower-case letters, digits and `_`");
        }
        if self.label.is_empty() || self.label.chars().count() > 100 {
            return problem("must have a label of 1 to 100 characters");
        }
        let is_ordered = !matches!(self.kind, Kind::Text | Kind::Choice);
        let bounds = [&self.minimum, &self.maximum];
        if bounds.iter().any(|bound| bound.is_some()) && !is_ordered {
            return problem("has a minimum or maximum, which text and choices do not support");
        }
        if bounds.iter().copied().flatten().any(|bound| order(self.kind, bound).is_none()) {
            return problem("has a minimum or maximum that does not match its type");
        }
        if let [Some(least), Some(most)] = bounds
            && order(self.kind, least) > order(self.kind, most)
        {
            return problem("has a minimum above its maximum");
        }
        let is_length = |length: usize| self.kind == Kind::Text && (1..=MOST_LENGTH).contains(&length);
        if !self.max_length.is_none_or(is_length) {
            return problem("has an invalid `maxLength`; must be 1 to 1000, and only for text");
        }
        if (self.kind == Kind::Choice) == self.options.is_empty() || self.options.iter().any(String::is_empty) {
            return problem("has invalid options; a choice must have options that are not empty, and other types none");
        }
        match &self.default {
            None if !self.required => problem("is not required and has no default"),
            Some(default) if !self.allows(default) => problem("has a default that it does not allow"),
            _ => Ok(()),
        }
    }

    /// The text to bind for `given`.
    ///
    /// # Errors
    ///
    /// If it is missing or not allowed, in a sentence for the user.
    pub(crate) fn read(&self, given: Option<&Value>) -> Result<String, String> {
        let name = &self.name;
        let text = match given {
            None if self.required => {
                return Err(format!("parameter `{name}` is missing; must be {}", self.allowed()));
            }
            None => self.default.clone(),
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(_) => None,
        };
        match text {
            Some(text) if self.allows(&text) => Ok(text),
            Some(text) => {
                let shown: String = text.chars().take(40).collect();
                Err(format!("parameter `{name}` is {shown:?}; must be {}", self.allowed()))
            }
            None => Err(format!("parameter `{name}` is neither text nor a number; must be {}", self.allowed())),
        }
    }

    fn allows(&self, text: &str) -> bool {
        match self.kind {
            Kind::Choice => self.options.iter().any(|option| option == text),
            Kind::Text => {
                let most = self.max_length.unwrap_or(LENGTH);
                (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control)
            }
            kind => order(kind, text).is_some_and(|place| {
                let bound = |bound: &Option<String>| bound.as_deref().and_then(|bound| order(kind, bound));
                bound(&self.minimum).is_none_or(|least| least <= place)
                    && bound(&self.maximum).is_none_or(|most| place <= most)
            }),
        }
    }

    fn allowed(&self) -> String {
        let what = match self.kind {
            Kind::Integer => "a whole number",
            Kind::Decimal => "a number such as 1.5",
            Kind::Date => "a day as YYYY-MM-DD",
            Kind::Month => "a month as YYYY-MM",
            Kind::Text => {
                return format!("text of 1 to {} characters on one line", self.max_length.unwrap_or(LENGTH));
            }
            Kind::Choice => return format!("one of {}", self.options.join(", ")),
        };
        match (&self.minimum, &self.maximum) {
            (Some(least), Some(most)) => format!("{what}, from {least} to {most}"),
            (Some(least), None) => format!("{what}, at least {least}"),
            (None, Some(most)) => format!("{what}, at most {most}"),
            (None, None) => what.to_owned(),
        }
    }
}

/// The order of a value among all values of its type; `None` if it does not have the type.
fn order(kind: Kind, text: &str) -> Option<i128> {
    let digits = |text: &str, most: usize| {
        let fits = (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| text.parse::<i128>().ok()).flatten()
    };
    let (sign, unsigned) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    match kind {
        Kind::Integer => digits(unsigned, 19).map(|value| sign * value).filter(|value| i64::try_from(*value).is_ok()),
        Kind::Decimal => {
            let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
            digits(fraction, 9)?;
            let scaled = format!("{fraction:0<9}").parse::<i128>().ok()?;
            digits(whole, 18).map(|whole| sign * (whole * 1_000_000_000 + scaled))
        }
        Kind::Month | Kind::Date => {
            let parts: Vec<&str> = text.split('-').collect();
            let lengths: &[usize] = if kind == Kind::Month { &[4, 2] } else { &[4, 2, 2] };
            if !parts.iter().map(|part| part.len()).eq(lengths.iter().copied()) {
                return None;
            }
            let year = digits(parts[0], 4)?;
            let month = digits(parts[1], 2)?;
            let day = parts.get(2).map_or(Some(1), |day| digits(day, 2))?;
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let days = match month {
                4 | 6 | 9 | 11 => 30,
                2 if is_leap => 29,
                2 => 28,
                _ => 31,
            };
            let is_there = year > 0 && (1..=12).contains(&month) && (1..=days).contains(&day);
            is_there.then_some((year * 100 + month) * 100 + day)
        }
        Kind::Text | Kind::Choice => None,
    }
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    fn parameter(mut declared: Value) -> Parameter {
        declared["name"] = json!("p");
        declared["label"] = json!("P");
        from_value(declared).unwrap()
    }

    #[test]
    fn values_are_accepted_or_refused_by_type_and_range() {
        let integer = json!({"type": "integer", "minimum": "-5", "maximum": "10"});
        let decimal = json!({"type": "decimal", "minimum": "0.05", "maximum": "30"});
        let date = json!({"type": "date", "minimum": "2015-01-01"});
        let month = json!({"type": "month", "minimum": "2015-01", "maximum": "2015-12"});
        let text = json!({"type": "text", "maxLength": 3});
        let choice = json!({"type": "choice", "options": ["a", "b"]});
        for (declared, good, bad) in [
            (
                integer,
                vec![json!(3), json!("-5"), json!("10")],
                vec![json!(1.5), json!("11"), json!(""), json!("+1"), json!(true)],
            ),
            (
                decimal,
                vec![json!("0.05"), json!(1.5), json!("30.000")],
                vec![json!("0.049"), json!("1e1"), json!("30.000000001"), json!(".5"), json!("1.")],
            ),
            (
                date,
                vec![json!("2016-02-29")],
                vec![json!("2015-02-29"), json!("2014-12-31"), json!("2015-1-1"), json!(20150101)],
            ),
            (
                month,
                vec![json!("2015-01"), json!("2015-12")],
                vec![
                    json!("2015-13"),
                    json!("x'); drop table t; --"),
                    json!("1; drop table"),
                    json!(0),
                    json!(13),
                    json!(1.5),
                    Value::Null,
                ],
            ),
            (text, vec![json!("éé"), json!("';-")], vec![json!("four"), json!(""), json!("a\n")]),
            (choice, vec![json!("a")], vec![json!("c"), json!("A")]),
        ] {
            let parameter = parameter(declared);
            assert_eq!(parameter.check(), Ok(()));
            for value in good {
                assert!(parameter.read(Some(&value)).is_ok(), "{value} for {parameter:?}");
            }
            for value in bad {
                let message = parameter.read(Some(&value)).expect_err(&value.to_string());
                assert!(message.contains("parameter `p`") && message.contains("must be"), "{message}");
            }
            assert!(parameter.read(None).unwrap_err().contains("is missing"));
        }
    }

    #[test]
    fn an_optional_parameter_falls_back_to_its_default() {
        let parameter = parameter(json!({"type": "integer", "required": false, "default": "7"}));
        assert_eq!(parameter.read(None).as_deref(), Ok("7"));
    }

    #[test]
    fn a_declaration_that_contradicts_itself_is_refused() {
        for (declared, problem) in [
            (json!({"type": "integer", "minimum": "5", "maximum": "1"}), "above"),
            (json!({"type": "integer", "minimum": "a"}), "does not match its type"),
            (json!({"type": "integer", "required": false}), "no default"),
            (json!({"type": "integer", "maximum": "3", "default": "4"}), "does not allow"),
            (json!({"type": "text", "minimum": "3"}), "minimum or maximum"),
            (json!({"type": "text", "maxLength": 0}), "maxLength"),
            (json!({"type": "date", "options": ["a"]}), "options"),
            (json!({"type": "choice"}), "options"),
        ] {
            let message = parameter(declared).check().unwrap_err();
            assert!(message.contains(problem), "{message}");
        }
    }
}
