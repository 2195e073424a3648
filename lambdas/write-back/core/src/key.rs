//! One signing key.

use std::fmt;

use blake2::Blake2bMac;
use blake2::digest::consts::U32;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::PERSONALIZATION;

/// A key and its ID. It has no `Debug` and no `Display`, cannot be cloned, and is wiped when dropped.
pub struct Key {
    kid: String,
    bytes: Zeroizing<Vec<u8>>,
}

/// Why a secret's value is not a key; reveals nothing of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidKey(&'static str);

/// The longest key ID.
pub(crate) const KID_BYTES: usize = 64;

impl Key {
    /// Reads a secret's value, `{"kid":"…","key":"…"}`: an ID of 1 to 64 letters, digits, `-` and `_`, and a key of 16 to 64
    /// bytes. Additional members are ignored.
    ///
    /// # Errors
    ///
    /// If it is not that. This rejects above all an empty key, which BLAKE2b accepts silently and with which anybody could sign.
    pub fn parse(secret: &str) -> Result<Key, InvalidKey> {
        #[derive(Deserialize)]
        struct Wire {
            kid: String,
            key: String,
        }
        // serde's message would quote the secret.
        let wire: Wire = serde_json::from_str(secret)
            .map_err(|_| InvalidKey("the secret is not JSON of the form {\"kid\":\"<id>\",\"key\":\"<key>\"}"))?;
        let bytes = Zeroizing::new(wire.key.into_bytes());
        if !is_kid(wire.kid.as_bytes()) {
            return Err(InvalidKey("`kid` in the secret is not 1 to 64 letters, digits, `-` and `_`"));
        }
        if !(16..=64).contains(&bytes.len()) {
            return Err(InvalidKey("`key` in the secret is not 16 to 64 bytes long"));
        }
        Ok(Key { kid: wire.kid, bytes })
    }

    /// The key's ID, as in the tokens that it signs.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    pub(crate) fn mac(&self) -> Blake2bMac<U32> {
        Blake2bMac::new_with_salt_and_personal(Some(&self.bytes), &[], PERSONALIZATION)
            .expect("a key has 16 to 64 bytes, and the personalization at most 16")
    }
}

/// A new secret value with the ID `kid` and a key of 64 random letters and digits (381 bits).
///
/// # Errors
///
/// If the system returns no random bytes.
///
/// # Panics
///
/// If `kid` is not a key ID.
pub fn generate(kid: &str) -> Result<Zeroizing<String>, getrandom::Error> {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    assert!(is_kid(kid.as_bytes()), "a key ID is 1 to 64 letters, digits, `-` and `_`");
    let mut key = Zeroizing::new(String::with_capacity(64));
    while key.len() < 64 {
        let mut random = Zeroizing::new([0; 64]);
        getrandom::fill(random.as_mut_slice())?;
        // Six bits of each byte; the two values past the last letter are dropped, so that all letters are equally likely.
        let letters = random.iter().filter_map(|byte| LETTERS.get(usize::from(byte & 63)));
        let missing = 64 - key.len();
        key.extend(letters.take(missing).map(|letter| char::from(*letter)));
    }
    Ok(Zeroizing::new(format!(r#"{{"kid":"{kid}","key":"{}"}}"#, key.as_str())))
}

pub(crate) fn is_kid(bytes: &[u8]) -> bool {
    (1..=KID_BYTES).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidKey {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_key_is_valid_and_differs_from_the_next() {
        let secrets = [generate("k1").unwrap(), generate("k1").unwrap()];
        assert_ne!(*secrets[0], *secrets[1]);
        for secret in &secrets {
            let key = Key::parse(secret).expect("a key");
            assert_eq!((key.kid(), key.bytes.len()), ("k1", 64));
            assert!(key.bytes.iter().all(u8::is_ascii_alphanumeric));
        }
    }

    #[test]
    fn empty_short_and_long_keys_are_refused_without_being_quoted() {
        let with = |kid: &str, key: &str| format!(r#"{{"kid":"{kid}","key":"{key}"}}"#);
        for secret in [
            with("k1", ""),
            with("k1", &"canary".repeat(2)),
            with("k1", &"c".repeat(15)),
            with("k1", &"c".repeat(65)),
            with("", &"c".repeat(32)),
            with("a/b", &"c".repeat(32)),
            with(&"k".repeat(65), &"c".repeat(32)),
            r#"{"kid":"k1"}"#.to_owned(),
            r#"{"kid":"k1","key":null}"#.to_owned(),
            "canary".to_owned(),
        ] {
            let error = Key::parse(&secret).err().expect("refused").to_string();
            assert!(!error.contains("canary") && error.contains("the secret"), "{error}");
        }
        for length in [16, 64] {
            assert!(Key::parse(&with("k-1_A", &"c".repeat(length))).is_ok());
        }
    }
}
