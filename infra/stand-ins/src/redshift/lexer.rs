//! SQL as a sequence of tokens, so that quoted text is never mistaken for code.

/// A piece of SQL. The pieces of a statement, joined in order, are the statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Blanks and comments.
    Blank,
    /// A key word, name or number.
    Word,
    /// `"name"`
    Name,
    /// `'text'`, `$$text$$`
    Text,
    /// `:name`
    Parameter,
    /// Anything else: one character, or `::`.
    Symbol,
}

impl Token {
    /// Whether this is the key word, however it is written.
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Symbol) && self.text.eq_ignore_ascii_case(word)
    }

    pub(super) fn word(text: &str) -> Token {
        Token { kind: Kind::Word, text: text.to_owned() }
    }
}

/// Splits a statement. A text or comment without an end reaches to the end of the statement.
pub(super) fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = sql;
    while !rest.is_empty() {
        let (kind, length) = first(rest);
        let (text, after) = rest.split_at(length);
        tokens.push(Token { kind, text: text.to_owned() });
        rest = after;
    }
    tokens
}

/// The statement that the tokens form.
pub(super) fn text(tokens: &[Token]) -> String {
    tokens.iter().map(|token| token.text.as_str()).collect()
}

fn first(sql: &str) -> (Kind, usize) {
    let span = |fits: fn(char) -> bool| sql.find(|character| !fits(character)).unwrap_or(sql.len());
    let character = sql.chars().next().expect("there is something left");
    match character {
        '\'' => (Kind::Text, quoted(sql, '\'')),
        '"' => (Kind::Name, quoted(sql, '"')),
        '$' => dollar(sql).map_or((Kind::Symbol, 1), |length| (Kind::Text, length)),
        '-' if sql.starts_with("--") => (Kind::Blank, sql.find('\n').unwrap_or(sql.len())),
        '/' if sql.starts_with("/*") => (Kind::Blank, sql.find("*/").map_or(sql.len(), |end| end + 2)),
        ':' if sql.starts_with("::") => (Kind::Symbol, 2),
        ':' if sql[1..].starts_with(|next: char| next.is_ascii_alphabetic() || next == '_') => {
            let name = sql[1..].find(|next: char| !(next.is_ascii_alphanumeric() || next == '_'));
            (Kind::Parameter, name.map_or(sql.len(), |end| end + 1))
        }
        _ if character.is_whitespace() => (Kind::Blank, span(char::is_whitespace)),
        _ if is_of_a_word(character) => (Kind::Word, span(is_of_a_word)),
        _ => (Kind::Symbol, character.len_utf8()),
    }
}

fn is_of_a_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// A quote inside is written twice, which reads as the end of one quoted text and the beginning of the next.
fn quoted(sql: &str, quote: char) -> usize {
    let mut from = 1;
    while let Some(end) = sql[from..].find(quote) {
        from += end + 1;
        if !sql[from..].starts_with(quote) {
            return from;
        }
        from += 1;
    }
    sql.len()
}

/// The length of `$tag$ … $tag$` at the start.
fn dollar(sql: &str) -> Option<usize> {
    let tag = 2 + sql[1..].find('$')?;
    sql[1..tag - 1].chars().all(is_of_a_word).then_some(())?;
    Some(sql[tag..].find(&sql[..tag]).map_or(sql.len(), |end| tag + end + tag))
}
