//! What can go wrong, distinguished by what should happen next.

use std::fmt;

use aws_sdk_redshiftdata::error::{ProvideErrorMetadata, SdkError};
use function::{Failure, Outcome};

/// Why a statement was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubmitError {
    /// Too many statements at once, throttled, a fault of the service, or no answer, so that it may have been accepted
    /// anyway: try again with the same client token.
    Retryable(String),
    /// The warehouse is paused, resuming or unreachable: try again in a few minutes.
    Unavailable(String),
    /// Retrying cannot help.
    Refused(String),
}

/// Why nothing is known about a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// Throttled, a fault of the service, or no answer: ask again.
    Unavailable(String),
    /// The service does not know the statement or its result; both are kept for 24 hours.
    Missing(String),
    /// Reading the statement is not allowed, or the result is larger than the limit here.
    Refused(String),
}

impl fmt::Display for SubmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SubmitError::Retryable(message) | SubmitError::Unavailable(message) | SubmitError::Refused(message) => {
                f.write_str(message)
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unavailable(message) | Error::Missing(message) | Error::Refused(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for SubmitError {}
impl std::error::Error for Error {}

/// What a failed call means for a submission.
pub(crate) fn of_submission<E: ProvideErrorMetadata>(error: &SdkError<E>) -> SubmitError {
    let message = message_of(error);
    match Kind::of(error) {
        Kind::Passing => SubmitError::Retryable(message),
        Kind::WarehouseAway => SubmitError::Unavailable(message),
        Kind::Missing | Kind::Lasting => SubmitError::Refused(message),
    }
}

/// What a failed call means for a question about a statement.
pub(crate) fn of_question<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Error {
    let message = message_of(error);
    match Kind::of(error) {
        Kind::Passing | Kind::WarehouseAway => Error::Unavailable(message),
        Kind::Missing => Error::Missing(message),
        Kind::Lasting => Error::Refused(message),
    }
}

enum Kind {
    Passing,
    WarehouseAway,
    Missing,
    Lasting,
}

impl Kind {
    fn of<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Kind {
        let answered = error.as_service_error().map(ProvideErrorMetadata::meta);
        let message = answered.and_then(|answer| answer.message()).unwrap_or_default();
        match answered.and_then(|answer| answer.code()).unwrap_or_default() {
            "DatabaseConnectionException" => Kind::WarehouseAway,
            "ResourceNotFoundException" => Kind::Missing,
            "ValidationException" | "ExecuteStatementException" if is_away(message) => Kind::WarehouseAway,
            // The service gave up waiting, with the status of a refusal.
            "QueryTimeoutException" | "InternalServerException" => Kind::Passing,
            _ => match Failure::of(error).outcome {
                Outcome::Refused => Kind::Lasting,
                Outcome::NotDone | Outcome::Unknown => Kind::Passing,
            },
        }
    }
}

/// The service has no error code for a warehouse that is paused, resuming or in maintenance, only a message.
fn is_away(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["paused", "pausing", "resuming", "not available", "unavailable", "maintenance"]
        .iter()
        .any(|word| message.contains(word))
}

fn message_of<E: ProvideErrorMetadata>(error: &SdkError<E>) -> String {
    let failure = Failure::of(error);
    let Some(service) = error.as_service_error() else { return format!("the Data API cannot be used: {failure}") };
    match service.meta().message() {
        Some(message) => format!("the Data API returned {failure}: {}", without_values(message)),
        None => format!("the Data API returned {failure}"),
    }
}

/// Whether a failed statement lost a conflict with another one. Redshift undid it, and the same statement may succeed later.
///
/// `message` is the text of a [`Status::Failed`](crate::Status::Failed). Texts:
/// <https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation-serializable-isolation-troubleshooting.html>. The conflicts
/// in the catalogue are PostgreSQL's own.
pub fn is_conflict(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    // The words may be on a line after the number, which is not passed on.
    let number = message.strip_prefix("error:").map(str::trim_start).and_then(|rest| {
        let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        rest.get(..digits)
    });
    matches!(number, Some("1018" | "1023")) || CONFLICTS.iter().any(|words| message.contains(words))
}

/// Parts of the messages about conflicts, in lower case.
const CONFLICTS: &[&str] = &[
    "conflict with concurrent transaction",
    "could not open relation with oid",
    "could not serialize access",
    "deadlock detected",
    "serializable isolation violation",
    "snapshot isolation violation",
    "tuple concurrently deleted",
    "tuple concurrently updated",
];

/// The longest message that is passed on, in characters.
const LONGEST: usize = 300;

/// Words that mark the quoted text after them as the name of an object, as in ``relation "quotes" does not exist``.
const OBJECTS: &[&str] = &[
    "attribute",
    "column",
    "database",
    "function",
    "group",
    "language",
    "namespace",
    "parameter",
    "relation",
    "role",
    "schema",
    "table",
    "type",
    "user",
    "view",
];

/// The first line of Redshift's message, without quoted text that may be a value or SQL.
///
/// The lines after the first are details, which show keys and rows.
pub(crate) fn without_values(message: &str) -> String {
    let line = message.trim().lines().next().unwrap_or_default();
    let mut kept = String::new();
    let mut rest = line;
    while let Some(start) = rest.find(['\'', '"', '`']) {
        let quote = &rest[start..=start];
        let (before, quoted) = (&rest[..start], &rest[start + 1..]);
        kept.push_str(before);
        // An unterminated quote removes the rest of the line. So does one with a quote inside, whose second half looks
        // like another quoted text without an object's word before it.
        let Some(end) = quoted.find(quote) else {
            kept.push('…');
            rest = "";
            break;
        };
        let names = before.split_whitespace().last().is_some_and(|word| OBJECTS.contains(&word));
        if names && quote == "\"" && quoted[..end].chars().all(is_of_a_name) {
            kept.push_str(&rest[start..start + end + 2])
        } else {
            kept.push('…')
        }
        rest = &quoted[end + 1..];
    }
    kept.push_str(rest);
    if kept.chars().count() > LONGEST {
        kept = kept.chars().take(LONGEST).chain(['…']).collect();
    }
    kept
}

fn is_of_a_name(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '.' | ':' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_is_recognized_by_its_number_or_its_words() {
        for message in [
            "ERROR: 1023",
            "ERROR: 1023 DETAIL: Serializable isolation violation on table - 1256109, transactions forming the cycle are: 1, 2",
            "ERROR:1018 DETAIL: Relation does not exist.",
            "ERROR: deadlock detected",
            "ERROR: could not complete because of conflict with concurrent transaction",
            "ERROR: tuple concurrently updated",
            "ERROR: could not open relation with OID 6134794",
        ] {
            assert!(is_conflict(message), "{message}");
            assert!(is_conflict(&without_values(message)), "{message}");
        }
        for message in
            ["ERROR: relation \"a\" does not exist", "ERROR: 10231", "ERROR: permission denied", "1023 rows", ""]
        {
            assert!(!is_conflict(message), "{message}");
        }
    }

    #[test]
    fn a_message_keeps_names_of_objects_but_no_values_or_sql() {
        for (said, kept) in [
            (r#"ERROR: relation "sales.quotes" does not exist"#, r#"ERROR: relation "sales.quotes" does not exist"#),
            (r#"ERROR: invalid input syntax for integer: "canary""#, "ERROR: invalid input syntax for integer: …"),
            (r#"ERROR: syntax error at or near "canary" Position: 8"#, "ERROR: syntax error at or near … Position: 8"),
            ("Invalid digit, Value 'canary', Pos 0, Type: Integer", "Invalid digit, Value …, Pos 0, Type: Integer"),
            ("ERROR: duplicate key\n  Detail: Key (id)=(canary) exists", "ERROR: duplicate key"),
            (r#"ERROR: column "a' or 'canary" does not exist"#, "ERROR: column … does not exist"),
            (r#"ERROR: column "a-b:c" of relation 't' is odd"#, r#"ERROR: column "a-b:c" of relation … is odd"#),
            (r#"ERROR: "canary" and 'canary' and `canary`."#, "ERROR: … and … and …."),
            ("ERROR: unterminated 'canary", "ERROR: unterminated …"),
        ] {
            assert_eq!(without_values(said), kept);
        }
        assert_eq!(without_values(&"x".repeat(300)), "x".repeat(300));
        assert_eq!(without_values(&"x".repeat(301)), "x".repeat(300) + "…");
    }
}
