//! Tokens as they leave the database and return: what is accepted, and that nothing else is.

#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fastrand::Rng;
use write_back::{Accepted, Action, Fault, Key, LONGEST_LIFE, Refusal, Row, Signer, Terms, Token};

const ISSUED: u64 = 1_714_557_600;
const EXPIRES: u64 = ISSUED + 1800;
const TERMS: Terms<'_> = Terms { tenant: "acme", audience: "a1b2c3d4e5", issued: ISSUED, expires: EXPIRES };
const QUOTE: &str = "f0000000-0000-4000-8000-000000000001";
const ROW: Row<'_> = Row {
    action: Some("generate"),
    customer: Some("O'Brien & Söhne"),
    skill: Some("Java"),
    cost: Some("100"),
    quote_id: None,
};

fn key(kid: &str, key: &str) -> Key {
    Key::parse(&format!(r#"{{"kid":"{kid}","key":"{key}"}}"#)).unwrap()
}

fn k1() -> Key {
    key("k1", "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01")
}

fn signed(row: &Row<'_>, terms: &Terms<'_>, key: &Key) -> Result<String, Fault> {
    let mut token = String::new();
    Signer::new(key, terms).unwrap().sign(row, &mut token).map(|()| token)
}

fn token(row: &Row<'_>) -> String {
    signed(row, &TERMS, &k1()).unwrap()
}

fn accept(token: &str, key: &Key, now: u64) -> Result<Accepted, Refusal> {
    Token::decode(token)?.accept(key, TERMS.tenant, TERMS.audience, now)
}

#[test]
fn a_token_has_the_form_that_is_documented() {
    // Created with Python's hashlib and struct from the documented form.
    let expected = "AgAAAAJrMQAAAARhY21lAAAACmExYjJjM2Q0ZTUAAAAAZjISoAAAAABmMhmoAAAACGdlbmVyYXRlBAEAAAAQTydCcmllbiAmIFPDtmhuZQEAAAAESmF2YQEAAAAGMTAwLjAwAFPOuz4OZhlsudsmgtxGjaL9HrHBhASHReFqu2UjV5SQ";
    assert_eq!(token(&ROW), expected);
    let accepted = accept(expected, &k1(), ISSUED).unwrap();
    assert_eq!(accepted.link.customer, "O'Brien & Söhne");
    assert_eq!(accepted.link.cost.as_str(), "100.00");
    assert_eq!(accepted.submission.id(), "53cebb3e0e66196cb9db2682dc468da2fd1eb1c184048745e16abb6523579490");
    assert!(!accepted.submission.name().contains("53cebb3e"), "the name reveals nothing about the MAC");
}

#[test]
fn an_accept_link_carries_its_quote() {
    let row = Row { action: Some("accept"), quote_id: Some(QUOTE), ..ROW };
    let accepted = accept(&token(&row), &k1(), ISSUED).unwrap();
    assert!(matches!(accepted.link.action, Action::Accept(id) if id.as_str() == QUOTE));
}

#[test]
fn rows_that_differ_have_tokens_that_differ() {
    let rows = [
        ROW,
        Row { customer: Some("ab"), skill: Some("c"), ..ROW },
        Row { customer: Some("a"), skill: Some("bc"), ..ROW },
        Row { customer: Some("abc"), skill: Some(""), ..ROW },
        Row { action: Some("accept"), quote_id: Some(QUOTE), ..ROW },
        Row { cost: Some("100.01"), ..ROW },
    ];
    let mut macs: Vec<String> =
        rows.iter().map(|row| accept(&token(row), &k1(), ISSUED).unwrap().submission.id()).collect();
    macs.sort();
    macs.dedup();
    assert_eq!(macs.len(), rows.len());
}

#[test]
fn two_spellings_of_one_row_have_one_token() {
    let composed = Row { customer: Some("Soci\u{e9}t\u{e9}"), cost: Some("0100.5"), ..ROW };
    let decomposed = Row { customer: Some("Socie\u{301}te\u{301}"), cost: Some("100.50"), ..ROW };
    assert_eq!(token(&composed), token(&decomposed));
}

#[test]
fn a_row_that_cannot_be_written_back_is_not_signed() {
    let long = "x".repeat(257);
    for (row, fault) in [
        (Row { action: None, ..ROW }, Fault::Null),
        (Row { customer: None, ..ROW }, Fault::Null),
        (Row { skill: None, ..ROW }, Fault::Null),
        (Row { cost: None, ..ROW }, Fault::Null),
        (Row { action: Some("delete"), ..ROW }, Fault::Action),
        (Row { quote_id: Some(QUOTE), ..ROW }, Fault::QuoteId),
        (Row { action: Some("accept"), ..ROW }, Fault::QuoteId),
        (Row { action: Some("accept"), quote_id: Some("1"), ..ROW }, Fault::QuoteId),
        (Row { cost: Some("1e400"), ..ROW }, Fault::Cost),
        (Row { cost: Some("-0"), ..ROW }, Fault::Cost),
        (Row { cost: Some("NaN"), ..ROW }, Fault::Cost),
        (Row { cost: Some("12,5"), ..ROW }, Fault::Cost),
        (Row { customer: Some(&long), ..ROW }, Fault::Text),
        (Row { skill: Some("a\0"), ..ROW }, Fault::Text),
    ] {
        assert_eq!(signed(&row, &TERMS, &k1()), Err(fault));
    }
}

#[test]
fn the_longest_row_still_fits_into_a_link() {
    let (text, kid) = ("x".repeat(256), "k".repeat(64));
    let row = Row {
        action: Some("accept"),
        customer: Some(&text),
        skill: Some(&text),
        cost: Some("9999999999999999.99"),
        quote_id: Some(QUOTE),
    };
    let terms = Terms { tenant: &text[..64], audience: &text[..64], ..TERMS };
    let token = signed(&row, &terms, &key(&kid, &text[..64])).unwrap();
    assert!(token.len() <= 1376, "{}", token.len());
    let terms = Terms { tenant: &text, audience: &text, ..TERMS };
    assert_eq!(signed(&row, &terms, &key(&kid, &text[..64])), Err(Fault::TooLong));
}

#[test]
fn the_expiry_is_exact_to_the_second() {
    let token = token(&ROW);
    for (now, expected) in [
        (ISSUED - 121, Err(Refusal::Rejected)),
        (ISSUED - 120, Ok(())),
        (EXPIRES, Ok(())),
        (EXPIRES + 120, Ok(())),
        (EXPIRES + 121, Err(Refusal::Expired)),
    ] {
        assert_eq!(accept(&token, &k1(), now).map(drop), expected, "{now}");
    }
}

#[test]
fn a_life_that_is_negative_or_longer_than_a_month_is_rejected() {
    for (expires, expected) in [
        (ISSUED + LONGEST_LIFE, Ok(())),
        (ISSUED + LONGEST_LIFE + 1, Err(Refusal::Rejected)),
        (u64::MAX, Err(Refusal::Rejected)),
        (ISSUED - 1, Err(Refusal::Rejected)),
    ] {
        let token = signed(&ROW, &Terms { expires, ..TERMS }, &k1()).unwrap();
        assert_eq!(accept(&token, &k1(), ISSUED).map(drop), expected, "{expires}");
    }
}

#[test]
fn a_token_for_somebody_else_is_rejected_even_if_it_is_expired() {
    let (k1, other) = (k1(), key("k1", &"other-key-".repeat(4)));
    let theirs = Terms { tenant: "umbrella", ..TERMS };
    let elsewhere = Terms { audience: "zzzzzzzzzz", ..TERMS };
    for (token, key) in [
        (signed(&ROW, &theirs, &k1).unwrap(), &k1),
        (signed(&ROW, &elsewhere, &k1).unwrap(), &k1),
        (signed(&ROW, &TERMS, &other).unwrap(), &k1),
    ] {
        for now in [ISSUED, EXPIRES + 1000] {
            assert_eq!(accept(&token, key, now), Err(Refusal::Rejected));
        }
    }
}

#[test]
fn a_mac_of_a_different_length_is_rejected() {
    let token = URL_SAFE_NO_PAD.decode(token(&ROW)).unwrap();
    let (payload, mac) = token.split_at(token.len() - 32);
    for mac in [&mac[..0], &mac[..16], &mac[..31], &[mac, &[0]].concat()] {
        let forged = URL_SAFE_NO_PAD.encode([payload, mac].concat());
        assert_eq!(accept(&forged, &k1(), ISSUED), Err(Refusal::Rejected));
    }
}

#[test]
fn a_token_has_one_spelling() {
    // The last of these characters carries bits that belong to no byte.
    let rows = ["", "a", "ab"].map(|customer| token(&Row { customer: Some(customer), ..ROW }));
    let mut respelled = 0;
    for token in &rows {
        let spellings = [
            format!("{token}="),
            format!("{token}=="),
            format!("{token}A"),
            format!(" {token}"),
            format!("{token}\n"),
            token.replace('_', "/").replace('-', "+"),
        ];
        for spelling in spellings.iter().filter(|spelling| *spelling != token) {
            assert_eq!(accept(spelling, &k1(), ISSUED), Err(Refusal::Rejected), "{spelling}");
        }
        let (start, last) = token.split_at(token.len() - 1);
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars() {
            let spelling = format!("{start}{letter}");
            if letter.to_string() != last {
                respelled += 1;
                assert_eq!(accept(&spelling, &k1(), ISSUED), Err(Refusal::Rejected), "{spelling}");
            }
        }
    }
    assert_eq!(respelled, 3 * 63);
}

/// The seed is printed; `SEED=… cargo test -p write-back` repeats a seed.
#[test]
fn of_a_million_mutated_tokens_none_is_accepted() {
    const TOKENS: usize = 1_000_000;
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0x5eed_0000_0005);
    println!("seed {seed}");
    let mut random = Rng::with_seed(seed);
    let keys = [k1(), key("k2", &"second-key".repeat(5))];
    let theirs = Terms { tenant: "umbrella", ..TERMS };
    let rows = [
        ROW,
        Row { customer: Some("ab"), skill: Some("c"), ..ROW },
        Row { action: Some("accept"), quote_id: Some(QUOTE), cost: Some("99999.99"), ..ROW },
        Row { customer: Some(""), skill: Some("Java Java Java"), ..ROW },
    ];
    let mut good: Vec<String> = Vec::new();
    for key in &keys {
        good.extend(rows.iter().map(|row| signed(row, &TERMS, key).unwrap()));
    }
    let foreign: Vec<String> = rows.iter().map(|row| signed(row, &theirs, &keys[0]).unwrap()).collect();
    let mut reached = 0;
    for number in 0..TOKENS {
        let mutated = mutated(&mut random, &good, &foreign);
        if good.contains(&mutated) {
            continue;
        }
        let Ok(token) = Token::decode(&mutated) else { continue };
        let Some(key) = keys.iter().find(|key| key.kid() == token.kid()) else { continue };
        reached += 1;
        let verdict = token.accept(key, TERMS.tenant, TERMS.audience, ISSUED);
        assert_eq!(verdict, Err(Refusal::Rejected), "seed {seed}, token {number}: {mutated}");
    }
    assert!(reached > TOKENS / 3, "only {reached} reached the MAC");
}

/// One of the good tokens after one change: bits, characters, parts of two, field borders, key ID, encoding.
fn mutated(random: &mut Rng, good: &[String], foreign: &[String]) -> String {
    let text = &good[random.usize(..good.len())];
    let other = &good[random.usize(..good.len())];
    let mut bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
    let at = random.usize(..bytes.len());
    match random.u8(..10) {
        0 => bytes[at] ^= 1 << random.u8(..8),
        1 => bytes[at] = random.u8(..),
        2 => {
            let to = random.usize(..bytes.len());
            bytes.swap(at, to);
        }
        3 => bytes.truncate(at),
        4 => bytes.insert(at, random.u8(..)),
        5 => drop(bytes.remove(at)),
        // The payload of one with the MAC of another.
        6 => {
            let other = URL_SAFE_NO_PAD.decode(other).unwrap();
            let (end, others_end) = (bytes.len() - 32, other.len() - 32);
            bytes.truncate(end);
            bytes.extend_from_slice(&other[others_end..]);
        }
        // A byte moved across the border of two fields, with corrected lengths.
        7 => {
            let border = bytes.windows(5).position(|window| window == [1, 0, 0, 0, 4]);
            if let Some(border) = border {
                bytes[border + 4] = 3;
                bytes.remove(border + 5);
                bytes.insert(at.min(border), b'J');
            }
        }
        8 => return foreign[random.usize(..foreign.len())].clone(),
        _ => {
            let mut letters = text.clone().into_bytes();
            let at = random.usize(..letters.len());
            letters[at] = b"ABCXYZabcxyz019-_=+/ "[random.usize(..21)];
            return String::from_utf8(letters).unwrap();
        }
    }
    URL_SAFE_NO_PAD.encode(bytes)
}
