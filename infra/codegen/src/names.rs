//! Rust names for CloudFormation's names.

use cfn::rust_name;

/// The module of a type's service: `AWS::SecretsManager::Secret` is in `secretsmanager`.
pub fn service(ty: &str) -> String {
    let namespace = ty.rsplit_once("::").map_or(ty, |(namespace, _)| namespace);
    identifier(namespace.rsplit("::").next().unwrap_or(namespace).to_lowercase())
}

/// The last part of a type: `Secret`.
pub fn short(ty: &str) -> &str {
    ty.rsplit("::").next().unwrap_or(ty)
}

/// A module, setter, field or method: `MemorySize` is `memory_size`, `Type` is `r#type`.
pub fn snake(name: &str) -> String {
    identifier(rust_name(name))
}

/// A struct or an enum: `SSESpecification` is `SseSpecification`.
///
/// Names that Rust's prelude or the generated code needs get the suffix: `Option` is `OptionProperty`.
pub fn camel(name: &str, suffix: &str) -> String {
    let name: String = rust_name(name).split('_').map(capitalized).collect();
    let name = if name.starts_with(|c: char| c.is_ascii_digit()) { format!("V{name}") } else { name };
    if TAKEN.contains(&name.as_str()) { name + suffix } else { name }
}

/// The variant of an enum for one of its values: `PAY_PER_REQUEST` is `PayPerRequest`, `python3.12` is `Python3_12`.
pub fn variant(value: &str) -> String {
    let all_capitals = |word: &str| !word.contains(|c: char| c.is_ascii_lowercase());
    variant_of(value, |word| capitalized(&if all_capitals(word) { word.to_lowercase() } else { word.to_owned() }))
}

/// The variant with the value's own capitals, for values that differ only in capitals.
pub fn verbatim_variant(value: &str) -> String {
    variant_of(value, capitalized)
}

fn variant_of(value: &str, spelled: impl Fn(&str) -> String) -> String {
    let mut name = String::new();
    for word in value.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        if name.ends_with(|c: char| c.is_ascii_digit()) && word.starts_with(|c: char| c.is_ascii_digit()) {
            name.push('_');
        }
        name += &spelled(word);
    }
    match name.as_str() {
        "" => symbols(value),
        "Self" => "SelfValue".to_owned(),
        number if number.starts_with(|c: char| c.is_ascii_digit()) => format!("V{number}"),
        _ => name,
    }
}

/// The name of one item of a list: an item of `Architectures` is an `Architecture`.
pub fn singular(name: &str) -> &str {
    if name.ends_with("sses") || name.ends_with("uses") {
        return &name[..name.len() - 2];
    }
    match name.strip_suffix('s') {
        Some(stem) if !stem.ends_with(['s', 'u', 'i']) => stem,
        _ => name,
    }
}

/// An identifier, also for a word that is a keyword in Rust.
fn identifier(name: String) -> String {
    match name.as_str() {
        "self" | "super" | "crate" => name + "_",
        keyword if KEYWORDS.contains(&keyword) => format!("r#{keyword}"),
        number if number.starts_with(|c: char| c.is_ascii_digit()) => format!("n{number}"),
        _ => name,
    }
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + chars.as_str())
}

/// A name for a value without a letter or digit.
fn symbols(value: &str) -> String {
    let word = |c| match c {
        '*' => "Star",
        '+' => "Plus",
        '-' => "Minus",
        '/' => "Slash",
        '=' => "Equal",
        '<' => "Less",
        '>' => "Greater",
        '!' => "Not",
        '%' => "Percent",
        ' ' => "Space",
        ',' => "Comma",
        ';' => "Semicolon",
        '|' => "Pipe",
        '.' => "Dot",
        _ => "Symbol",
    };
    if value.is_empty() { "Empty".to_owned() } else { value.chars().map(word).collect() }
}

const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else", "enum",
    "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move",
    "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Names that generated code uses unqualified.
const TAKEN: &[&str] = &[
    "Box",
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "Drop",
    "Eq",
    "Err",
    "From",
    "Into",
    "None",
    "Ok",
    "Option",
    "PartialEq",
    "Required",
    "Result",
    "Self",
    "Some",
    "String",
    "Vec",
];
