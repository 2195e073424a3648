//! Files in all variations: compression, limits, lines and values, each with one fixed result.

use std::io::Write;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use flate2::Compression;
use flate2::write::GzEncoder;
use loopback::reply;
use serde_json::json;
use slack_connector::{Booleans, Limits, Lines, Part, Records, Unreadable};

use crate::world::{World, body, file, gzip, members};

const DAY: &str = "2026-11-10";

#[tokio::test]
async fn a_file_may_be_compressed_in_any_way() {
    let text = members(DAY);
    let lines: Vec<&str> = text.lines().collect();
    let halves = [
        gzip(format!("{}\n{}", lines[0], &lines[1][..9]).as_bytes()),
        gzip(format!("{}\n{}\n", &lines[1][9..], lines[2]).as_bytes()),
    ];
    let world = World::new().await;
    for answer in [
        file(&text),
        body(halves.concat()),
        body([gzip(b""), gzip(text.as_bytes()), gzip(b"")].concat()),
        // Not compressed, as some stand-ins send it.
        reply(200, &text),
        file(text.trim_end()),
        reply(200, text.trim_end()),
        file(&text.replace('\n', "\r\n")),
        file(&format!("\u{FEFF}{text}")),
        file(&text.replace('\n', "\n\n  \n")),
    ] {
        world.slack([answer]);
        assert_eq!(world.read(DAY).await.unwrap().num_rows(), 3);
    }
    world.slack([file("")]);
    assert_eq!(world.read(DAY).await.unwrap().num_rows(), 0);
}

#[tokio::test]
async fn a_damaged_file_is_an_error_and_never_some_of_its_rows() {
    let text: String =
        (0..3000).map(|id| format!("{{\"user_id\":\"U{id}\",\"search_count\":{}}}\n", id * 7919 % 1000)).collect();
    let whole = gzip(text.as_bytes());
    let cut = |at: usize| whole[..at].to_vec();
    let changed = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        bytes
    };
    let end = whole.len();
    let world = World::new().await;
    for damaged in [
        cut(1),
        cut(2),
        cut(9),
        cut(end / 2),
        cut(end - 8),
        cut(end - 4),
        cut(end - 1),
        changed(2),
        changed(end / 2),
        changed(end - 8),
        changed(end - 1),
        [whole.clone(), b"garbage".to_vec()].concat(),
        [whole.clone(), cut(12)].concat(),
        Vec::new(),
    ] {
        let length = damaged.len();
        world.slack([body(damaged)]);
        let error = world.refused(DAY).await;
        assert!(error.message.contains(DAY), "{length} of {end} bytes: {error}");
    }
}

