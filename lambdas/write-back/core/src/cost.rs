//! An amount of money as stored in the database.

use std::fmt;
use std::str::FromStr;

/// A cost in its canonical spelling: `0.00` to `9999999999999999.99`, always with two decimals; the non-negative range of
/// `decimal(18,2)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost(String);

/// The text is not a cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidCost;

/// Digits before the point that `decimal(18,2)` has room for.
const INTEGER_DIGITS: usize = 16;

impl Cost {
    /// The digits, `1234.50`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Appends the canonical spelling of `text` to `out`.
///
/// Accepts digits with or without a point and decimals. Redundant zeros are dropped. Signs, exponents,
/// separators, spaces and a nonzero third decimal are rejected: the database would round it, and the signature would
/// then be for a different number than the stored one.
pub(crate) fn write(text: &str, out: &mut Vec<u8>) -> Result<(), InvalidCost> {
    let (integer, decimals) = match text.split_once('.') {
        Some((_, "")) => return Err(InvalidCost),
        Some((integer, decimals)) => (integer, decimals),
        None => (text, ""),
    };
    let is_number = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    if integer.is_empty() || !is_number(integer) || !is_number(decimals) {
        return Err(InvalidCost);
    }
    let integer = integer.trim_start_matches('0');
    let decimals = decimals.trim_end_matches('0').as_bytes();
    if integer.len() > INTEGER_DIGITS || decimals.len() > 2 {
        return Err(InvalidCost);
    }
    out.extend_from_slice(if integer.is_empty() { b"0" } else { integer.as_bytes() });
    out.push(b'.');
    out.push(decimals.first().copied().unwrap_or(b'0'));
    out.push(decimals.get(1).copied().unwrap_or(b'0'));
    Ok(())
}

impl FromStr for Cost {
    type Err = InvalidCost;

    /// Reads [`Cost`]'s own spelling and those that a database writes for the same number: `12`, `12.5`, `012.500`.
    fn from_str(text: &str) -> Result<Cost, InvalidCost> {
        let mut digits = Vec::new();
        write(text, &mut digits)?;
        Ok(Cost(String::from_utf8(digits).expect("only ASCII digits and a point were written")))
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for InvalidCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a number from 0.00 to 9999999999999999.99 with at most two decimals")
    }
}

impl std::error::Error for InvalidCost {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_has_one_spelling() {
        for (text, expected) in [
            ("100", "100.00"),
            ("100.0", "100.00"),
            ("100.5000", "100.50"),
            ("0", "0.00"),
            ("000.01", "0.01"),
            ("9999999999999999.99", "9999999999999999.99"),
            ("0000000000000000000000001", "1.00"),
        ] {
            let cost: Cost = text.parse().unwrap();
            assert_eq!((cost.as_str(), cost.to_string().as_str()), (expected, expected));
        }
    }

    #[test]
    fn a_text_that_a_database_would_read_differently_is_refused() {
        for text in [
            "",
            ".",
            ".5",
            "5.",
            "-0",
            "-1",
            "+1",
            "1e400",
            "1e3",
            "NaN",
            "inf",
            "12,5",
            "1.2.3",
            " 1",
            "1 ",
            "0x1",
            "1.005",
            "10000000000000000",
            "\u{661}",
            "1_000",
            "1\0",
        ] {
            assert_eq!(text.parse::<Cost>(), Err(InvalidCost), "{text:?}");
        }
        let message = "not a number from 0.00 to 9999999999999999.99 with at most two decimals";
        assert_eq!(InvalidCost.to_string(), message);
    }
}
