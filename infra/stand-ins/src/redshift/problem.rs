//! Errors in the service's form.

use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// An error of the service's model.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    body: Value,
}

impl Problem {
    pub(super) fn validation(message: &str) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "ValidationException", json!({"Message": message}))
    }

    pub(super) fn not_found(id: &str, message: &str) -> Problem {
        let body = json!({"Message": message, "ResourceId": id});
        Problem::new(StatusCode::BAD_REQUEST, "ResourceNotFoundException", body)
    }

    pub(super) fn too_many() -> Problem {
        let body = json!({"Message": "The number of active statements exceeds the limit"});
        Problem::new(StatusCode::BAD_REQUEST, "ActiveStatementsExceededException", body)
    }

    pub(super) fn unknown_operation() -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "UnknownOperationException", json!({}))
    }

    fn new(status: StatusCode, code: &'static str, mut body: Value) -> Problem {
        body["__type"] = json!(code);
        Problem { status, code, body }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let headers = [(HeaderName::from_static("x-amzn-errortype"), self.code)];
        (self.status, headers, answer(&self.body)).into_response()
    }
}

/// A body in AWS's JSON 1.1 protocol.
pub(super) fn answer(body: &Value) -> Response {
    ([("content-type", "application/x-amz-json-1.1")], body.to_string()).into_response()
}