#[tokio::test]
async fn each_kind_of_value_has_one_result() {
    let world = World::new().await;
    for (line, shown) in [
        (r#"{"user_id":"a\u0000b"}"#, Some("a\0b")),
        (r#"{"user_id":"\ud83d\ude00"}"#, Some("😀")),
        (r#"{"user_id":""}"#, Some("")),
        (r#"{"user_id":42}"#, Some("42")),
        (r#"{"user_id":null}"#, None),
        (r#"{}"#, None),
        (r#"{"USER_ID":"x"}"#, None),
        (r#"{"enterprise_user_id":"W1"}"#, Some("W1")),
        (r#"{"enterprise_user_id":7}"#, Some("7")),
        (r#"{"enterprise_user_id":"W1","user_id":"U1"}"#, Some("U1")),
        (r#"{"user_id":"U1","enterprise_user_id":"W1"}"#, Some("U1")),
    ] {
        world.slack([file(line)]);
        let rows = world.read(DAY).await.unwrap();
        let ids = rows.column_by_name("user_id").unwrap().as_string::<i32>();
        assert_eq!((rows.num_rows(), ids.is_valid(0).then(|| ids.value(0))), (1, shown), "{line}");
    }
    for (line, says) in [
        (r#"{"user_id":"a"#, "is not one JSON object"),
        (r#"{"user_id":"\ud800"}"#, "is not one JSON object"),
        (r#"{"x":"a"} {"y":1}"#, "is not one JSON object"),
        (r#"["user_id"]"#, "is not one JSON object"),
        (r#"{"search_count":NaN}"#, "is not one JSON object"),
        (r#"{"search_count":01}"#, "is not one JSON object"),
        ("{\"user_id\":\"raw\u{1}control\"}", "is not one JSON object"),
        (r#"{"search_count":1.5}"#, "`search_count` a fraction instead of a whole number"),
        (r#"{"search_count":1e3}"#, "`search_count` a fraction"),
        (r#"{"search_count":"3"}"#, "`search_count` text instead of a whole number"),
        (r#"{"search_count":9223372036854775808}"#, "`search_count` a larger number"),
        (r#"{"search_count":true}"#, "`search_count` true or false instead"),
        (r#"{"is_active":"true"}"#, "`is_active` text instead of true or false"),
        (r#"{"is_active":1}"#, "`is_active` a number instead"),
        (r#"{"user_id":["x"]}"#, "`user_id` a list instead of text"),
        (r#"{"user_id":{"x":1}}"#, "`user_id` an object instead of text"),
        (r#"{"user_id":"canary.person","user_id":"canary.person"}"#, "`user_id` two values"),
        (r#"{"is_active_iOS":true,"is_active_ios":true}"#, "`is_active_ios` two values"),
        (r#"{"date":"2026-11-09"}"#, "`date` text instead of the day of the file"),
    ] {
        world.slack([file(&format!("{{}}\n\n{line}\n"))]);
        let error = world.refused(DAY).await;
        assert!(error.message.contains("line 3 ") && error.message.contains(says), "{line}: {error}");
    }
    world.slack([body(gzip(b"{}\n{\"user_id\":\"\xff\"}\n"))]);
    assert!(world.refused(DAY).await.message.contains("line 2 is not UTF-8"));
}

fn records() -> Records {
    Records::new(DAY.to_owned(), Part::WHOLE, Booleans::Boolean, |_| true)
}

/// The rows, or why there are none.
fn rows(bytes: &[u8], limits: Limits) -> Result<usize, String> {
    let mut lines = Lines::new(records(), limits);
    // In pieces, as a network delivers them.
    for piece in bytes.chunks(1000) {
        lines.push(piece).map_err(|problem| format!("{problem:?}"))?;
    }
    let records = lines.finish().map_err(|problem| format!("{problem:?}"))?;
    Ok(records.finish().iter().map(|batch| batch.num_rows()).sum())
}

#[test]
fn limits_are_exact() {
    let limits = Limits { bytes: 3000, line: 30, lines: 100, ratio: 200 };
    let line = |length: usize| format!("{{\"user_id\":\"{}\"}}\n", "x".repeat(length - 14));
    let cases = [
        (line(30), Ok(1)),
        (line(31), Err("TooMuch(\"bytes in a line\")")),
        (line(31).trim_end().to_owned(), Err("TooMuch(\"bytes in a line\")")),
        (line(20).repeat(100), Ok(100)),
        (line(20).repeat(101), Err("TooMuch(\"lines\")")),
        (line(29).repeat(100), Ok(100)),
        (line(30).repeat(97), Err("TooMuch(\"bytes\")")),
    ];
    for (text, expected) in cases {
        let expected = expected.map_err(str::to_owned);
        assert_eq!(rows(text.as_bytes(), limits), expected, "{} bytes", text.len());
        assert_eq!(rows(&gzip(text.as_bytes()), limits), expected, "{} bytes, compressed", text.len());
    }
}

#[test]
fn a_bomb_is_stopped_by_its_ratio_long_before_its_size() {
    // 4 MB in 4 KB, a ratio of 1,000 to 1; beyond the first megabyte, 200 to 1 is allowed.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(" ".repeat(1023).as_bytes()).unwrap();
    (0..1 << 12).for_each(|_| encoder.write_all(format!("\n{}", " ".repeat(1023)).as_bytes()).unwrap());
    let bomb = encoder.finish().unwrap();
    let mut lines = Lines::new(records(), Limits::default());
    let problem = bomb.chunks(1024).map(|piece| lines.push(piece)).find_map(Result::err);
    assert_eq!(problem, Some(Unreadable::TooMuch("bytes for its compressed size")), "{} bytes", bomb.len());
}

#[test]
fn a_batch_is_limited_by_rows_and_bytes() {
    let long = format!("{{\"user_id\":\"{}\"}}\n", "x".repeat(60_000));
    for (line, most) in [("{}\n", 65_536), (&long, (32 << 20) / long.len() + 1)] {
        let mut lines = Lines::new(records(), Limits::default());
        lines.push(line.repeat(most + 1).as_bytes()).unwrap();
        let whole: Vec<_> = lines.take().unwrap().ready();
        let rest = lines.finish().unwrap().finish();
        let rows: Vec<usize> = whole.iter().chain(&rest).map(|batch| batch.num_rows()).collect();
        assert_eq!((whole.len(), rows), (1, vec![most, 1]), "lines of {} bytes", line.len());
    }
}

#[tokio::test]
async fn an_error_only_counts_if_it_is_the_whole_answer() {
    let world = World::new().await;
    world.slack([file(&format!("{}\n", json!({"user_id": "U1", "error": "file_not_found"})))]);
    assert_eq!(world.read(DAY).await.unwrap().num_rows(), 1);
}
