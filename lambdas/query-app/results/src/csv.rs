//! A page of a result as CSV, RFC 4180: commas, CRLF, quotes if a value needs them.
//!
//! NULL is empty, an empty text is `""`. A text that a spreadsheet would interpret as a formula is prefixed with `'`, if its
//! first character is one of `=+-@`, a tab or a line end: <https://owasp.org/www-community/attacks/CSV_Injection>. Numbers are
//! not changed, and neither is a text that is a number as a whole.

use queries::{ColumnType, double};
use redshift::{Column, Field, Page};

/// The page, with a line of labels if it `is_first`.
pub(crate) fn page(page: &Page, is_first: bool) -> String {
    let mut out = String::new();
    if is_first {
        let labels: Vec<Field> = page.columns.iter().map(|column| Field::Text(column.label.clone())).collect();
        let is_text = vec![true; labels.len()];
        line(&labels, &is_text, &mut out);
    }
    let is_text: Vec<bool> = page.columns.iter().map(is_free).collect();
    for row in &page.rows {
        line(row, &is_text, &mut out);
    }
    out
}

/// Whether a column's texts may contain anything.
fn is_free(column: &Column) -> bool {
    ColumnType::of(column) == ColumnType::Text
}

fn line(row: &[Field], is_text: &[bool], out: &mut String) {
    for (place, field) in row.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        match field {
            Field::Null => {}
            Field::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
            Field::Integer(value) => out.push_str(&value.to_string()),
            Field::Double(value) => out.push_str(&double(*value)),
            Field::Text(text) => write_text(text, is_text.get(place).copied().unwrap_or(true), out),
        }
    }
    out.push_str("\r\n");
}

fn write_text(text: &str, is_free: bool, out: &mut String) {
    let is_formula = is_free && text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) && !is_number(text);
    let guard = if is_formula { "'" } else { "" };
    if text.is_empty() || text.contains(['"', ',', '\r', '\n']) || !guard.is_empty() {
        out.push('"');
        out.push_str(guard);
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(text);
    }
}

/// Whether a text is one decimal number, as a SUPER's `-5` or `+1.5e-3`: a spreadsheet has nothing to execute in it.
fn is_number(text: &str) -> bool {
    let unsigned = |text: &str| text.strip_prefix(['+', '-']).unwrap_or(text).to_owned();
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (number, exponent) = (unsigned(number), unsigned(exponent));
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    is_digits(whole)
        && is_digits(fraction)
        && whole.len() + fraction.len() > 0
        && is_digits(&exponent)
        && !exponent.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_if_needed_and_formulas_become_text() {
        let column = |label: &str, kind: &str| Column {
            name: label.to_owned(),
            label: label.to_owned(),
            kind: kind.to_owned(),
            nullable: true,
        };
        let text = |text: &str| Field::Text(text.to_owned());
        let columns = vec![column("a", "varchar"), column("=b", "numeric"), column("c", "int8")];
        let rows = vec![
            vec![text("=cmd|' /C calc'!A0"), text("-1.50"), Field::Integer(9_007_199_254_740_993)],
            vec![text("a \"b\", c\nd"), Field::Null, Field::Integer(-1)],
            vec![text(""), text("2"), Field::Null],
            vec![text("@x"), Field::Double(0.5), Field::Boolean(true)],
        ];
        let of = Page { columns, rows, next: None };
        let body = "\"'=cmd|' /C calc'!A0\",-1.50,9007199254740993\r\n\"a \"\"b\"\", c\nd\",,-1\r\n\"\",2,\r\n\"'@x\",0.5,true\r\n";
        assert_eq!(page(&of, true), format!("a,\"'=b\",c\r\n{body}"));
        assert_eq!(page(&of, false), body);
    }
    fn cell(kind: &str, field: Field) -> String {
        let column = Column { name: "c".to_owned(), label: "c".to_owned(), kind: kind.to_owned(), nullable: true };
        let of = Page { columns: vec![column], rows: vec![vec![field]], next: None };
        page(&of, false).trim_end_matches("\r\n").to_owned()
    }

    #[test]
    fn floating_point_numbers_are_written_as_in_json() {
        for (value, written) in [
            (1.5e300, "1.5e+300"),
            (-2e-9, "-2e-9"),
            (0.1, "0.1"),
            (100.0, "100.0"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(cell("float8", Field::Double(value)), written);
        }
    }

    #[test]
    fn a_text_that_is_a_number_is_not_a_formula_but_one_that_begins_with_a_number_is() {
        for (text, is_number) in [
            ("-5", true),
            ("+5", true),
            ("-0.5", true),
            ("-.5", true),
            ("-5.", true),
            ("+1.5e-3", true),
            ("-1E10", true),
            ("-1 days", false),
            ("-1 days -02:00:00", false),
            ("-5+cmd|' /C calc'!A0", false),
            ("-2+3", false),
            ("-5\n", false),
            ("--5", false),
            ("-", false),
            ("+.", false),
            ("-e5", false),
            ("-1e", false),
            ("-1e+", false),
            ("-1.2.3", false),
            ("-\u{661}", false),
            ("=1", false),
            ("@1", false),
        ] {
            for kind in ["varchar", "super", "interval"] {
                let written = cell(kind, Field::Text(text.to_owned()));
                assert_eq!(written, if is_number { text.to_owned() } else { format!("\"'{text}\"") });
            }
        }
    }
}
