//! Translates patterns of JSON Schema for regex-lite, which runs them in microseconds.

use regex_lite::RegexBuilder;

/// A translated pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// It can be checked.
    Checked(String),
    /// Every string matches it.
    AllowsAll,
    /// It is not checked, because regex-lite has no look-around, no Unicode classes and no set operations on classes.
    Unsupported,
}

/// Repetitions with a larger count become unlimited: they are slow, and lengths are limited anyway.
const MOST_COUNTED: u32 = 256;
/// The most bytes of a compiled pattern.
const MOST_BYTES: usize = 512 * 1024;

/// Translates a JSON Schema pattern for regex-lite, or says why it cannot be checked.
///
/// The result never rejects what the original allows.
pub fn portable(pattern: &str) -> Pattern {
    let pattern = loosened(pattern);
    let Ok(regex) = RegexBuilder::new(&pattern).size_limit(MOST_BYTES).build() else { return Pattern::Unsupported };
    let odd = ["", "\n", " ", "\u{0}~\r\n\u{e9}", "\u{20ac}\u{1f600} ", "$%"];
    if odd.iter().all(|text| regex.is_match(text)) { Pattern::AllowsAll } else { Pattern::Checked(pattern) }
}

/// Replaces `{0,1000}` by `*` and `{1,1000}` by `+`, and spells `\Z` and `[\w-.]` as regex-lite does.
fn loosened(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(at) = rest.find(['\\', '[', '{']) {
        let (before, from) = rest.split_at(at);
        out += before;
        let (taken, text) = match from.as_bytes()[0] {
            b'\\' if from.starts_with(r"\Z") => (2, r"\z".to_owned()),
            b'\\' => start(from, from.chars().take(2).map(char::len_utf8).sum()),
            b'[' => {
                let length = class(from);
                let escaped = [r"\w-", r"\d-", r"\s-"]
                    .iter()
                    .fold(from[..length].to_owned(), |text, range| text.replace(range, &range.replace('-', r"\-")));
                (length, escaped)
            }
            _ => match repetition(from) {
                Some((length, least)) => (length, if least == 0 { "*" } else { "+" }.to_owned()),
                None => start(from, 1),
            },
        };
        out += &text;
        rest = &from[taken..];
    }
    out + rest
}

fn start(text: &str, length: usize) -> (usize, String) {
    (length, text[..length].to_owned())
}

/// The length of the character class that `text` starts with.
fn class(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ']' if at > 1 => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length and the lower bound of the repetition that `text` starts with, if its count is too large.
fn repetition(text: &str) -> Option<(usize, u32)> {
    let end = text.find('}')?;
    let (least, most) = match text[1..end].split_once(',') {
        Some((least, most)) => (least.parse().ok()?, if most.is_empty() { None } else { Some(most.parse().ok()?) }),
        None => text[1..end].parse().map(|count| (count, Some(count))).ok()?,
    };
    (most.unwrap_or(least) > MOST_COUNTED).then_some((end + 1, least))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_counts_are_loosened_and_other_spellings_translated() {
        for (pattern, expected) in [
            ("^[a-z]{1,64}$", "^[a-z]{1,64}$"),
            ("^[a-z]{1,2048}$", "^[a-z]+$"),
            (r"^[\]{}]{0,1000}\{1,999}$", r"^[\]{}]*\{1,999}$"),
            ("^x{300}$", "^x+$"),
            (r"^[\w-.]+\Z", r"^[\w\-.]+\z"),
        ] {
            assert_eq!(portable(pattern), Pattern::Checked(expected.to_owned()), "{pattern}");
        }
    }

    #[test]
    fn unsupported_patterns_and_patterns_that_allow_everything_are_distinguished() {
        assert_eq!(portable(r"^[a-z]*(?<!\.)$"), Pattern::Unsupported);
        assert_eq!(portable(r"^\p{L}+$"), Pattern::Unsupported);
        assert_eq!(portable(r"[\s\S]*"), Pattern::AllowsAll);
        assert_eq!(portable("^(arn:.*)|()$"), Pattern::AllowsAll);
    }
}
