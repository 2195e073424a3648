//! Removes everything that looks like a token from text that is not ours.

/// `text` with each token that starts with `eyJ` (a JWT) or follows `Bearer`, and each `secret`, replaced.
pub(crate) fn scrub(text: &str, secret: Option<&str>) -> String {
    let text = match secret {
        Some(secret) if !secret.is_empty() => text.replace(secret, REDACTED),
        _ => text.to_owned(),
    };
    let text = redact_after(&text, "bearer", true);
    redact_after(&text, "eyj", false)
}

/// An untrusted value for an error message: scrubbed, on one line, at most 64 characters.
pub(crate) fn shown(value: &str) -> String {
    let escaped: String = scrub(value, None).escape_debug().collect();
    match escaped.char_indices().nth(64) {
        Some((end, _)) => format!("{}…", &escaped[..end]),
        None => escaped,
    }
}

/// The first `limit` bytes of `text`, on one line, without cutting a character.
pub(crate) fn one_line(text: &str, limit: usize) -> String {
    let line: String = text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    let end = (0..=limit.min(line.len())).rev().find(|end| line.is_char_boundary(*end)).unwrap_or(0);
    line[..end].trim().to_owned()
}

const REDACTED: &str = "[redacted]";

/// Replaces the token at each `mark` (lower case); with `skip`, the mark is kept and the token after the blanks is replaced.
fn redact_after(text: &str, mark: &str, skip: bool) -> String {
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = lower[at..].find(mark) {
        let mark_start = at + found;
        let token_start =
            if skip { mark_start + mark.len() + blanks(&text[mark_start + mark.len()..]) } else { mark_start };
        let length =
            text[token_start..].find(|character: char| !is_token(character)).unwrap_or(text.len() - token_start);
        out.push_str(&text[at..token_start]);
        if length > 0 {
            out.push_str(REDACTED);
        }
        at = token_start + length;
    }
    out.push_str(&text[at..]);
    out
}

fn blanks(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t', ':', '=', '"', '%']).len()
}

/// The characters of a bearer token, RFC 6750 section 2.1.
pub(crate) fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~+/=".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_removed_wherever_they_occur() {
        for (text, expected) in [
            ("header Authorization: Bearer abc.def-1, refused", "header Authorization: Bearer [redacted], refused"),
            ("bad token eyJhbGciOi.J9.x_y", "bad token [redacted]"),
            ("BEARER  eyJx", "BEARER  [redacted]"),
            ("prefixeyJabc", "prefix[redacted]"),
            ("the key is k-1 and k-1", "the key is [redacted] and [redacted]"),
            ("nothing to hide", "nothing to hide"),
            ("bearer", "bearer"),
        ] {
            assert_eq!(scrub(text, Some("k-1")), expected);
        }
    }

    #[test]
    fn an_untrusted_value_is_short_and_on_one_line() {
        assert_eq!(shown("a\nb"), "a\\nb");
        assert_eq!(shown(&"x".repeat(70)), format!("{}…", "x".repeat(64)));
        assert_eq!(one_line("a\r\nbé", 5), "a  b");
    }
}
