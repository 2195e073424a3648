//! A fast reader for the plain part of YAML, in which nearly every tenant file is written.
//!
//! Plain are mappings, lists, comments, texts without escapes, whole numbers, `true` and `false`. [`read`] understands
//! a file completely or not at all, and reports no mistakes: whatever it does not understand is read by the YAML library.

use cfn::Json;
use serde_json::Map;

/// The deepest nesting that is read.
const DEPTH: usize = 16;
/// The most digits of a number that is read.
const DIGITS: usize = 15;
/// The most characters of a key that is read; YAML allows 1,024.
const KEY: usize = 128;

/// The value of a file that is plain throughout.
///
/// It contains no dynamic reference, no key without a value, and no number that would be printed differently: `raw_values` would find
/// nothing in it.
pub(crate) fn read(text: &str) -> Option<Json> {
    let mut lines = Vec::new();
    for line in text.lines() {
        let content = line.trim_start_matches(' ');
        let end = if content.starts_with('#') { 0 } else { content.find(" #").unwrap_or(content.len()) };
        let (content, comment) = content.split_at(end);
        if !comment.chars().all(|char| matches!(char, ' '..='~' | '\u{a1}'..='\u{2027}')) {
            return None;
        }
        if !content.is_empty() {
            let indentation = line.len() - content.len() - comment.len();
            lines.push(Line { indentation, content: content.trim_end_matches(' ') });
        }
    }
    let mut lines = &lines[..];
    let json = mapping(&mut lines, 0, 0)?;
    lines.is_empty().then_some(json)
}

/// A line without its indentation and its comment.
struct Line<'a> {
    indentation: usize,
    content: &'a str,
}

