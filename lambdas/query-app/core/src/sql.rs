//! Checks a query's SQL without fully parsing it.

use std::collections::BTreeSet;

/// Stands for the tenant's schema, quoted.
pub(crate) const SCHEMA: &str = "{schema}";

/// Statements within a statement, and `select … into`, which makes a table.
const WRITES: &[&str] = &["delete", "insert", "into", "merge", "update"];

/// Would conflict with the limit that is appended to the statement.
const AFTER_ORDER: &[&str] = &["fetch", "for", "limit", "offset"];

/// The names of the parameters of one `select` or `with` statement.
///
/// This is not a security boundary: the files come from the deployer, and the database user may only read. It finds SQL that
/// would not work or not mean what its author intends.
///
/// # Errors
///
/// If it is not such a statement, has an unterminated text, comment or parenthesis, or uses something that is not allowed in a query.
pub(crate) fn parameters(sql: &str) -> Result<BTreeSet<String>, String> {
    let mut found = BTreeSet::new();
    let mut depth = 0_usize;
    let mut is_first = true;
    let mut rest = sql;
    while let Some(character) = rest.chars().next() {
        let length = match character {
            '\'' | '"' => quoted(rest, character)?,
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => end_of(rest, "*/", "a comment")?,
            '$' if rest.starts_with("$$") => return Err("it has `$$`; write texts in single quotes".to_owned()),
            ';' => return Err("it has `;`; a query is one statement without it".to_owned()),
            '{' | '}' if !rest.starts_with(SCHEMA) => {
                return Err(format!("it has `{character}`, which may only be used in {SCHEMA}"));
            }
            '{' => SCHEMA.len(),
            ':' if rest.starts_with("::") => 2,
            ':' => {
                let name = word(&rest[1..]);
                if !name.is_empty() {
                    found.insert(name.to_owned());
                }
                1 + name.len()
            }
            '(' => {
                depth += 1;
                1
            }
            ')' => {
                depth = depth.checked_sub(1).ok_or("it has a `)` without a `(`")?;
                1
            }
            _ if is_of_a_word(character) => {
                let word = word(rest);
                let lower = word.to_ascii_lowercase();
                if is_first && !matches!(lower.as_str(), "select" | "with") {
                    return Err(format!("it begins with `{word}`; a query is one `select` or `with` statement"));
                }
                if WRITES.contains(&lower.as_str()) {
                    return Err(format!(
                        "it has `{word}`; a query may only read, and a column of this name must be quoted"
                    ));
                }
                if depth == 0 && AFTER_ORDER.contains(&lower.as_str()) {
                    return Err(format!("it has `{word}` outside parentheses, where the limit on rows is added"));
                }
                is_first = false;
                word.len()
            }
            _ => character.len_utf8(),
        };
        rest = &rest[length..];
    }
    match (depth, is_first) {
        (0, false) => Ok(found),
        (0, true) => Err("it has no statement".to_owned()),
        _ => Err("it has a `(` without a `)`".to_owned()),
    }
}

/// The length of a quoted text. A brace in it would be mistaken for the schema's placeholder.
fn quoted(rest: &str, quote: char) -> Result<usize, String> {
    let length = end_of(rest, quote.encode_utf8(&mut [0; 4]), "a quoted text")?;
    match rest[..length].contains(['{', '}', '\\']) {
        true => Err(format!("it has a brace or a backslash in a quoted text; {SCHEMA} must be outside quotes")),
        false => Ok(length),
    }
}

fn end_of(rest: &str, end: &str, what: &str) -> Result<usize, String> {
    let found = rest[end.len()..].find(end).map(|at| at + 2 * end.len());
    found.ok_or_else(|| format!("it has {what} without an end"))
}

fn word(rest: &str) -> &str {
    &rest[..rest.find(|character| !is_of_a_word(character)).unwrap_or(rest.len())]
}

fn is_of_a_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_only_in_code() {
        let sql = "-- :no\nwith a as (select ':no', \":no\" /* :no ; */ from {schema}.t limit 3)\nselect x::date, :a, :b_1 from a where y=:a order by 1";
        assert_eq!(parameters(sql), Ok(BTreeSet::from(["a".to_owned(), "b_1".to_owned()])));
        assert_eq!(parameters("select substring(x from 1 for 2), 'it''s', \"limit\" from t"), Ok(BTreeSet::new()));
    }

    #[test]
    fn sql_that_is_not_a_query_is_refused_with_the_reason() {
        for (sql, problem) in [
            ("", "no statement"),
            ("-- select", "no statement"),
            ("delete from t", "begins with `delete`"),
            ("select 1; drop table t", "`;`"),
            ("select 1 into t", "`into`"),
            ("with a as (DELETE from t returning *) select * from a", "`DELETE`"),
            ("select 1 limit 5", "`limit`"),
            ("select 1 for update", "`for`"),
            ("select 'a", "without an end"),
            ("select /* a", "without an end"),
            ("select (1", "without a `)`"),
            ("select 1)", "without a `(`"),
            ("select $$a$$", "`$$`"),
            ("select {table}", "`{`"),
            ("select '{schema}'", "brace"),
            (r"select 'a\'; drop table t --'", "backslash"),
        ] {
            let message = parameters(sql).unwrap_err();
            assert!(message.contains(problem), "{sql}: {message}");
        }
    }
}
