//! Addresses and domains of mail.

use crate::shared::fields::checked_text;

checked_text! {
    /// An e-mail address.
    pub Address, |text: &str| {
        // Of the characters that mail allows, only those without a meaning in IAM and CloudFormation: the sender is part of an ARN.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'+' | b'-' | b'\'' | b'=');
        let fits = text.split_once('@').is_some_and(|(name, domain)| {
            !name.is_empty() && name.bytes().all(is_plain) && domain.contains('.') && domain.bytes().all(is_plain)
        });
        if fits && text.len() <= 254 {
            return Ok(());
        }
        Err(format!("`{text}` is not a valid e-mail address; use name@domain without a display name"))
    }
}

impl Address {
    /// The part after the `@`.
    pub(crate) fn domain(&self) -> &str {
        self.as_str().split_once('@').map_or("", |(_, domain)| domain)
    }
}

checked_text! {
    /// A domain of mail.
    pub Domain, |text: &str| {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
        if text.len() <= 253 && text.contains('.') && text.bytes().all(is_plain) {
            return Ok(());
        }
        Err(format!("`{text}` is not a valid domain; use one in lower case, as in acme.example"))
    }
}