/// The entries at this indentation; removes their lines.
fn mapping(lines: &mut &[Line<'_>], indentation: usize, depth: usize) -> Option<Json> {
    let mut map = Map::new();
    while let Some((line, rest)) = lines.split_first().filter(|(line, _)| line.indentation == indentation) {
        if depth == DEPTH {
            return None;
        }
        let (key, value) = line.content.split_once(':')?;
        *lines = rest;
        let value = match value.strip_prefix(' ') {
            Some(value) => one_line(value.trim_start_matches(' '))?,
            None if value.is_empty() => below(lines, indentation, depth + 1)?,
            None => return None,
        };
        if !is_key(key) || map.insert(key.to_owned(), value).is_some() {
            return None;
        }
    }
    (!map.is_empty()).then_some(Json::Object(map))
}

/// The value in the lines below its key.
fn below(lines: &mut &[Line<'_>], indentation: usize, depth: usize) -> Option<Json> {
    let first = lines.first()?;
    let inside = first.indentation;
    if first.content.starts_with("- ") && inside >= indentation {
        return list(lines, inside);
    }
    if inside > indentation { mapping(lines, inside, depth) } else { None }
}

fn list(lines: &mut &[Line<'_>], indentation: usize) -> Option<Json> {
    let mut items = Vec::new();
    while let Some((line, rest)) = lines.split_first()
        && line.indentation == indentation
        && let Some(item) = line.content.strip_prefix("- ")
    {
        items.push(one_line(item.trim_start_matches(' '))?);
        *lines = rest;
    }
    Some(Json::Array(items))
}

/// The value of an entry that ends in its line: a scalar, a list in brackets or a mapping in braces.
fn one_line(text: &str) -> Option<Json> {
    let mut rest = text;
    let json = flow(&mut rest, 0)?;
    rest.is_empty().then_some(json)
}

/// The next value; removes it and the blanks around it. Inside of brackets and braces, a scalar ends at a comma or at the closing one.
fn flow(text: &mut &str, depth: usize) -> Option<Json> {
    if depth == DEPTH {
        return None;
    }
    if eat(text, '[') {
        let mut items = Vec::new();
        while items.is_empty() || eat(text, ',') {
            items.push(flow(text, depth + 1)?);
        }
        return eat(text, ']').then_some(Json::Array(items));
    }
    if eat(text, '{') {
        let mut map = Map::new();
        while map.is_empty() || eat(text, ',') {
            let (key, value) = text.split_once(": ")?;
            *text = value.trim_start_matches(' ');
            let value = flow(text, depth + 1)?;
            if !is_key(key) || map.insert(key.to_owned(), value).is_some() {
                return None;
            }
        }
        return eat(text, '}').then_some(Json::Object(map));
    }
    let end = if depth == 0 { text.len() } else { text.find([',', ']', '}'])? };
    let (value, rest) = text.split_at(end);
    *text = rest;
    scalar(value.trim_end_matches(' '))
}

/// Removes this character and the blanks after it from the start of the text; false if the text starts differently.
fn eat(text: &mut &str, expected: char) -> bool {
    let Some(rest) = text.strip_prefix(expected) else { return false };
    *text = rest.trim_start_matches(' ');
    true
}

fn scalar(text: &str) -> Option<Json> {
    let quoted = |quote| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    if let Some(text) = quoted('\'').or_else(|| quoted('"')) {
        return is_text(text).then(|| text.into());
    }
    // A colon before a blank or at the end would make it a key.
    if !text.starts_with(|first: char| first.is_ascii_alphanumeric() || "/$".contains(first))
        || !is_text(text)
        || text.contains(": ")
        || text.ends_with(':')
    {
        return None;
    }
    match text {
        "true" => Some(true.into()),
        "false" => Some(false.into()),
        _ if is_whole_number(text) => Some(text.parse::<u64>().ok()?.into()),
        _ if may_be_special(text) => None,
        _ => Some(text.into()),
    }
}

/// Whether a text has none of the characters that mean something to YAML inside of quotes or lists.
fn is_text(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" -_./:?*@+=()$".contains(&byte))
}

fn is_key(text: &str) -> bool {
    text.len() <= KEY
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        && !may_be_special(text)
}

fn is_whole_number(text: &str) -> bool {
    text.len() <= DIGITS && text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'))
}

/// Whether the library may read the text as a number, as a boolean or as null.
fn may_be_special(text: &str) -> bool {
    const WORDS: [&str; 10] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan"];
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return WORDS.iter().any(|word| text.eq_ignore_ascii_case(word));
    }
    let bytes = text.as_bytes();
    let of_numbers = bytes.iter().all(|byte| byte.is_ascii_hexdigit() || b"xXoO_+-.:".contains(byte));
    // A sign follows only an exponent.
    let signs = (1..bytes.len()).filter(|&at| matches!(bytes[at], b'+' | b'-'));
    of_numbers && signs.into_iter().all(|at| matches!(bytes[at - 1], b'e' | b'E'))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use serde_json::json;

    use super::*;
    use crate::{Tenant, raw_values};

    /// What the library reads, if there is no mistake.
    fn by_the_library(text: &str) -> Option<Json> {
        let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
        let values = serde_saphyr::from_str_with_options(text, options.clone()).ok()?;
        raw_values::check(&values, text).ok()?;
        serde_saphyr::from_str_with_options(text, options).ok()
    }

    /// Every tenant file of the repository.
    fn files() -> Vec<PathBuf> {
        let in_folder = |folder: &Path| {
            let entries = fs::read_dir(folder).into_iter().flatten();
            entries.map(|entry| entry.expect("the folder is readable").path()).collect::<Vec<_>>()
        };
        let stacks = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folders = in_folder(stacks);
        let mut files: Vec<_> = folders
            .iter()
            .flat_map(|folder| [in_folder(folder), in_folder(&folder.join("tenants"))])
            .flatten()
            .collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
        files.sort();
        assert!(files.len() > 5, "{files:?}");
        files
    }

    #[test]
    fn a_plain_file_is_read() {
        let text = "# A comment\na:\n  b-c: 0 5 * * ? *  # daily\n  d: [x, 'y', 5]\n\n  e:\n  - 1\n  - https://example.com/f\n  - { i: [j], k: { l: 0 } }\ng: true\nh: \"no\"\n";
        let expected = json!({
            "a": { "b-c": "0 5 * * ? *", "d": ["x", "y", 5], "e": [1, "https://example.com/f", { "i": ["j"], "k": { "l": 0 } }] },
            "g": true,
            "h": "no",
        });
        assert_eq!(read(text), Some(expected));
    }

    #[test]
    fn the_tenant_files_are_plain_and_mean_the_same_to_the_library() {
        let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
        let mut plain = Vec::new();
        for path in files() {
            let text = fs::read_to_string(&path).unwrap();
            let Some(json) = read(&text) else { continue };
            let expected: Tenant = serde_saphyr::from_str_with_options(&text, options.clone()).unwrap();
            let tenant: Tenant = serde_json::from_value(json).unwrap();
            assert_eq!(format!("{tenant:?}"), format!("{expected:?}"), "{}", path.display());
            plain.push(path.file_stem().unwrap().to_string_lossy().into_owned());
        }
        for name in ["bench", "example"] {
            assert!(plain.iter().any(|plain| plain == name), "{name} is not plain: {plain:?}");
        }
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_library() {
        for text in [
            "",
            "a:",
            "a: ",
            "a: ~",
            "a: null",
            "a: yes",
            "a: 012",
            "a: 0x1",
            "a: 1.5",
            "a: 1e5",
            "a: +1",
            "a: -1",
            "a: 12:30",
            "a: b: c",
            "a: 'b",
            "a: {}",
            "a: []",
            "a: [b",
            "a: [b, ]",
            "a: '{{resolve:ssm:x}}'",
            "a: \"\\x7b\"",
            "a: !!binary eA==",
            "a: &b c",
            "a: *b",
            "a: |\n  b",
            "a: b\n  c",
            "a:\n  b: c\n d: e",
            "a: b\na: c",
            "a:\n- b\n  c",
            "a:\n- b: c",
            "a: b\n---\nc: d",
            " a: b\nc: d",
            "a:\tb",
            "\ta: b",
            "a: b\r",
            "<<: b",
            "a : b",
            "1: b",
            "true: b",
            "a: \u{e9}",
            "a: b:",
            "- a",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_library_agrees_about_every_file_that_is_read() {
        const ALPHABET: &[u8] = b" \n:-#'\"[]{},.0159aeExnytf_+*&!|>%@?/\\~\t\r=";
        let mut random = 1_u64;
        let mut next = |below: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as usize % below
        };
        let mut read_files = 0;
        for path in files() {
            let text = fs::read_to_string(&path).unwrap();
            let small: String =
                text.lines().filter(|line| line.is_ascii()).take(40).flat_map(|line| [line, "\n"]).collect();
            for changes in 0..160 {
                let mut bytes = small.clone().into_bytes();
                for _ in 0..changes % 4 {
                    let (at, byte) = (next(bytes.len()), ALPHABET[next(ALPHABET.len())]);
                    match next(3) {
                        0 => bytes[at] = byte,
                        1 => bytes.insert(at, byte),
                        _ => drop(bytes.remove(at)),
                    }
                }
                let text = String::from_utf8(bytes).unwrap();
                if let Some(json) = read(&text) {
                    read_files += 1;
                    assert_eq!(Some(json), by_the_library(&text), "{text}");
                }
            }
        }
        assert!(read_files > 400, "{read_files}");
    }
}
