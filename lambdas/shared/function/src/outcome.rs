//! What the answer of a service proves about a call: the one place that sorts answers, for all clients.

use std::fmt;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// What an answer that is not a success proves about the call it answers. A call that succeeded is done, and is an `Ok`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The service looked at the call and will never carry it out as it is. Repeating it cannot help.
    Refused,
    /// The call had no effect, and the same call may succeed later: throttled, unavailable, signed by a clock that is off, or in
    /// conflict with another call.
    NotDone,
    /// Nobody can say. There was no answer, or a server error that does not say how far the service came.
    Unknown,
}

/// A call that did not succeed: what that proves, and what to call it in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What the answer proves.
    pub outcome: Outcome,
    /// The service's error code, or what happened instead of an answer with one. Never a message: those quote requests.
    pub code: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)
    }
}

impl std::error::Error for Failure {}

impl Failure {
    /// Sorts the failure of a call through an AWS SDK.
    pub fn of<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Failure {
        let (outcome, code) = match error {
            // The request never left this process, and will not be better the next time.
            SdkError::ConstructionFailure(_) => (Outcome::Refused, "the request could not be made".to_owned()),
            SdkError::TimeoutError(_) => (Outcome::Unknown, "no answer in time".to_owned()),
            SdkError::DispatchFailure(_) => (Outcome::Unknown, "no answer".to_owned()),
            SdkError::ResponseError(context) => {
                let status = context.raw().status().as_u16();
                (of_status(status), format!("an unreadable answer with status {status}"))
            }
            SdkError::ServiceError(context) => {
                let status = context.raw().status().as_u16();
                match context.err().code() {
                    Some(code) => (outcome(code, status), code.to_owned()),
                    None => (of_status(status), format!("status {status}")),
                }
            }
            _ => (Outcome::Unknown, "no answer".to_owned()),
        };
        Failure { outcome, code }
    }
}

/// Sorts an answer with an error code: by the code where it is known, by the HTTP status otherwise.
pub fn outcome(code: &str, status: u16) -> Outcome {
    if is_throttled(code) || is_signature(code) || PASSING.contains(&code) || (status == 503 && is_unavailable(code)) {
        return Outcome::NotDone;
    }
    if is_denied(code) || REFUSED.contains(&code) {
        return Outcome::Refused;
    }
    of_status(status)
}

/// Sorts an answer that has a status and nothing else.
pub fn of_status(status: u16) -> Outcome {
    match status {
        // The request was not read to its end, conflicts with another one, or is one too many.
        408 | 409 | 425 | 429 => Outcome::NotDone,
        300..=499 => Outcome::Refused,
        _ => Outcome::Unknown,
    }
}

/// Whether a code says that there were too many calls. Services spell it in many ways, such as `Throttling`, `ThrottlingException`
/// and `EC2ThrottledException`.
pub fn is_throttled(code: &str) -> bool {
    code.to_ascii_lowercase().contains("throttl") || TOO_MANY.contains(&code)
}

/// Whether a code says that the signature or its token is not valid at this time. The service has not looked at the call then.
///
/// Codes: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html> and the common errors of each service, for example
/// <https://docs.aws.amazon.com/redshift-data/latest/APIReference/CommonErrors.html>.
pub fn is_signature(code: &str) -> bool {
    SIGNATURE.contains(&code)
}

/// Whether a code says that the caller may not do this: somebody has to grant a right, and the same call succeeds then.
///
/// Services spell it with and without `Exception`, also the same service: SES's own policies answer `AccessDenied`.
pub fn is_denied(code: &str) -> bool {
    DENIED.contains(&code)
}

fn is_unavailable(code: &str) -> bool {
    let code = code.to_ascii_lowercase();
    code.contains("unavailable") || code.contains("slowdown")
}

