//! JSON as it arrives, without its long texts: a reload's script log can have megabytes, of which nothing is needed.

/// The longest text that is kept, in bytes. Any longer one reads as an empty text.
const LONGEST_TEXT: usize = 64 * 1024;

/// The part of a JSON text that has arrived and is kept.
#[derive(Default)]
pub(crate) struct Skimmed {
    kept: Vec<u8>,
    text: Option<Text>,
}

/// The JSON string whose end has not arrived yet.
struct Text {
    /// Where its content begins in what is kept.
    start: usize,
    /// The last byte was a backslash that escapes the next one.
    escaped: bool,
    too_long: bool,
}

impl Skimmed {
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.push(*byte);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.kept
    }

    fn push(&mut self, byte: u8) {
        let Some(text) = &mut self.text else {
            self.kept.push(byte);
            if byte == b'"' {
                self.text = Some(Text { start: self.kept.len(), escaped: false, too_long: false });
            }
            return;
        };
        if byte == b'"' && !text.escaped {
            self.kept.push(byte);
            self.text = None;
            return;
        }
        text.escaped = byte == b'\\' && !text.escaped;
        if text.too_long {
            return;
        }
        self.kept.push(byte);
        if self.kept.len() - text.start > LONGEST_TEXT {
            self.kept.truncate(text.start);
            text.too_long = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn skimmed(json: &Value, chunk: usize) -> Value {
        let mut skimmed = Skimmed::default();
        for chunk in json.to_string().as_bytes().chunks(chunk) {
            skimmed.extend(chunk);
        }
        serde_json::from_slice(&skimmed.into_bytes()).unwrap()
    }

    #[test]
    fn what_is_short_arrives_as_it_was_sent() {
        let json = json!({"a": "x\\\"y\\\\", "\"b\\": ["\\", "é\n", 1.5, null], "c": "x".repeat(LONGEST_TEXT)});
        for chunk in [1, 7, 1 << 20] {
            assert_eq!(skimmed(&json, chunk), json);
        }
    }

    #[test]
    fn a_long_text_reads_as_an_empty_one() {
        for log in ["x".repeat(LONGEST_TEXT + 1), "\\\"é\u{1}😀".repeat(100_000)] {
            for chunk in [1, 1 << 20] {
                assert_eq!(
                    skimmed(&json!({"log": log, "status": "QUEUED"}), chunk),
                    json!({"log": "", "status": "QUEUED"})
                );
            }
        }
    }
}
