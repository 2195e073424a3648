//! Nothing that Slack sends causes a panic, and no line is lost or invented. `PROPTEST_CASES=20000` tries harder.

use arrow_array::RecordBatch;
use proptest::prelude::*;
use slack_connector::{Booleans, Limits, Lines, Part, Records};

use crate::world::{gzip, members};

fn lines() -> Lines<Records> {
    let limits = Limits { bytes: 1 << 20, line: 1 << 12, lines: 1000, ratio: 200 };
    Lines::new(Records::new("2026-11-10".to_owned(), Part::WHOLE, Booleans::Text, |_| true), limits)
}

/// The rows of a body that arrives in pieces of these sizes; `None` if it cannot be read.
fn rows(bytes: &[u8], pieces: &[usize]) -> Option<usize> {
    let mut lines = lines();
    let (mut rest, mut pieces) = (bytes, pieces.iter().cycle());
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at((*pieces.next().unwrap()).min(rest.len()));
        lines.push(piece).ok()?;
        rest = behind;
    }
    Some(lines.finish().ok()?.finish().iter().map(|batch| batch.num_rows()).sum())
}

fn pieces() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1..400_usize, 1..6)
}

/// Lines that look like records, some of them broken.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let value = prop_oneof![
        "null|true|false|-?[0-9]{1,20}|1e5|\"[a-z\\\\u0-9é]{0,12}\"|\\[1,\\{\\}\\]|\\{\"x\":1\\}",
        "[ -~]{0,8}"
    ];
    let name = prop_oneof!["user_id|is_active|is_active_iOS|search_count|date|email_address|ok|error", "[a-z]{0,6}"];
    let field = (name, value).prop_map(|(name, value)| format!("\"{name}\":{value}"));
    let record = prop::collection::vec(field, 0..5).prop_map(|fields| format!("{{{}}}\n", fields.join(",")));
    prop_oneof![
        prop::collection::vec(record, 0..8).prop_map(|records| records.concat().into_bytes()),
        prop::collection::vec(any::<u8>(), 0..300),
    ]
}

/// What becomes of lines that are read one after the other: their rows, or the mistake.
fn read(lines: &[String], part: Part, wanted: fn(&str) -> bool) -> Result<Vec<RecordBatch>, String> {
    let records = Records::new("2026-11-10".to_owned(), part, Booleans::Boolean, wanted);
    let mut split = Lines::new(records, Limits::default());
    split.push(lines.concat().as_bytes()).map_err(|problem| format!("{problem:?}"))?;
    split.finish().map(Records::finish).map_err(|problem| format!("{problem:?}"))
}

/// Lines with the same fields in the same order, most of which look alike.
fn similar() -> impl Strategy<Value = Vec<String>> {
    let text = "\"[a-zA-Z0-9@.é]{0,12}\"|\"2026-11-10\"";
    let usual = prop_oneof![4 => text, 4 => "0|[1-9][0-9]{0,17}", 4 => "true|false|null"];
    let strange =
        "-1|01|00|[1-9][0-9]{18,19}|1\\.0|1e2|tru|nul|\"\\\\n\"|\"\\\\u0041\"|\"\t\"|\"a|\\{\\}|\\[1\\]|| 1|\"a\" |1x";
    let value = prop_oneof![40 => usual, 1 => strange];
    let names = prop::sample::subsequence(
        vec![
            "enterprise_id",
            "date",
            "user_id",
            "user_id",
            "email_address",
            "is_guest",
            "is_active",
            "is_active_iOS",
            "is_active_ios",
            "enterprise_user_id",
            "messages_posted_count",
            "search_count",
            "unknown",
            "date_claimed",
        ],
        0..14,
    )
    .prop_shuffle();
    (names, prop::collection::vec((prop::collection::vec(value, 14), any::<u16>(), 0..20_u8), 1..6)).prop_map(
        |(names, lines)| {
            let line = |(values, left_out, end): (Vec<String>, u16, u8)| {
                // Three lines in four have all fields.
                let is_there = |index: usize| left_out % 4 > 0 || left_out >> (index + 2) & 1 == 0;
                let fields = names.iter().zip(values).enumerate().filter(|(index, _)| is_there(*index));
                let typed = fields.map(|(_, (name, value))| {
                    let value = match *name {
                        // Most values have the type of their column.
                        "user_id" | "enterprise_id" | "email_address" if end > 2 => {
                            format!("\"{}\"", value.replace(['"', '\\', '\t'], ""))
                        }
                        "is_guest" | "is_active" if end > 2 => (value.len() % 2 == 0).to_string(),
                        "messages_posted_count" | "search_count" if end > 2 => value.len().to_string(),
                        "date" if end > 2 => "\"2026-11-10\"".to_owned(),
                        _ => value,
                    };
                    format!("\"{name}\":{value}")
                });
                let end = ["}\r\n", "}}\n", "} \n"].get(usize::from(end)).copied().unwrap_or("}\n");
                format!("{{{}{end}", typed.collect::<Vec<_>>().join(","))
            };
            lines.into_iter().map(line).collect()
        },
    )
}

/// A column that the query needs, besides the ones that identify a member.
fn few(name: &str) -> bool {
    name == "messages_posted_count"
}

proptest! {
    #![proptest_config(crate::cases(250))]

    #[test]
    fn lines_that_look_alike_are_read_as_if_each_were_the_first(lines in similar(), part in 0..3_u32) {
        // A space after the brace makes a line look different from all others.
        let spaced: Vec<String> = lines.iter().map(|line| line.replacen('{', "{ ", 1)).collect();
        let part = if part == 2 { Part::WHOLE } else { Part::new(part, 2).unwrap() };
        for wanted in [(|_| true) as fn(&str) -> bool, few] {
            prop_assert_eq!(read(&lines, part, wanted), read(&spaced, part, wanted));
        }
    }

    #[test]
    fn any_text_is_read_or_refused_whether_compressed_or_not(text in text(), pieces in pieces()) {
        let plain = rows(&text, &pieces);
        let compressed = rows(&gzip(&text), &pieces);
        // Text that starts like gzip, and an empty body, are not confused with files.
        if text.len() >= 2 && !text.starts_with(&[0x1F, 0x8B]) {
            prop_assert_eq!(plain, compressed);
        }
    }

    #[test]
    fn a_changed_file_is_read_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
        pieces in pieces(),
    ) {
        let mut bytes = gzip(members("2026-11-10").repeat(5).as_bytes());
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        // A changed header may leave the content intact; changed content is detected by its checksum.
        prop_assert!(rows(&bytes, &pieces).is_none_or(|rows| rows == 15));
    }

    #[test]
    fn the_size_of_the_pieces_does_not_matter(pieces in pieces(), records in 0..40_usize) {
        let text = members("2026-11-10").repeat(records);
        let bytes = [gzip(text.as_bytes()), gzip(text.as_bytes())].concat();
        prop_assert_eq!(rows(&bytes, &pieces), Some(6 * records));
    }
}
