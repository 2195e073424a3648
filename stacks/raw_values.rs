//! What holds for every value of a tenant file, whichever setting it belongs to.
//!
//! - A text contains no dynamic reference. CloudFormation would resolve `{{resolve:secretsmanager:…}}` with the rights of the
//!   deployment, so whoever writes a tenant file could have another tenant's secret sent to a server of their own.
//! - A value that YAML does not read as a text looks the same when it is printed. Otherwise `012345678901` would silently become
//!   12345678901, and an event pattern with this account would never match.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use crate::TenantError;
use crate::shared::fields::NOTHING;

/// A node of the file.
pub(crate) enum Node {
    Text(String),
    /// A number, a boolean or null, as it is printed.
    Other(String),
    /// The items of a list, or the keys and values of a mapping.
    Nested(Vec<Spanned<Node>>),
}

/// The first mistake among the values of `source`, which is the text of a tenant file.
pub(crate) fn check(node: &Spanned<Node>, source: &str) -> Result<(), TenantError> {
    let message = match &node.value {
        Node::Nested(nodes) => return nodes.iter().try_for_each(|node| check(node, source)),
        Node::Text(text) if has_dynamic_reference(text) => {
            "`{{resolve:` is not allowed in a tenant file, because CloudFormation would replace it; write the value itself".to_owned()
        }
        Node::Text(_) => return Ok(()),
        Node::Other(printed) => match written(&node.defined, source) {
            Some("") | None => NOTHING.to_owned(),
            Some(text) if text == printed => return Ok(()),
            Some(text) => format!("`{text}` would be read as {printed}; put it in quotes, or write {printed}"),
        },
    };
    let place = node.defined;
    Err(TenantError { message, line: place.line().max(1), column: place.column().max(1) })
}

/// CloudFormation documents no blanks and lower case only; other forms are refused as well, since nobody needs them.
fn has_dynamic_reference(text: &str) -> bool {
    text.split("{{").skip(1).any(|rest| {
        let name = rest.trim_start().get(.."resolve".len());
        name.is_some_and(|name| name.eq_ignore_ascii_case("resolve"))
    })
}

/// The value as it is in the file.
fn written<'a>(place: &Location, source: &'a str) -> Option<&'a str> {
    let start = usize::try_from(place.span().byte_offset()?).ok()?;
    let length = usize::try_from(place.span().byte_len()?).ok()?;
    source.get(start..start + length).map(str::trim)
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, a boolean, a list or a mapping")
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Other(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Other(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Other(value.to_string()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Node, E> {
        // As JSON, which is what becomes of it.
        serde_json::to_string(&value).map(Node::Other).map_err(E::custom)
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Other("null".to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = items.next_element()? {
            nodes.push(node);
        }
        Ok(Node::Nested(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some((key, value)) = entries.next_entry()? {
            nodes.extend([key, value]);
        }
        Ok(Node::Nested(nodes))
    }
}
