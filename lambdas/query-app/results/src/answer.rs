//! Responses as API Gateway's proxy integration takes them.

use queries::Origins;
use serde_json::{Value, json};

/// A response before it becomes JSON.
pub(crate) struct Answer {
    pub(crate) status: u16,
    media_type: &'static str,
    next_page: Option<String>,
    body: String,
}

/// The most bytes of a body within the function's response, of which Lambda accepts 6 MB.
const BODY_BYTES: usize = 6_000_000;

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Answer {
        Answer::text(status, body.to_string())
    }

    /// With a body that is already JSON.
    pub(crate) fn text(status: u16, body: String) -> Answer {
        Answer { status, media_type: "application/json", next_page: None, body }.checked()
    }

    pub(crate) fn csv(body: String, next_page: Option<String>) -> Answer {
        Answer { status: 200, media_type: "text/csv; charset=utf-8", next_page, body }.checked()
    }

    pub(crate) fn no_content() -> Answer {
        Answer::text(204, String::new())
    }

    /// `code` for programs, `reason` for people.
    pub(crate) fn error(status: u16, code: &str, reason: &str) -> Answer {
        Answer::json(status, &json!({"code": code, "reason": reason}))
    }

    fn checked(self) -> Answer {
        // JSON in JSON: each of these characters gets another byte.
        let escapes = self.body.bytes().filter(|byte| matches!(byte, b'"' | b'\\' | b'\r' | b'\n')).count();
        if self.body.len() + escapes <= BODY_BYTES {
            self
        } else {
            Answer::error(
                500,
                "too-large",
                "this page of the result is too large to send; request fewer columns or rows",
            )
        }
    }

    /// With CORS headers for pages of allowed origins; browsers do not pass responses to other pages.
    pub(crate) fn into_event(self, origin: &str, origins: &Origins) -> Value {
        let mut headers = json!({
            "Cache-Control": "no-store",
            "Content-Type": self.media_type,
            "Vary": "Origin",
            "X-Content-Type-Options": "nosniff",
        });
        if let Some(next) = self.next_page {
            headers["X-Next-Page"] = json!(next);
        }
        if origins.allow(origin) {
            headers["Access-Control-Allow-Origin"] = json!(origin);
            headers["Access-Control-Allow-Methods"] = json!("GET, OPTIONS, POST");
            headers["Access-Control-Allow-Headers"] = json!("authorization, content-type");
            headers["Access-Control-Expose-Headers"] = json!("x-next-page");
            headers["Access-Control-Max-Age"] = json!("600");
        }
        json!({"statusCode": self.status, "headers": headers, "body": self.body, "isBase64Encoded": false})
    }
}
