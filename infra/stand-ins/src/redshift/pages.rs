//! Tokens for the next page of a list or a result.

/// Opaque to callers, and valid only for what it was given for.
pub(super) fn page_token(of: &str, skipped: usize) -> String {
    let text = format!("{of}/{skipped}");
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// How many entries a token skips; `None` if it was not given for this.
pub(super) fn page_of(token: &str, of: &str) -> Option<usize> {
    let bytes: Option<Vec<u8>> =
        token.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    let text = String::from_utf8(bytes?).ok()?;
    let (whose, skipped) = text.rsplit_once('/')?;
    (whose == of).then(|| skipped.parse().ok()).flatten()
}
