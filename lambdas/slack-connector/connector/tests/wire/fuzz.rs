//! Nothing that Slack sends causes a panic, and no line is lost or invented. `PROPTEST_CASES=20000` tries harder.

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

proptest! {
    #![proptest_config(crate::cases(250))]

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
