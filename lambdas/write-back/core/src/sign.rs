//! Signs rows.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use blake2::Blake2bMac;
use blake2::digest::consts::U32;
use blake2::digest::{FixedOutput, Update};

use crate::cost;
use crate::key::Key;
use crate::link::{TEXT_BYTES, is_quote_id, normalized};
use crate::{MAC_BYTES, PAYLOAD_BYTES, VERSION};

/// What all tokens of a batch share.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// The tenant whose row it is.
    pub tenant: &'a str,
    /// The ID of the REST API that the token is for.
    pub audience: &'a str,
    /// Seconds since 1970.
    pub issued: u64,
    /// Seconds since 1970; after that the token is refused.
    pub expires: u64,
}

/// One row as the database sends it.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// `generate` or `accept`.
    pub action: Option<&'a str>,
    /// The quote's customer.
    pub customer: Option<&'a str>,
    /// The quote's skill.
    pub skill: Option<&'a str>,
    /// The quote's cost, decimal text.
    pub cost: Option<&'a str>,
    /// The quote to accept, or NULL to generate one.
    pub quote_id: Option<&'a str>,
}

/// Why a row gets no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Action, customer, skill or cost is NULL, or the whole row.
    Null,
    /// The action is neither `generate` nor `accept`.
    Action,
    /// `generate` has a quote ID, or `accept` does not have a valid one.
    QuoteId,
    /// The cost is invalid, see [`Cost`](crate::Cost).
    Cost,
    /// A text is longer than [`TEXT_BYTES`] or has a NUL character, which no column can hold.
    Text,
    /// The payload would be too long for a link.
    TooLong,
    /// The row is not a list of five texts.
    Shape,
}

impl Fault {
    /// The name in logs.
    pub fn name(self) -> &'static str {
        match self {
            Fault::Null => "null",
            Fault::Action => "action",
            Fault::QuoteId => "quoteId",
            Fault::Cost => "cost",
            Fault::Text => "text",
            Fault::TooLong => "tooLong",
            Fault::Shape => "shape",
        }
    }
}

/// Tenant and audience are too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidTerms;

/// Signs the rows of one batch.
pub struct Signer {
    /// The MAC state after the shared fields, past the key's block, so that no row pays for it.
    start: Blake2bMac<U32>,
    payload: Vec<u8>,
    shared: usize,
}

impl Signer {
    /// Starts a batch.
    ///
    /// # Errors
    ///
    /// If tenant or audience are longer than 256 bytes.
    pub fn new(key: &Key, terms: &Terms<'_>) -> Result<Signer, InvalidTerms> {
        if terms.tenant.len() > TEXT_BYTES || terms.audience.len() > TEXT_BYTES {
            return Err(InvalidTerms);
        }
        let mut payload = Vec::with_capacity(PAYLOAD_BYTES + MAC_BYTES);
        payload.push(VERSION);
        push_text(&mut payload, key.kid().as_bytes());
        push_text(&mut payload, terms.tenant.as_bytes());
        push_text(&mut payload, terms.audience.as_bytes());
        payload.extend_from_slice(&terms.issued.to_be_bytes());
        payload.extend_from_slice(&terms.expires.to_be_bytes());
        let mut start = key.mac();
        start.update(&payload);
        Ok(Signer { start, shared: payload.len(), payload })
    }

    /// Appends the row's token to `out`.
    ///
    /// # Errors
    ///
    /// If the row cannot be signed; then nothing is appended.
    pub fn sign(&mut self, row: &Row<'_>, out: &mut String) -> Result<(), Fault> {
        self.payload.truncate(self.shared);
        push_row(&mut self.payload, row)?;
        if self.payload.len() > PAYLOAD_BYTES {
            return Err(Fault::TooLong);
        }
        let mut mac = self.start.clone();
        mac.update(&self.payload[self.shared..]);
        self.payload.extend_from_slice(&mac.finalize_fixed());
        URL_SAFE_NO_PAD.encode_string(&self.payload, out);
        Ok(())
    }
}

/// Fields of a payload: customer, skill, cost, quote ID.
pub(crate) const FIELDS: u8 = 4;

fn push_row(payload: &mut Vec<u8>, row: &Row<'_>) -> Result<(), Fault> {
    let action = row.action.ok_or(Fault::Null)?;
    match (action, row.quote_id) {
        ("generate", None) => {}
        ("accept", Some(id)) if is_quote_id(id) => {}
        ("generate" | "accept", _) => return Err(Fault::QuoteId),
        _ => return Err(Fault::Action),
    }
    push_text(payload, action.as_bytes());
    payload.push(FIELDS);
    push_field(payload, row.customer.ok_or(Fault::Null)?)?;
    push_field(payload, row.skill.ok_or(Fault::Null)?)?;
    push_cost(payload, row.cost.ok_or(Fault::Null)?)?;
    match row.quote_id {
        Some(id) => push_field(payload, id)?,
        None => payload.push(0),
    }
    Ok(())
}

fn push_field(payload: &mut Vec<u8>, text: &str) -> Result<(), Fault> {
    let text = normalized(text);
    if text.len() > TEXT_BYTES || text.as_bytes().contains(&0) {
        return Err(Fault::Text);
    }
    payload.push(1);
    push_text(payload, text.as_bytes());
    Ok(())
}

fn push_cost(payload: &mut Vec<u8>, text: &str) -> Result<(), Fault> {
    payload.extend_from_slice(&[1, 0, 0, 0, 0]);
    let start = payload.len();
    cost::write(text, payload).map_err(|_| Fault::Cost)?;
    let length = u8::try_from(payload.len() - start).expect("a cost has at most 19 characters");
    payload[start - 1] = length;
    Ok(())
}

fn push_text(payload: &mut Vec<u8>, text: &[u8]) {
    let length = u32::try_from(text.len()).expect("no text is longer than a link");
    payload.extend_from_slice(&length.to_be_bytes());
    payload.extend_from_slice(text);
}

impl fmt::Display for InvalidTerms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tenant or audience is longer than {TEXT_BYTES} bytes")
    }
}

impl std::error::Error for InvalidTerms {}
