//! Patterns of JSON Schema as regex-lite can run them, in microseconds.

use regex_lite::RegexBuilder;

/// A pattern after the dialects were told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// It can be checked.
    Checked(String),
    /// Every string matches it.
    AllowsAll,
    /// regex-lite has no look-around, no Unicode classes and no class set operations; such a pattern is not checked.
    Unsupported,
}

/// Counted repetitions beyond this many become uncounted: they make a matcher slow, and lengths are limited anyway.
const MOST_COUNTED: u32 = 256;
/// Bytes that a compiled pattern may take.
const MOST_BYTES: usize = 512 * 1024;

/// Turns a JSON Schema pattern into one that regex-lite runs, or says why not.
///
/// The result never refuses what the original allows.
pub fn portable(pattern: &str) -> Pattern {
    let pattern = loosened(pattern);
    let Ok(regex) = RegexBuilder::new(&pattern).size_limit(MOST_BYTES).build() else { return Pattern::Unsupported };
    let odd = ["", "\n", " ", "\u{0}~\r\n\u{e9}", "\u{20ac}\u{1f600} ", "$%"];
    if odd.iter().all(|it| regex.is_match(it)) { Pattern::AllowsAll } else { Pattern::Checked(pattern) }
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
                    .fold(from[..length].to_owned(), |text, it| text.replace(it, &it.replace('-', r"\-")));
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
    for (at, it) in text.char_indices().skip(1) {
        match it {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ']' if at > 1 => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length and the lower bound of the repetition that `text` starts with, if it counts too far.
fn repetition(text: &str) -> Option<(usize, u32)> {
    let end = text.find('}')?;
    let (least, most) = match text[1..end].split_once(',') {
        Some((least, most)) => (least.parse().ok()?, if most.is_empty() { None } else { Some(most.parse().ok()?) }),
        None => text[1..end].parse().map(|it| (it, Some(it))).ok()?,
    };
    (most.unwrap_or(least) > MOST_COUNTED).then_some((end + 1, least))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_counts_are_loosened_and_foreign_spellings_translated() {
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
    fn what_cannot_run_or_says_nothing_is_told_apart() {
        assert_eq!(portable(r"^[a-z]*(?<!\.)$"), Pattern::Unsupported);
        assert_eq!(portable(r"^\p{L}+$"), Pattern::Unsupported);
        assert_eq!(portable(r"[\s\S]*"), Pattern::AllowsAll);
        assert_eq!(portable("^(arn:.*)|()$"), Pattern::AllowsAll);
    }
}
