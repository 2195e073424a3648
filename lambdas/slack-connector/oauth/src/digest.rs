//! Random names and their hashes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use blake2::Blake2bMac;
use blake2::digest::consts::U32;
use blake2::digest::{FixedOutput, Update};

/// 256 random bits that only their holder knows. It has no `Debug` and no `Display`.
#[derive(Clone)]
pub(crate) struct Random([u8; 32]);

impl Random {
    /// New random bits from the system.
    pub(crate) fn new() -> Random {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("Linux always has random bytes once it has started");
        Random(bytes)
    }

    /// Reads the 43 characters of [`Random::text`].
    pub(crate) fn parse(text: &str) -> Option<Random> {
        if text.len() != 43 {
            return None;
        }
        // This engine rejects trailing bits that are not zero, so each value has exactly one spelling.
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Random)
    }

    /// As base64url without padding, 43 characters.
    pub(crate) fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The hash that may be stored, 64 hexadecimal digits; each `purpose` gives a different hash.
    pub(crate) fn hash(&self, purpose: Purpose) -> String {
        hex::encode(hash(purpose, &self.0))
    }

    /// Another 256 bits that are derived from it and do not reveal it, as base64url.
    pub(crate) fn derived(&self, purpose: Purpose) -> String {
        URL_SAFE_NO_PAD.encode(hash(purpose, &self.0))
    }
}

/// What a hash is for: BLAKE2b's personalization, at most 16 bytes.
#[derive(Clone, Copy)]
pub(crate) struct Purpose(pub(crate) &'static [u8]);

/// BLAKE2b-256 without a key.
pub(crate) fn hash(purpose: Purpose, bytes: &[u8]) -> [u8; 32] {
    let mut hash = Blake2bMac::<U32>::new_with_salt_and_personal(None, &[], purpose.0)
        .expect("without a key and with a personalization of at most 16 bytes, no length is invalid");
    hash.update(bytes);
    hash.finalize_fixed().into()
}
