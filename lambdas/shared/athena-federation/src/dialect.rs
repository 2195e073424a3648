//! Athena's serializations; a response uses the one of its request.

/// A serialization of requests and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Version 1: JSON beans in any order, schemas wrapped as `{"schema":"<base64>"}`, answers with a `requestType`.
    Beans,
    /// Version 2: fields in a strict order, Arrow messages with a length in front (metadata version 4).
    Legacy,
    /// Versions 3 to 6: as 2, but Arrow messages with `FF FF FF FF` and a length in front (metadata version 5).
    Modern,
}

/// The start of a modern Arrow message: <https://arrow.apache.org/docs/format/Columnar.html#encapsulated-message-format>.
pub(crate) const CONTINUATION: [u8; 4] = [0xFF; 4];

impl Dialect {
    /// The dialect of a request that contains this Arrow message.
    pub(crate) fn of_message(message: &[u8]) -> Dialect {
        if message.starts_with(&CONTINUATION) { Dialect::Modern } else { Dialect::Legacy }
    }
}
