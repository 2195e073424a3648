//! The files of a finished job: small, valid, and about the job's own parameters.

use anyhow::bail;
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str};
use rust_xlsxwriter::Workbook;
use serde_json::Value;

/// Extension, media type and bytes of a file in the format.
pub(super) fn make(
    format: &str,
    dashboard: &str,
    configuration: &Value,
) -> anyhow::Result<(&'static str, &'static str, Vec<u8>)> {
    let rows = rows(dashboard, configuration);
    Ok(match format {
        "PDF" => ("pdf", "application/pdf", pdf(&rows)),
        "CSV" => ("csv", "text/csv", csv(&rows)),
        "EXCEL" => ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", workbook(&rows)?),
        other => bail!("there is no format {other}"),
    })
}

/// A heading, and a row for each value of each parameter.
fn rows(dashboard: &str, configuration: &Value) -> Vec<[String; 2]> {
    let mut rows = vec![["dashboard".to_owned(), dashboard.to_owned()]];
    let kinds = configuration["Parameters"].as_object().into_iter().flatten();
    for parameter in kinds.flat_map(|(_, parameters)| parameters.as_array().into_iter().flatten()) {
        let name = parameter["Name"].as_str().unwrap_or_default();
        for value in parameter["Values"].as_array().into_iter().flatten() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            rows.push([name.to_owned(), text]);
        }
    }
    rows
}

fn csv(rows: &[[String; 2]]) -> Vec<u8> {
    let quoted = |field: &String| format!("\"{}\"", field.replace('"', "\"\""));
    let line = |row: &[String; 2]| row.each_ref().map(quoted).join(",") + "\r\n";
    rows.iter().map(line).collect::<String>().into_bytes()
}

fn workbook(rows: &[[String; 2]]) -> anyhow::Result<Vec<u8>> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (number, row) in (0..).zip(rows) {
        sheet.write_string(number, 0, &row[0])?.write_string(number, 1, &row[1])?;
    }
    Ok(workbook.save_to_buffer()?)
}

fn pdf(rows: &[[String; 2]]) -> Vec<u8> {
    let [catalog, pages, page, font, content] = [1, 2, 3, 4, 5].map(Ref::new);
    let mut text = Content::new();
    text.begin_text().set_font(Name(b"F1"), 12.0).next_line(56.0, 780.0);
    for row in rows {
        text.show(Str(row.join(": ").as_bytes())).next_line(0.0, -18.0);
    }
    text.end_text();
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(pages);
    pdf.pages(pages).kids([page]).count(1);
    let mut only = pdf.page(page);
    only.parent(pages).media_box(Rect::new(0.0, 0.0, 595.0, 842.0)).contents(content);
    only.resources().fonts().pair(Name(b"F1"), font);
    only.finish();
    pdf.type1_font(font).base_font(Name(b"Helvetica"));
    pdf.stream(content, &text.finish());
    pdf.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_a_file_of_its_kind_with_the_parameters() {
        let configuration = serde_json::json!({"Parameters": {
            "StringParameters": [{"Name": "Region", "Values": ["E \"M\" EA"]}],
            "IntegerParameters": [{"Name": "Big", "Values": [9_007_199_254_740_993_i64]}],
            "DecimalParameters": [{"Name": "Rate", "Values": [0.1]}],
        }});
        let file = |format| make(format, "d1", &configuration).unwrap();
        let (extension, kind, csv) = file("CSV");
        assert_eq!((extension, kind), ("csv", "text/csv"));
        let lines = "\"dashboard\",\"d1\"\r\n\"Rate\",\"0.1\"\r\n\"Big\",\"9007199254740993\"\r\n\"Region\",\"E \"\"M\"\" EA\"\r\n";
        assert_eq!(String::from_utf8(csv).unwrap(), lines);
        let pdf = file("PDF").2;
        assert!(pdf.starts_with(b"%PDF-1.7") && pdf.ends_with(b"%%EOF"));
        assert!(file("EXCEL").2.starts_with(b"PK\x03\x04"));
        assert!(make("HTML", "d1", &configuration).is_err());
    }
}
