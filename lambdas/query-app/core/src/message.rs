//! The messages to browsers over their WebSockets.

use redshift::{Column, Field};
use serde_json::json;

use crate::cells;
use crate::request::{End, Failure, Request};

/// Bytes of one message. API Gateway's frames have 32 KB: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>.
pub const MESSAGE_BYTES: usize = 30_000;

/// The most bytes of rows that are pushed; clients fetch larger results themselves.
pub const PUSHED_BYTES: usize = 1_000_000;

/// The request was accepted.
pub fn accepted(id: &str) -> String {
    json!({"type": "accepted", "requestId": id}).to_string()
}

/// The connection is alive.
pub fn pong() -> String {
    json!({"type": "pong"}).to_string()
}

/// The user must sign in again.
pub fn expired() -> String {
    json!({"type": "expired"}).to_string()
}

/// A client's message has a problem.
pub fn error(id: Option<&str>, code: &str, reason: &str) -> String {
    let mut message = json!({"type": "error", "code": code, "reason": reason});
    if let Some(id) = id {
        message["requestId"] = json!(id);
    }
    message.to_string()
}

/// A request ended without a result.
pub fn failed(request: &Request, failure: Failure) -> String {
    let (code, reason) = (failure.code(), failure.reason());
    let reference = request.reference();
    json!({"type": "error", "requestId": request.id, "code": code, "reason": reason, "reference": reference})
        .to_string()
}

/// A request was cancelled.
pub fn cancelled(request: &Request) -> String {
    json!({"type": "cancelled", "requestId": request.id}).to_string()
}

/// There is a result to fetch.
pub fn ready(request: &Request, rows: u64) -> String {
    let page = format!("/requests/{}/rows", request.id);
    json!({"type": "ready", "requestId": request.id, "rows": rows, "capped": is_capped(request, rows), "page": page})
        .to_string()
}

/// Whether a result may have been cut at the maximum number of rows.
pub fn is_capped(request: &Request, rows: u64) -> bool {
    rows >= u64::from(request.limit)
}

/// How a request ended, as one message.
pub fn ended(request: &Request, end: &End) -> String {
    match end {
        End::Finished { rows } => ready(request, *rows),
        End::Failed(failure) => failed(request, *failure),
        End::Cancelled => cancelled(request),
    }
}

