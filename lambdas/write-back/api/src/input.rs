//! The additional inputs of the form, which the tenant asks for in addition to the signed row.

use std::collections::BTreeMap;

use function::Invalid;
use serde::Deserialize;

/// One input as declared by the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Input {
    /// `[a-z][a-z0-9_]*`, at most 60 characters; the column is `input_<name>`.
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) kind: Kind,
    pub(crate) is_required: bool,
}

/// The type of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text of at most this many characters.
    Text { max_length: usize },
    /// Whole numbers of 64 bits.
    Integer { minimum: Option<i64>, maximum: Option<i64> },
    /// The numbers that `decimal(18,4)` can hold; bounds and values in ten-thousandths.
    Decimal { minimum: Option<i64>, maximum: Option<i64> },
    /// A day, `2024-05-01`.
    Date { minimum: Option<String>, maximum: Option<String> },
}

/// The values of a form as sent to the database, by name; empty inputs are missing.
pub(crate) type Values = BTreeMap<String, String>;

/// The problems of a form, by the input's name: a sentence for the user.
pub(crate) type Problems = BTreeMap<String, String>;

/// The most inputs of one form; even at their maximum lengths, half a megabyte, they fit into a request.
const MOST: usize = 20;

/// The largest body in bytes that a form with these inputs can send: everything that is accepted fits, in the longest spelling.
pub(crate) fn most_bytes(inputs: &[Input]) -> usize {
    // A token has at most 1,776 characters; the rest is for a form that somebody else wrote, which is answered with what is wrong.
    let least = 8 * 1024;
    let text = |input: &Input| match input.kind {
        // Each of the four bytes of a character as `%F0`; a line's end is sent as two characters and counts as one.
        Kind::Text { max_length } => input.name.len() + "&=".len() + max_length * 4 * "%F0".len(),
        Kind::Integer { .. } | Kind::Decimal { .. } | Kind::Date { .. } => 0,
    };
    least + inputs.iter().map(text).sum::<usize>()
}

impl Input {
    /// Reads the declaration, a JSON list.
    ///
    /// # Errors
    ///
    /// If it is not such a list or names an input twice.
    pub(crate) fn parse(json: &str) -> Result<Vec<Input>, Invalid> {
        let declared: Vec<Declared> =
            serde_json::from_str(json).map_err(|error| Invalid(format!("INPUTS: {error}")))?;
        if declared.len() > MOST {
            return Err(Invalid(format!("INPUTS has {} inputs; must be at most {MOST}", declared.len())));
        }
        let inputs = declared.into_iter().map(Declared::input).collect::<Result<Vec<_>, Invalid>>()?;
        for (index, input) in inputs.iter().enumerate() {
            if inputs[..index].iter().any(|other| other.name == input.name) {
                return Err(Invalid(format!("INPUTS names `{}` twice; give each input its own name", input.name)));
            }
        }
        Ok(inputs)
    }

    /// The value of one input as sent to the database, or `None` if it was left empty.
    fn read(&self, entered: &str) -> Result<Option<String>, String> {
        if entered.trim().is_empty() {
            return if self.is_required { Err("please fill in this field".into()) } else { Ok(None) };
        }
        match &self.kind {
            Kind::Text { max_length } => text(entered, *max_length),
            Kind::Integer { minimum, maximum } => {
                let value = integer(entered.trim()).ok_or("please enter a whole number, like 12")?;
                within(value, *minimum, *maximum, |bound| bound.to_string())?;
                Ok(value.to_string())
            }
            Kind::Decimal { minimum, maximum } => {
                let value = decimal(entered.trim())
                    .ok_or("please enter a number with at most 14 digits, a point and 4 decimals, like 12.5")?;
                within(value, *minimum, *maximum, written)?;
                Ok(written(value))
            }
            Kind::Date { minimum, maximum } => {
                let day = entered.trim();
                if !is_day(day) {
                    return Err("please enter a day, like 2024-05-01".into());
                }
                within(day, minimum.as_deref(), maximum.as_deref(), str::to_owned)?;
                Ok(day.to_owned())
            }
        }
        .map(Some)
    }
}

