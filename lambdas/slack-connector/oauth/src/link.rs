//! Start links: signed with the stack's start key, they say who may begin to install or revoke.
//!
//! A link's token is `base64url(payload || mac)`. The payload is the version, 1, in one byte, then purpose, tenant and admin as
//! UTF-8 preceded by their length (four bytes, big endian), then the expiry in seconds since 1970 (eight bytes), then 16 random
//! bytes. The MAC is BLAKE2b-256 of the payload with the start key and the personalization `slack-start-v1`.
//! `scripts/slack-connector-install` writes it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use blake2::Blake2bMac;
use blake2::digest::consts::U32;
use blake2::digest::{FixedOutput, Update};
use subtle::ConstantTimeEq;

use crate::digest;

/// What a start link begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Install,
    Revoke,
}

/// A link whose MAC is valid and that has not expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// The e-mail address of the person it was given to, in lower case.
    pub(crate) admin: String,
    /// Seconds since 1970.
    pub(crate) expires: u64,
    /// A hash that identifies the link and cannot be turned back into it.
    pub(crate) name: String,
}

/// Why a link is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is not ours, was changed, or is for something else. Callers are not told which.
    Rejected,
    /// It was ours and has expired.
    Expired,
}

const VERSION: u8 = 1;
const PERSONALIZATION: &[u8] = b"slack-start-v1";
const MAC_BYTES: usize = 32;
const NONCE_BYTES: usize = 16;

/// An e-mail address has at most 254 bytes, a tenant's name 20.
const MAX_CHARACTERS: usize = 512;

/// The longest life of a link in seconds, with an allowance for fast clocks.
const LONGEST: u64 = 60 * 60 + 120;

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Purpose::Install => "install",
            Purpose::Revoke => "revoke",
        }
    }
}

/// Whether `text` has the form of a token; if not, it is refused without reading the key.
pub(crate) fn has_form(text: &str) -> bool {
    let is_character = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=MAX_CHARACTERS).contains(&text.len()) && text.bytes().all(is_character)
}

/// Verifies a token: first the MAC, in constant time, then its purpose, then its time.
///
/// # Errors
///
/// [`Refusal::Rejected`] for everything except the time; [`Refusal::Expired`] only if everything else is valid.
pub(crate) fn accept(text: &str, key: &str, purpose: Purpose, tenant: &str, now: u64) -> Result<Link, Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Refusal::Rejected)?;
    let length = bytes.len().checked_sub(MAC_BYTES).ok_or(Refusal::Rejected)?;
    let (payload, claimed) = bytes.split_at(length);
    let mut mac = Blake2bMac::<U32>::new_with_salt_and_personal(Some(key.as_bytes()), &[], PERSONALIZATION)
        .expect("a start key has at most 64 bytes, and the personalization at most 16");
    mac.update(payload);
    let mac: [u8; MAC_BYTES] = mac.finalize_fixed().into();
    if !bool::from(mac.ct_eq(claimed)) {
        return Err(Refusal::Rejected);
    }
    let signed = Signed::read(payload).ok_or(Refusal::Rejected)?;
    if (signed.purpose, signed.tenant) != (purpose.name(), tenant) || signed.expires > now.saturating_add(LONGEST) {
        return Err(Refusal::Rejected);
    }
    if signed.expires <= now {
        return Err(Refusal::Expired);
    }
    let name = hex::encode(digest::hash(digest::Purpose(b"slack-link-v1"), &mac));
    Ok(Link { admin: signed.admin.to_lowercase(), expires: signed.expires, name })
}

/// A payload whose MAC is valid.
struct Signed<'a> {
    purpose: &'a str,
    tenant: &'a str,
    admin: &'a str,
    expires: u64,
}

impl<'a> Signed<'a> {
    /// `None` if the key signed something that this version does not write.
    fn read(payload: &'a [u8]) -> Option<Signed<'a>> {
        let (version, rest) = payload.split_first()?;
        let (purpose, rest) = text(rest)?;
        let (tenant, rest) = text(rest)?;
        let (admin, rest) = text(rest)?;
        let (expires, nonce) = rest.split_first_chunk()?;
        let is_whole = *version == VERSION && nonce.len() == NONCE_BYTES;
        is_whole.then_some(Signed { purpose, tenant, admin, expires: u64::from_be_bytes(*expires) })
    }
}

fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (text, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    Some((std::str::from_utf8(text).ok()?, rest))
}