/// A result in messages of at most [`MESSAGE_BYTES`], cut between rows. The cuts are deterministic, so a part is identified by
/// its number.
///
/// `None` if a row is larger than a message, or all rows are larger than what is pushed.
pub fn parts(request: &Request, columns: &[Column], rows: &[Vec<Field>]) -> Option<Vec<String>> {
    let total = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    let head =
        json!({"columns": cells::columns(columns), "total": total, "capped": is_capped(request, total)}).to_string();
    // The fields of the first message, without braces.
    let head = format!("{},", &head[1..head.len() - 1]);
    let begin = |seq: usize| {
        let head = if seq == 0 { head.as_str() } else { "" };
        format!(r#"{{"type":"rows","requestId":"{}","seq":{seq},{head}"rows":["#, request.id)
    };
    const LAST: &str = r#"],"last":false}"#;
    let mut done: Vec<String> = Vec::new();
    let mut bytes = 0;
    let mut part = begin(0);
    let mut is_first = true;
    let mut row_text = String::new();
    for row in rows {
        row_text.clear();
        cells::write_row(row, &mut row_text);
        bytes += row_text.len();
        let comma = usize::from(!is_first);
        if part.len() + comma + row_text.len() + LAST.len() > MESSAGE_BYTES {
            done.push(part + LAST);
            part = begin(done.len());
            is_first = true;
        }
        if bytes > PUSHED_BYTES {
            return None;
        }
        if !is_first {
            part.push(',');
        }
        part.push_str(&row_text);
        is_first = false;
    }
    done.push(part + r#"],"last":true}"#);
    done.iter().all(|part| part.len() <= MESSAGE_BYTES).then_some(done)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::*;
    use crate::query::Bound;

    const ID: &str = "00000000-0000-4000-8000-000000000001";

    fn request() -> Request {
        let bound = Bound { sql: String::new(), values: Vec::new() };
        Request::new("user", ID, "query", &bound, 10_000, 0)
    }

    fn column(kind: &str) -> Column {
        Column { name: "c".to_owned(), label: "é\"".to_owned(), kind: kind.to_owned(), nullable: true }
    }

    fn field(random: &mut fastrand::Rng) -> Field {
        let most = if random.u8(..) == 0 { 5000 } else { 60 };
        let length = random.usize(0..most);
        match random.u8(0..6) {
            0 => Field::Null,
            1 => Field::Boolean(random.bool()),
            2 => Field::Integer(random.i64(..)),
            3 => Field::Double(random.f64()),
            _ => Field::Text((0..length).map(|_| random.char('\0'..)).collect()),
        }
    }

    #[test]
    fn the_parts_of_any_result_are_small_enough_and_together_are_the_result() {
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let width = random.usize(1..8);
            let rows: Vec<Vec<Field>> =
                (0..random.usize(0..400)).map(|_| (0..width).map(|_| field(&mut random)).collect()).collect();
            let Some(parts) = parts(&request(), &vec![column("varchar"); width], &rows) else {
                let size: usize = rows.iter().flatten().map(|field| field.text().map_or(0, str::len)).sum();
                assert!(size > PUSHED_BYTES / 8, "seed {seed}: {size} bytes of text are few enough to push");
                continue;
            };
            let mut together: Vec<Value> = Vec::new();
            for (seq, part) in parts.iter().enumerate() {
                assert!(part.len() <= MESSAGE_BYTES, "seed {seed}: {} bytes", part.len());
                let part: Map<String, Value> = serde_json::from_str(part).unwrap();
                assert_eq!((&part["seq"], &part["last"]), (&json!(seq), &json!(seq == parts.len() - 1)));
                assert_eq!(part.contains_key("columns") && part["total"] == rows.len(), seq == 0);
                together.extend(part["rows"].as_array().unwrap().iter().cloned());
            }
            let mut whole = Vec::new();
            for row in &rows {
                let mut text = String::new();
                cells::write_row(row, &mut text);
                whole.push(serde_json::from_str::<Value>(&text).unwrap());
            }
            assert_eq!(together, whole, "seed {seed}");
        }
    }

    #[test]
    fn parts_are_filled_to_the_last_byte_and_a_larger_row_is_fetched() {
        let alone = |length: usize| parts(&request(), &[column("varchar")], &[vec![Field::Text("x".repeat(length))]]);
        let empty = alone(0).unwrap()[0].len();
        // `false` has one byte more than `true`, and room is reserved for it.
        let most = MESSAGE_BYTES - empty - 1;
        assert_eq!(alone(most).unwrap().iter().map(String::len).collect::<Vec<_>>(), [MESSAGE_BYTES - 1]);
        assert_eq!(alone(MESSAGE_BYTES), None);
        let small = vec![vec![Field::Text("é".repeat(1000))]; 480];
        assert!(parts(&request(), &[column("varchar")], &small).is_some());
        let large = vec![vec![Field::Text("é".repeat(1000))]; 520];
        assert_eq!(parts(&request(), &[column("varchar")], &large), None);
    }

    #[test]
    fn no_rows_are_one_part_with_the_columns() {
        let parts = parts(&request(), &[column("int8")], &[]).unwrap();
        let part: Value = serde_json::from_str(&parts[0]).unwrap();
        assert_eq!(parts.len(), 1);
        assert_eq!(part["columns"], json!([{"name": "c", "label": "é\"", "type": "integer", "nullable": true}]));
        assert_eq!((&part["rows"], &part["last"], &part["total"]), (&json!([]), &json!(true), &json!(0)));
    }
}