/// Too many calls, or too many things under way at once.
const TOO_MANY: &[&str] = &[
    "ActiveSessionsExceededException",
    "ActiveStatementsExceededException",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "SlowDown",
    "TooManyRequests",
    "TooManyRequestsException",
];

/// The time of the signature, or the credentials that made it.
const SIGNATURE: &[&str] = &[
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "RequestExpired",
    "RequestInTheFuture",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
    "UnrecognizedClientException",
];

/// Codes of calls without an effect that have the status of a refusal, or of a server error.
const PASSING: &[&str] = &[
    "ConcurrentModificationException",
    "ConditionalRequestConflict",
    "ConflictException",
    "OperationAborted",
    "RequestTimeout",
    "RequestTimeoutException",
    "TransactionConflictException",
    "TransactionInProgressException",
];

/// The rights of the caller.
const DENIED: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "AccessDeniedFault",
    "ForbiddenException",
    "KMSAccessDeniedException",
    "NotAuthorized",
    "NotAuthorizedException",
    "UnauthorizedException",
    "UnauthorizedOperation",
];

/// Codes of refusals that some services send with the status of a conflict.
const REFUSED: &[&str] = &[
    "InvalidParameterException",
    "InvalidParameterValueException",
    "InvalidRequestException",
    "ResourceExistsException",
    "ResourceNotFoundException",
    "ValidationException",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_codes_decide_first_and_the_status_otherwise() {
        for (code, status, expected) in [
            ("ValidationException", 400, Outcome::Refused),
            ("SomethingNobodyHasHeardOf", 400, Outcome::Refused),
            ("SomethingNobodyHasHeardOf", 409, Outcome::NotDone),
            ("ResourceExistsException", 409, Outcome::Refused),
            ("Throttling", 400, Outcome::NotDone),
            ("Throttling", 429, Outcome::NotDone),
            ("ThrottledException", 500, Outcome::NotDone),
            ("RequestThrottledException", 400, Outcome::NotDone),
            ("TooManyRequestsException", 429, Outcome::NotDone),
            ("SlowDown", 503, Outcome::NotDone),
            ("ServiceUnavailable", 503, Outcome::NotDone),
            ("ServiceUnavailableException", 503, Outcome::NotDone),
            ("InternalServerException", 500, Outcome::Unknown),
            ("InternalFailure", 503, Outcome::Unknown),
            ("InvalidSignatureException", 403, Outcome::NotDone),
            ("ExpiredTokenException", 400, Outcome::NotDone),
            ("RequestTimeTooSkewed", 403, Outcome::NotDone),
            ("AccessDeniedException", 400, Outcome::Refused),
            ("ConditionalRequestConflict", 409, Outcome::NotDone),
            ("RequestTimeout", 400, Outcome::NotDone),
        ] {
            assert_eq!(outcome(code, status), expected, "{code} with {status}");
        }
    }

    #[test]
    fn a_denial_is_recognized_in_each_spelling_and_is_a_refusal_with_any_status() {
        for code in ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "ForbiddenException"] {
            assert!(is_denied(code), "{code}");
            for status in [400, 403, 409, 503] {
                assert_eq!(outcome(code, status), Outcome::Refused, "{code} with {status}");
            }
        }
        for code in ["ValidationException", "InvalidSignatureException", ""] {
            assert!(!is_denied(code), "{code}");
        }
    }

    #[test]
    fn a_status_alone_is_sorted_too() {
        for (status, expected) in [
            (301, Outcome::Refused),
            (400, Outcome::Refused),
            (403, Outcome::Refused),
            (404, Outcome::Refused),
            (408, Outcome::NotDone),
            (409, Outcome::NotDone),
            (429, Outcome::NotDone),
            (499, Outcome::Refused),
            (500, Outcome::Unknown),
            (502, Outcome::Unknown),
            (503, Outcome::Unknown),
            (504, Outcome::Unknown),
        ] {
            assert_eq!(of_status(status), expected, "{status}");
        }
    }
}
