//! Splits a script into its statements.

use sqlparser::dialect::RedshiftSqlDialect;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer, Whitespace};

/// One statement of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    /// Its first keyword, in capitals, for messages.
    pub(crate) keyword: String,
    /// Its text as written in the script, without the semicolon.
    pub(crate) sql: String,
}

/// The most statements in a script: each takes at least a second, and the function has minutes.
const MOST_STATEMENTS: usize = 200;
/// The most bytes in a statement: <https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html>.
const MOST_BYTES: usize = 100_000;
/// Longer than any keyword that a statement begins with.
const LONGEST_KEYWORD: usize = 20;

/// The statements of a script, by Redshift's own rules: a semicolon in a string, a quoted name, a comment or between dollar
/// quotes does not end a statement. Blanks and comments alone are not a statement.
///
/// # Errors
///
/// If the script cannot be split or exceeds a limit. A message contains positions and numbers, and no text. A
/// comment within a comment is rejected, because databases do not agree on where it ends.
pub(crate) fn statements(script: &str) -> Result<Vec<Statement>, String> {
    let script = script.strip_prefix('\u{feff}').unwrap_or(script);
    let tokens = Tokenizer::new(&RedshiftSqlDialect {}, script).tokenize_with_location().map_err(|error| {
        let Location { line, column } = error.location;
        format!("could not split the script: something that begins near line {line}, column {column} does not end")
    })?;
    let nests = |token: &&TokenWithSpan| matches!(&token.token, Token::Whitespace(Whitespace::MultiLineComment(text)) if text.contains("/*"));
    if let Some(comment) = tokens.iter().find(nests) {
        let line = comment.span.start.line;
        return Err(format!(
            "could not split the script: the comment that begins in line {line} contains another comment"
        ));
    }
    let offsets = Offsets::new(script);
    let mut statements = Vec::new();
    for part in tokens.split(|token| token.token == Token::SemiColon) {
        let content = |token: &&TokenWithSpan| !matches!(token.token, Token::Whitespace(_) | Token::EOF);
        let (Some(first), Some(last)) = (part.iter().find(content), part.iter().rfind(content)) else { continue };
        let sql = &script[offsets.of(first.span.start)..offsets.of(last.span.end)];
        let number = statements.len() + 1;
        let keyword = keyword(&first.token);
        if sql.len() > MOST_BYTES {
            let bytes = sql.len();
            return Err(format!(
                "statement {number} of the script ({keyword}) has {bytes} bytes; must be at most {MOST_BYTES}"
            ));
        }
        if number > MOST_STATEMENTS {
            return Err(format!(
                "the script has more than {MOST_STATEMENTS} statements; must be at most {MOST_STATEMENTS}"
            ));
        }
        statements.push(Statement { keyword, sql: sql.to_owned() });
    }
    Ok(statements)
}

fn keyword(token: &Token) -> String {
    match token {
        Token::Word(word)
            if word.quote_style.is_none()
                && word.value.len() <= LONGEST_KEYWORD
                && word.value.bytes().all(|byte| byte.is_ascii_alphabetic()) =>
        {
            word.value.to_ascii_uppercase()
        }
        _ => "no keyword".to_owned(),
    }
}

/// Byte offsets of the lines and columns that the tokenizer counts, both from 1; a column is a character.
struct Offsets<'a> {
    script: &'a str,
    lines: Vec<usize>,
}

impl<'a> Offsets<'a> {
    fn new(script: &'a str) -> Offsets<'a> {
        let after_breaks = script.match_indices('\n').map(|(at, _)| at + 1);
        Offsets { script, lines: std::iter::once(0).chain(after_breaks).collect() }
    }

    fn of(&self, Location { line, column }: Location) -> usize {
        let index = |number: u64| usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
        let start = self.lines.get(index(line)).copied().unwrap_or(self.script.len());
        let rest = &self.script[start..];
        rest.char_indices().nth(index(column)).map_or(self.script.len(), |(at, _)| start + at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(script: &str) -> Vec<String> {
        statements(script)
            .unwrap()
            .into_iter()
            .map(|statement| format!("{}: {}", statement.keyword, statement.sql))
            .collect()
    }

    #[test]
    fn only_a_semicolon_between_statements_ends_a_statement() {
        for (script, expected) in [
            ("select 1; select 2;", &["SELECT: select 1", "SELECT: select 2"][..]),
            ("select 1", &["SELECT: select 1"]),
            ("", &[]),
            (" ;;\n; -- nothing; here\n/* nor; here; */ ;", &[]),
            ("select 'a;b'';c'; select \"x;y\"", &["SELECT: select 'a;b'';c'", "SELECT: select \"x;y\""]),
            (r"select 'it\'s; one'; select 2", &[r"SELECT: select 'it\'s; one'", "SELECT: select 2"]),
            ("-- first; comment\ncreate table t (n int); -- last; comment", &["CREATE: create table t (n int)"]),
            (
                "create /* a;b */ table t (n int) -- c;d\n;drop table t",
                &["CREATE: create /* a;b */ table t (n int)", "DROP: drop table t"],
            ),
            (
                "create procedure p() as $$ begin insert into t values (1); end; $$ language plpgsql;\ncall p()",
                &[
                    "CREATE: create procedure p() as $$ begin insert into t values (1); end; $$ language plpgsql",
                    "CALL: call p()",
                ],
            ),
            (
                "create procedure p() as $body$ select '$$'; $body$ language plpgsql; select 1",
                &["CREATE: create procedure p() as $body$ select '$$'; $body$ language plpgsql", "SELECT: select 1"],
            ),
            ("\u{feff}select 'ü;ß';\r\n\r\nselect '€;'\r\n;", &["SELECT: select 'ü;ß'", "SELECT: select '€;'"]),
            ("(select 1); \"odd\" 2", &["no keyword: (select 1)", "no keyword: \"odd\" 2"]),
            (
                "copy s.t from 's3://b/k' iam_role default delimiter '|' gzip region 'us-west-2';",
                &["COPY: copy s.t from 's3://b/k' iam_role default delimiter '|' gzip region 'us-west-2'"],
            ),
        ] {
            assert_eq!(texts(script), expected, "{script}");
        }
    }

    #[test]
    fn an_unterminated_script_is_reported_by_position_without_its_text() {
        for script in [
            "select 1;\n  select 'canary",
            "/* canary",
            "/* a /* canary */ b; */",
            "select $$ canary",
            "select \"canary",
        ] {
            let problem = statements(script).unwrap_err();
            assert!(problem.contains("line ") && !problem.contains("canary"), "{problem}");
        }
    }

    #[test]
    fn a_script_over_a_limit_is_refused_with_its_number() {
        let many = "select 1;".repeat(MOST_STATEMENTS);
        assert_eq!(statements(&many).unwrap().len(), MOST_STATEMENTS);
        assert!(statements(&format!("{many}select 1")).unwrap_err().contains("more than 200 statements"));
        let long = format!("select 1; insert into t values ('{}')", "x".repeat(MOST_BYTES));
        assert!(statements(&long).unwrap_err().starts_with("statement 2 of the script (INSERT) has 100"));
    }
}
