//! A token from outside: nothing in it is trusted before its MAC is verified.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use blake2::Blake2bMac;
use blake2::digest::consts::U32;
use blake2::digest::{FixedOutput, Update};
use subtle::ConstantTimeEq;

use crate::key::{Key, is_kid};
use crate::link::{Action, Link, QuoteId};
use crate::sign::FIELDS;
use crate::{LONGEST_LIFE, MAC_BYTES, PAYLOAD_BYTES, SKEW, VERSION};

/// A text with the form of a token; [`accept`](Token::accept) verifies it.
pub struct Token {
    bytes: Vec<u8>,
    kid: String,
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is not ours, was changed, or is for somebody else. Callers are not told which.
    Rejected,
    /// It was ours and has expired.
    Expired,
}

/// An accepted token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Its content.
    pub link: Link,
    /// The identity of its submission.
    pub submission: Submission,
    /// Seconds since 1970 until which it is accepted, with an allowance for slow clocks.
    pub ends: u64,
}

/// A token's MAC: the same for the same token, and different for every other one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Submission([u8; MAC_BYTES]);

impl Token {
    /// Checks the form: base64url in its one spelling, version 2, a key ID.
    ///
    /// # Errors
    ///
    /// [`Refusal::Rejected`] if it has a different form.
    pub fn decode(text: &str) -> Result<Token, Refusal> {
        if text.len() > (PAYLOAD_BYTES + MAC_BYTES).div_ceil(3) * 4 {
            return Err(Refusal::Rejected);
        }
        // This engine rejects padding and trailing bits that are not zero, so each token has exactly one spelling.
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Refusal::Rejected)?;
        let payload = bytes.len().checked_sub(MAC_BYTES).ok_or(Refusal::Rejected)?;
        let mut reader = Reader(&bytes[..payload]);
        if reader.byte() != Some(VERSION) {
            return Err(Refusal::Rejected);
        }
        let kid = reader.bytes().filter(|kid| is_kid(kid)).ok_or(Refusal::Rejected)?;
        let kid = kid.iter().copied().map(char::from).collect();
        Ok(Token { bytes, kid })
    }

    /// The ID of the key that it claims to be signed with. Only use it to look up a known key.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Verifies the token: first the MAC, in constant time, then tenant and audience, then its time.
    ///
    /// # Errors
    ///
    /// [`Refusal::Rejected`] for everything except the time; [`Refusal::Expired`] only if everything else is valid.
    pub fn accept(&self, key: &Key, tenant: &str, audience: &str, now: u64) -> Result<Accepted, Refusal> {
        let (payload, claimed) = self.bytes.split_at(self.bytes.len() - MAC_BYTES);
        let mut mac = key.mac();
        mac.update(payload);
        let mac: [u8; MAC_BYTES] = mac.finalize_fixed().into();
        if !bool::from(mac.ct_eq(claimed)) {
            return Err(Refusal::Rejected);
        }
        let signed = Signed::read(payload).ok_or(Refusal::Rejected)?;
        let is_ours = signed.kid == key.kid() && signed.tenant == tenant && signed.audience == audience;
        if !is_ours || signed.issued > now.saturating_add(SKEW) {
            return Err(Refusal::Rejected);
        }
        // A key that signs a longer life is not used as it is meant to be.
        if signed.expires.checked_sub(signed.issued).is_none_or(|life| life > LONGEST_LIFE) {
            return Err(Refusal::Rejected);
        }
        let ends = signed.expires.saturating_add(SKEW);
        if now > ends {
            return Err(Refusal::Expired);
        }
        Ok(Accepted { link: signed.link, submission: Submission(mac), ends })
    }
}

impl Submission {
    /// The MAC in 64 hexadecimal digits: the row's `submission_id`.
    pub fn id(&self) -> String {
        hex::encode(self.0)
    }

    /// The client token of the statement that is submitted after this many have ended without a row: 64 hexadecimal digits. The
    /// first one is the MAC itself.
    pub fn client_token(&self, ended: u32) -> String {
        if ended == 0 { self.id() } else { hash(b"wb-attempt-v1", &[&self.0, &ended.to_be_bytes()]) }
    }

    /// A name that reveals nothing about the token, in 64 hexadecimal digits: unkeyed BLAKE2b-256 of the MAC.
    ///
    /// Anybody who knows a row could create its token from the MAC, so outside the database only this name is stored, logged or
    /// shown.
    pub fn name(&self) -> String {
        hash(b"wb-submission-v1", &[&self.0])
    }
}

impl Link {
    /// A name for a quote's identity, which is the tenant, the customer and the skill, in 64 hexadecimal digits.
    pub fn quote_name(&self, tenant: &str) -> String {
        hash(b"wb-quote-v1", &[tenant.as_bytes(), self.customer.as_bytes(), self.skill.as_bytes()])
    }
}

/// BLAKE2b-256, unkeyed, of the parts, each after its length.
fn hash(personalization: &[u8], parts: &[&[u8]]) -> String {
    let mut hash = Blake2bMac::<U32>::new_with_salt_and_personal(None, &[], personalization)
        .expect("without a key and with a personalization of at most 16 bytes, no length is invalid");
    for part in parts {
        hash.update(&u64::try_from(part.len()).expect("a length fits into 64 bits").to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize_fixed())
}

/// A payload whose MAC is valid.
struct Signed<'a> {
    kid: &'a str,
    tenant: &'a str,
    audience: &'a str,
    issued: u64,
    expires: u64,
    link: Link,
}

impl<'a> Signed<'a> {
    /// `None` if a key signed something that this version does not write.
    fn read(payload: &'a [u8]) -> Option<Signed<'a>> {
        let mut reader = Reader(payload);
        reader.byte().filter(|version| *version == VERSION)?;
        let (kid, tenant, audience) = (reader.text()?, reader.text()?, reader.text()?);
        let (issued, expires) = (reader.number()?, reader.number()?);
        let action = reader.text()?;
        reader.byte().filter(|count| *count == FIELDS)?;
        let (customer, skill, cost) = (reader.field()??, reader.field()??, reader.field()??);
        let quote_id = reader.field()?;
        if !reader.0.is_empty() {
            return None;
        }
        let action = match (action, quote_id) {
            ("generate", None) => Action::Generate,
            ("accept", Some(id)) => Action::Accept(QuoteId::parse(id)?),
            _ => return None,
        };
        let (customer, skill) = (customer.to_owned(), skill.to_owned());
        let link = Link { action, customer, skill, cost: cost.parse().ok()? };
        Some(Signed { kid, tenant, audience, issued, expires, link })
    }
}

/// What is left of a payload.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    fn number(&mut self) -> Option<u64> {
        Some(u64::from_be_bytes(self.take(8)?.try_into().ok()?))
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = u32::from_be_bytes(self.take(4)?.try_into().ok()?);
        self.take(usize::try_from(length).ok()?)
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// A field: `None` if there is none, `Some(None)` for NULL.
    fn field(&mut self) -> Option<Option<&'a str>> {
        match self.byte()? {
            0 => Some(None),
            1 => Some(Some(self.text()?)),
            _ => None,
        }
    }
}
