//! A page of a result as CSV, RFC 4180: commas, CRLF, quotes if a value needs them.
//!
//! NULL is empty, an empty text is `""`. A text that a spreadsheet would interpret as a formula is prefixed with `'`, if its
//! first character is one of `=+-@`, a tab or a line end: <https://owasp.org/www-community/attacks/CSV_Injection>. Numbers are
//! not changed.

use queries::ColumnType;
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
            Field::Double(value) => out.push_str(&value.to_string()),
            Field::Text(text) => write_text(text, is_text.get(place).copied().unwrap_or(true), out),
        }
    }
    out.push_str("\r\n");
}

fn write_text(text: &str, is_free: bool, out: &mut String) {
    let guard = if is_free && text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { "'" } else { "" };
    if text.is_empty() || text.contains(['"', ',', '\r', '\n']) || !guard.is_empty() {
        out.push('"');
        out.push_str(guard);
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(text);
    }
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
}
