//! Texts as SQL literals.

/// A text as SQL. The blanks separate it from what is next to it, such as another literal.
pub(super) fn literal(value: &str) -> String {
    format!(" '{}' ", value.replace('\'', "''"))
}
