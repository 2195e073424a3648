//! The members that a split reads, if a day is read in parts.

use std::borrow::Cow;

use serde::Deserialize;

/// One of the parts of a day: each member is in exactly one part, whatever the order and version of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    number: u32,
    of: u32,
}

impl Part {
    /// All members.
    pub const WHOLE: Part = Part { number: 0, of: 1 };

    /// Part `number`, counted from 0, of `of` parts; `None` if there is no such part.
    pub fn new(number: u32, of: u32) -> Option<Part> {
        (number < of).then_some(Part { number, of })
    }

    /// The part as a property of a split, `0/4`.
    pub(crate) fn text(self) -> String {
        format!("{}/{}", self.number, self.of)
    }

    pub(crate) fn parse(text: &str) -> Option<Part> {
        let (number, of) = text.split_once('/')?;
        Part::new(number.parse().ok()?, of.parse().ok()?)
    }

    /// Whether the member with this ID is in this part.
    pub(crate) fn has(self, id: &str) -> bool {
        self.of == 1 || hash(id.as_bytes()) % u64::from(self.of) == u64::from(self.number)
    }

    /// Whether the member of a line is in this part.
    ///
    /// # Errors
    ///
    /// If there are several parts and the line does not name its member.
    pub(crate) fn has_line(self, line: &str) -> Result<bool, ()> {
        #[derive(Deserialize)]
        struct Member<'a> {
            #[serde(borrow)]
            user_id: Option<Cow<'a, str>>,
            #[serde(borrow)]
            enterprise_user_id: Option<Cow<'a, str>>,
        }
        if self.of == 1 {
            return Ok(true);
        }
        let member: Member = serde_json::from_str(line).map_err(|_| ())?;
        let id = member.user_id.or(member.enterprise_user_id).ok_or(())?;
        Ok(self.has(&id))
    }
}

/// 64-bit FNV-1a, folded, because all parts must agree across versions of this function:
/// <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn hash(bytes: &[u8]) -> u64 {
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    hash ^ (hash >> 32)
}