/// Reads the entered values, by the inputs' names.
///
/// # Errors
///
/// All problems, each in a sentence for the user.
pub(crate) fn read(inputs: &[Input], entered: &BTreeMap<String, String>) -> Result<Values, Problems> {
    let mut values = Values::new();
    let mut problems = Problems::new();
    for input in inputs {
        match input.read(entered.get(&input.name).map(String::as_str).unwrap_or_default()) {
            Ok(value) => values.extend(value.map(|value| (input.name.clone(), value))),
            Err(problem) => problems.extend([(input.name.clone(), problem)]),
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(problems) }
}

fn text(entered: &str, max_length: usize) -> Result<String, String> {
    // A browser sends line ends as CR LF and counts each as one character.
    let text = entered.replace("\r\n", "\n");
    let length = text.chars().count();
    if length > max_length {
        return Err(format!("please enter at most {max_length} characters; this has {length}"));
    }
    if text.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\t')) {
        return Err("please enter text without control characters".into());
    }
    Ok(text)
}

fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// Ten-thousandths.
fn decimal(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let decimals = if is_number(decimals) { decimals.trim_end_matches('0') } else { return None };
    if !is_number(whole) || whole.trim_start_matches('0').len() > 14 || decimals.len() > 4 {
        return None;
    }
    Some(sign * format!("{whole}{decimals:0<4}").parse::<i64>().ok()?)
}

/// The canonical spelling of ten-thousandths: `12.5`, `-3`, `0`.
pub(crate) fn written(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let (whole, decimals) = (value.unsigned_abs() / 10_000, format!("{:04}", value.unsigned_abs() % 10_000));
    match decimals.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        decimals => format!("{sign}{whole}.{decimals}"),
    }
}

/// Whether `text` is a day of the Gregorian calendar, years 1 to 9999.
fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let number = |digits: &str, length: usize| {
        let is_number = digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse::<u32>().ok()).flatten()
    };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2)) else {
        return false;
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    };
    year > 0 && (1..=days).contains(&day)
}

fn within<T: PartialOrd + Copy>(
    value: T,
    minimum: Option<T>,
    maximum: Option<T>,
    written: impl Fn(T) -> String,
) -> Result<(), String> {
    let is_within = minimum.is_none_or(|minimum| minimum <= value) && maximum.is_none_or(|maximum| value <= maximum);
    match (minimum, maximum) {
        _ if is_within => Ok(()),
        (Some(minimum), Some(maximum)) => {
            Err(format!("please enter at least {} and at most {}", written(minimum), written(maximum)))
        }
        (Some(minimum), None) => Err(format!("please enter at least {}", written(minimum))),
        (_, maximum) => Err(format!("please enter at most {}", maximum.map(written).unwrap_or_default())),
    }
}

/// The JSON form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Declared {
    name: String,
    label: String,
    #[serde(rename = "type")]
    kind: DeclaredKind,
    max_length: Option<usize>,
    minimum: Option<String>,
    maximum: Option<String>,
    #[serde(default)]
    required: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum DeclaredKind {
    Text,
    Integer,
    Decimal,
    Date,
}

