//! Buckets that a tenant file names, and places in them.

use crate::shared::fields::checked_text;

checked_text! {
    /// The name of a bucket.
    pub BucketName, |text: &str| {
        let is_plain = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || matches!(it, b'.' | b'-');
        if (3..=63).contains(&text.len()) && text.bytes().all(is_plain) {
            return Ok(());
        }
        Err(format!("`{text}` is not a valid bucket name; use 3 to 63 characters a-z, 0-9, `.` and `-`"))
    }
}

checked_text! {
    /// The start of a key, with a slash at its end.
    pub KeyPrefix, |text: &str| {
        let is_part = |it: &str| !it.is_empty() && !it.trim_matches('.').is_empty()
            && it.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b'.'));
        if text.len() <= 256 && text.strip_suffix('/').is_some_and(|it| it.split('/').all(is_part)) {
            return Ok(());
        }
        Err(format!("`{text}` is not a valid prefix; use folders of letters, digits, `-`, `_` and `.` with a slash after each, as in reports/daily/"))
    }
}
