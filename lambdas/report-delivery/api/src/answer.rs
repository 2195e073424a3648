//! Responses as API Gateway's proxy integration takes them.

use serde_json::{Value, json};

use crate::error::Error;

pub(crate) fn ok(status: u16, body: &Value) -> Value {
    text(status, body.to_string())
}

/// With a body that is already JSON.
pub(crate) fn text(status: u16, body: String) -> Value {
    response(status, json!({}), body)
}

pub(crate) fn no_content() -> Value {
    response(204, json!({}), String::new())
}

/// `error` for the published clients, `message` as API Gateway's own errors have it.
pub(crate) fn failed(error: &Error) -> Value {
    let mut headers = json!({});
    if let Some(allow) = error.allow {
        headers["Allow"] = json!(allow);
    }
    if error.status == 503 {
        headers["Retry-After"] = json!("5");
    }
    response(error.status, headers, json!({"error": error.message, "message": error.message}).to_string())
}

fn response(status: u16, mut headers: Value, body: String) -> Value {
    headers["Content-Type"] = json!("application/json");
    headers["Cache-Control"] = json!("no-store");
    headers["X-Content-Type-Options"] = json!("nosniff");
    json!({"statusCode": status, "headers": headers, "body": body, "isBase64Encoded": false})
}
