//! Tokens of signed links: their form, their keys, signing and verification.
//!
//! A token says which row of a dashboard was clicked and that nobody changed it. It does not say who clicked, nor that the row is
//! still what the database shows: whoever may call the signing function can have any row signed.
//!
//! ```text
//! token    = base64url(payload || MAC), no padding, one spelling only
//! MAC      = BLAKE2b-256(key, personalization "wb-link-v1", payload)
//! payload  = version kid tenant audience issued expiry action count field…
//! version  = 2 (one byte)            count = 4 (one byte)
//! issued   = expiry = seconds since 1970, u64      every number big-endian
//! text     = u32 length, UTF-8 in NFC              kid, tenant, audience, action
//! field    = 0 for NULL, or 1 and a text           customer, skill, cost, quote_id
//! ```
//!
//! The fields that all rows of a batch share come first, so that a batch hashes them once. Lengths precede contents, so no two rows
//! have the same payload; NULL and the empty text differ.

mod cost;
mod key;
mod keys;
mod link;
mod sign;
mod token;

pub use cost::Cost;
pub use key::{InvalidKey, Key, generate};
pub use keys::{Keys, Unavailable};
pub use link::{Action, Link, QuoteId, TEXT_BYTES, decomposed};
pub use sign::{Fault, InvalidTerms, Row, Signer, Terms};
pub use token::{Accepted, Refusal, Submission, Token};

/// The only form of token there is.
pub(crate) const VERSION: u8 = 2;

/// The personalization of the MAC.
pub(crate) const PERSONALIZATION: &[u8] = b"wb-link-v1";

/// The length of a MAC in bytes.
pub(crate) const MAC_BYTES: usize = 32;

/// The largest payload in bytes.
///
/// A token is then at most 1,376 characters, which leaves 672 of the 2,048 that QuickSight allows a URL for the rest of it:
/// <https://docs.aws.amazon.com/quicksight/latest/APIReference/API_CustomActionURLOperation.html>.
pub(crate) const PAYLOAD_BYTES: usize = 1000;

/// How far apart two clocks may be, in seconds.
pub(crate) const SKEW: u64 = 120;

/// The longest life of a token in seconds: a dashboard on SPICE shows links as old as its last refresh, which may be a month ago.
pub const LONGEST_LIFE: u64 = 31 * 24 * 60 * 60;
