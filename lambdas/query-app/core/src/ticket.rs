//! Tickets for a WebSocket, and other names derived from hashes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// 256 random bits that let their holder connect once, within a minute. It has no `Debug` and no `Display`.
pub struct Ticket([u8; 32]);

/// How long a ticket may be used; seconds.
pub const TICKET_SECONDS: u64 = 60;

impl Ticket {
    /// New random bits from the system.
    #[expect(clippy::new_without_default, reason = "two calls return two tickets")]
    pub fn new() -> Ticket {
        Ticket(random())
    }

    /// Reads the 43 characters of [`Ticket::text`].
    pub fn parse(text: &str) -> Option<Ticket> {
        if text.len() != 43 {
            return None;
        }
        // This engine rejects trailing bits that are not zero, so each ticket has exactly one spelling.
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Ticket)
    }

    /// As base64url without padding, for its holder.
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The hash that is stored.
    pub(crate) fn hash(&self) -> String {
        digest(&[&self.0])
    }
}

/// 256 random bits from the system.
pub(crate) fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("Linux always has random bytes once it has started");
    bytes
}

/// SHA-256 over `parts`, each with its length before it, as 64 hexadecimal digits.
pub(crate) fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_has_one_spelling_and_its_hash_does_not_show_it() {
        let ticket = Ticket::new();
        let text = ticket.text();
        assert_eq!(Ticket::parse(&text).unwrap().hash(), ticket.hash());
        assert_ne!(ticket.hash(), Ticket::new().hash());
        let mut longer = text.clone();
        longer.push('A');
        for wrong in ["", &text[1..], longer.as_str(), &"!".repeat(43), &"B".repeat(43)] {
            assert!(Ticket::parse(wrong).is_none(), "{wrong}");
        }
    }
}
