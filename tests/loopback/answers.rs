//! About sixty answers that a service may give to a call, for the tests that state what becomes of the work in each case.

use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::{Answer, reply};

/// How a service writes its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errors {
    /// As JSON with the code in `__type` and in the header `x-amzn-errortype`: most services of AWS.
    Json,
    /// As XML with the code in `Code`: S3.
    Xml,
    /// As a different JSON without a code: services outside AWS.
    Plain,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name in the table.
    pub name: String,
    /// What the service sends.
    pub answer: Answer,
    /// Whether the service carries the call out although it sends this.
    pub takes_effect: bool,
}

/// All answers of a service that writes its errors like this.
pub fn answers(errors: Errors) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name: String, answer: Answer, takes_effect: bool| cases.push(Case { name, answer, takes_effect });
    if errors != Errors::Plain {
        for (status, code) in CODES {
            add(format!("{status} {code}"), error(errors, *status, code), false);
        }
    }
    for status in [400, 401, 403, 404, 405, 408, 409, 410, 413, 418, 422, 423, 425, 429, 500, 501, 502, 503, 504, 529] {
        add(format!("{status} without a body"), reply(status, ""), false);
    }
    for status in [403, 429, 500, 502, 503] {
        add(format!("{status} with a page of a proxy"), page(status), false);
    }
    add("200 without a body".to_owned(), reply(200, ""), true);
    add("200 with a page of a proxy".to_owned(), page(200), false);
    add("301 to another host".to_owned(), elsewhere(301), false);
    add("307 to another host".to_owned(), elsewhere(307), false);
    add("connection reset before the effect".to_owned(), Answer::HangUp, false);
    add("connection reset after the effect".to_owned(), Answer::HangUp, true);
    add("no answer, no effect".to_owned(), Answer::TimeOut, false);
    add("no answer after the effect".to_owned(), Answer::TimeOut, true);
    add("half an answer after the effect".to_owned(), Answer::Stall { status: 200 }, true);
    if errors != Errors::Plain {
        add("403 signature expired, by a clock that is 6 minutes behind".to_owned(), skewed(errors), false);
    }
    cases
}

/// Status and code of errors that services of AWS are known to send, and of some that no list has.
const CODES: &[(u16, &str)] = &[
    (400, "AccessDeniedException"),
    (400, "ConflictException"),
    (400, "ExpiredTokenException"),
    (400, "InternalFailure"),
    (400, "InvalidParameterValueException"),
    (400, "LimitExceededException"),
    (400, "NobodyHasHeardOfThisException"),
    (400, "RequestTimeout"),
    (400, "ResourceNotFoundException"),
    (400, "Throttling"),
    (400, "ThrottlingException"),
    (400, "UnrecognizedClientException"),
    (400, "ValidationException"),
    (403, "AccessDenied"),
    (403, "ExpiredToken"),
    (403, "InvalidClientTokenId"),
    (403, "InvalidSignatureException"),
    (403, "RequestTimeTooSkewed"),
    (404, "NotFoundException"),
    (409, "ConditionalRequestConflict"),
    (409, "NobodyHasHeardOfThisException"),
    (409, "OperationAborted"),
    (413, "RequestEntityTooLargeException"),
    (429, "TooManyRequestsException"),
    (500, "InternalServerError"),
    (500, "InternalServerException"),
    (503, "ServiceUnavailable"),
    (503, "ServiceUnavailableException"),
    (503, "SlowDown"),
];

/// An error as the service writes it.
pub fn error(errors: Errors, status: u16, code: &str) -> Answer {
    let (kind, body) = match errors {
        Errors::Json => {
            ("application/x-amz-json-1.1", serde_json::json!({ "__type": code, "message": "no" }).to_string())
        }
        Errors::Xml => (
            "application/xml",
            format!("<Error><Code>{code}</Code><Message>no</Message><RequestId>1</RequestId></Error>"),
        ),
        Errors::Plain => ("application/json", serde_json::json!({ "error": code }).to_string()),
    };
    let headers = vec![("content-type", kind.to_owned()), ("x-amzn-errortype", code.to_owned())];
    Answer::Reply { status, headers, body: body.into_bytes() }
}

fn page(status: u16) -> Answer {
    let headers = vec![("content-type", "text/html".to_owned())];
    Answer::Reply { status, headers, body: b"<html><body>A proxy speaks here</body></html>".to_vec() }
}

fn elsewhere(status: u16) -> Answer {
    // Nothing listens on this port, so following it leads nowhere.
    let headers = vec![("location", "http://127.0.0.1:9/".to_owned())];
    Answer::Reply { status, headers, body: Vec::new() }
}

/// What a service says when the clock of the caller is 6 minutes behind; the header is how the SDK learns of it.
fn skewed(errors: Errors) -> Answer {
    let Answer::Reply { status, mut headers, body } = error(errors, 403, "InvalidSignatureException") else {
        unreachable!("an error is a reply")
    };
    headers.push(("date", httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(360))));
    Answer::Reply { status, headers, body }
}

/// Compares what became of the work, by the name of each answer, with the table committed at `path`. With the variable
/// `UPDATE_TABLES` set, writes the table instead.
///
/// # Panics
///
/// When they differ, or the table cannot be read or written.
pub fn check_table(path: &Path, title: &str, rows: &[(String, String)]) {
    let mut table = format!(
        "# {title}\n\nWritten by the tests: `UPDATE_TABLES=1 cargo test`.\n\n| answer | what becomes of the work |\n|---|---|\n"
    );
    for (answer, outcome) in rows {
        table.push_str(&format!("| {answer} | {outcome} |\n"));
    }
    if std::env::var_os("UPDATE_TABLES").is_some() {
        std::fs::write(path, &table).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    for (expected, found) in committed.lines().zip(table.lines()) {
        assert_eq!(found, expected, "{} is not what the function does", path.display());
    }
    assert_eq!(table.lines().count(), committed.lines().count(), "{} has other answers", path.display());
}