impl Declared {
    fn input(self) -> Result<Input, Invalid> {
        let name = &self.name;
        let is_name = (1..=60).contains(&name.len())
            && name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !is_name || name == "t" {
            return Err(Invalid(format!(
                "INPUTS: the name `{name}` must be 1 to 60 letters a-z, digits and `_`, starting with a letter; `t` is reserved"
            )));
        }
        if self.label.is_empty() || self.label.chars().count() > 100 {
            return Err(Invalid(format!("INPUTS: the label of `{name}` is not 1 to 100 characters")));
        }
        let misplaced = |what: &str| Invalid(format!("INPUTS: `{name}` has {what}, which its type does not support"));
        let bound = |bound: &Option<String>, read: fn(&str) -> Option<i64>| {
            let unreadable =
                |bound: &String| Invalid(format!("INPUTS: the bound `{bound}` of `{name}` does not match its type"));
            bound.as_ref().map(|bound| read(bound).ok_or_else(|| unreadable(bound))).transpose()
        };
        let (minimum, maximum) = (&self.minimum, &self.maximum);
        let kind = match self.kind {
            DeclaredKind::Text if minimum.is_some() || maximum.is_some() => return Err(misplaced("bounds")),
            DeclaredKind::Text => match self.max_length.unwrap_or(500) {
                max_length @ 1..=2000 => Kind::Text { max_length },
                other => {
                    return Err(Invalid(format!("INPUTS: maxLength of `{name}` is {other}; must be 1 to 2000")));
                }
            },
            _ if self.max_length.is_some() => return Err(misplaced("maxLength")),
            DeclaredKind::Integer => {
                Kind::Integer { minimum: bound(minimum, integer)?, maximum: bound(maximum, integer)? }
            }
            DeclaredKind::Decimal => {
                Kind::Decimal { minimum: bound(minimum, decimal)?, maximum: bound(maximum, decimal)? }
            }
            DeclaredKind::Date => match [minimum, maximum].into_iter().flatten().find(|day| !is_day(day)) {
                Some(day) => {
                    return Err(Invalid(format!("INPUTS: the bound `{day}` of `{name}` does not match its type")));
                }
                None => Kind::Date { minimum: minimum.clone(), maximum: maximum.clone() },
            },
        };
        Ok(Input { name: self.name, label: self.label, kind, is_required: self.required })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(declaration: &str, entered: &str) -> Result<Option<String>, String> {
        let inputs = Input::parse(&format!(r#"[{{"name":"x","label":"X",{declaration}}}]"#)).unwrap();
        inputs[0].read(entered)
    }

    #[test]
    fn a_value_of_its_type_and_range_gets_its_canonical_spelling() {
        for (declaration, entered, expected) in [
            (r#""type":"text""#, "a\r\nb", Some("a\nb")),
            (r#""type":"text""#, "   ", None),
            (r#""type":"text","maxLength":2"#, "äö", Some("äö")),
            (r#""type":"integer","minimum":"-5","maximum":"5""#, " -5 ", Some("-5")),
            (r#""type":"integer""#, "007", Some("7")),
            (r#""type":"decimal","minimum":"0","maximum":"30""#, "30.0", Some("30")),
            (r#""type":"decimal""#, "-0012.3450", Some("-12.345")),
            (r#""type":"decimal""#, "-0", Some("0")),
            (r#""type":"date","minimum":"2024-01-01""#, "2024-02-29", Some("2024-02-29")),
        ] {
            assert_eq!(reads(declaration, entered), Ok(expected.map(str::to_owned)), "{declaration} {entered}");
        }
    }

    #[test]
    fn any_other_value_is_refused_with_the_allowed_values() {
        for (declaration, entered, expected) in [
            (r#""type":"text","required":true"#, " ", "fill in this field"),
            (r#""type":"text","maxLength":2"#, "abc", "at most 2 characters"),
            (r#""type":"text""#, "a\0b", "control characters"),
            (r#""type":"integer""#, "1.5", "whole number"),
            (r#""type":"integer""#, "+1", "whole number"),
            (r#""type":"integer""#, "9223372036854775808", "whole number"),
            (r#""type":"integer","minimum":"1""#, "0", "at least 1"),
            (r#""type":"decimal","minimum":"0","maximum":"30.5""#, "30.51", "at least 0 and at most 30.5"),
            (r#""type":"decimal","maximum":"30""#, "31", "at most 30"),
            (r#""type":"decimal""#, "12,5", "please enter a number"),
            (r#""type":"decimal""#, "1e5", "please enter a number"),
            (r#""type":"decimal""#, "NaN", "please enter a number"),
            (r#""type":"decimal""#, "1.23456", "please enter a number"),
            (r#""type":"decimal""#, "123456789012345", "please enter a number"),
            (r#""type":"date""#, "2023-02-29", "please enter a day"),
            (r#""type":"date""#, "01.05.2024", "please enter a day"),
            (r#""type":"date","maximum":"2024-01-01""#, "2024-01-02", "at most 2024-01-01"),
        ] {
            let problem = reads(declaration, entered).unwrap_err();
            assert!(problem.contains(expected), "{problem}");
        }
    }

    #[test]
    fn an_invalid_declaration_is_refused_in_a_sentence_that_names_the_variable() {
        for declaration in [
            r#"[{"name":"X","label":"X","type":"text"}]"#,
            r#"[{"name":"t","label":"X","type":"text"}]"#,
            r#"[{"name":"x\"; drop","label":"X","type":"text"}]"#,
            r#"[{"name":"x","label":"","type":"text"}]"#,
            r#"[{"name":"x","label":"X","type":"money"}]"#,
            r#"[{"name":"x","label":"X","type":"text","minimum":"1"}]"#,
            r#"[{"name":"x","label":"X","type":"text","maxLength":2001}]"#,
            r#"[{"name":"x","label":"X","type":"date","maxLength":3}]"#,
            r#"[{"name":"x","label":"X","type":"date","minimum":"2023-02-30"}]"#,
            r#"[{"name":"x","label":"X","type":"integer","minimum":"a"}]"#,
            r#"[{"name":"x","label":"X","type":"text"},{"name":"x","label":"X","type":"text"}]"#,
            r#"[{"name":"x","label":"X","type":"text","extra":1}]"#,
            "{}",
        ] {
            let error = Input::parse(declaration).unwrap_err();
            assert!(error.0.starts_with("INPUTS"), "{error}");
        }
    }
}
