//! The only way a name becomes part of SQL.

use std::fmt;

/// A name that Redshift does not accept as an identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidIdentifier(String);

impl fmt::Display for InvalidIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidIdentifier {}

/// The longest identifier in bytes: <https://docs.aws.amazon.com/redshift/latest/dg/r_names.html>.
const LONGEST: usize = 127;

/// Quotes the name of a schema, table, column, function, user, group or role: `quote"s` becomes `"quote""s"`.
///
/// What becomes of capitals depends on what is named:
///
/// - Schemas, tables, columns and functions are folded to lower case, quoted or not, unless `enable_case_sensitive_identifier` is on. To
///   find one in the catalogue, compare in lower case.
/// - A quoted user keeps its capitals, whatever that setting is. To find one, compare as written: `IAMR:` users are named after roles,
///   and the names of roles that CloudFormation creates have capitals.
///
/// <https://docs.aws.amazon.com/redshift/latest/dg/r_enable_case_sensitive_identifier.html>
///
/// A dot is part of the name; quote the parts of a qualified name one by one. Never use it for values: those are parameters.
///
/// # Errors
///
/// If the name is empty, is longer than 127 bytes, or contains a control character.
pub fn identifier(name: &str) -> Result<String, InvalidIdentifier> {
    let problem = match name {
        "" => "is empty".to_owned(),
        _ if name.len() > LONGEST => format!("has {} bytes", name.len()),
        _ if name.chars().any(char::is_control) => "contains a control character".to_owned(),
        _ => return Ok(format!("\"{}\"", name.replace('"', "\"\""))),
    };
    Err(InvalidIdentifier(format!(
        "the name {name:?} {problem}; must be 1 to {LONGEST} bytes without control characters"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_quoted_whole_whatever_it_contains() {
        for (name, quoted) in [
            ("sales", r#""sales""#),
            ("Sales 2024", r#""Sales 2024""#),
            (r#"a"b"#, r#""a""b""#),
            (r#"x"; drop table y; --"#, r#""x""; drop table y; --""#),
            (r"back\slash", r#""back\slash""#),
            ("IAMR:writer-role", r#""IAMR:writer-role""#),
            ("naïve", r#""naïve""#),
        ] {
            assert_eq!(identifier(name).as_deref(), Ok(quoted));
        }
    }

    #[test]
    fn a_name_that_redshift_rejects_is_refused_with_a_reason() {
        for (name, problem) in
            [("", "is empty"), ("a\0b", "control"), ("a\nb", "control"), (&"é".repeat(64), "has 128 bytes")]
        {
            let message = identifier(name).unwrap_err().to_string();
            assert!(message.contains(problem) && message.contains("1 to 127 bytes"), "{message}");
        }
        assert!(identifier(&"x".repeat(127)).is_ok());
    }
}
