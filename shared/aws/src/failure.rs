//! The errors of AWS, by what the caller should do about them.
//!
//! The HTTP status and the service's own code decide; 409 and 412 are kept apart, because the first may be tried again
//! as it is and the second needs a new read. Whatever ended without an answer is `Unavailable`: it may have happened.

use aws_sdk_s3::{
    config::http::HttpResponse,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
};
use metriccare_ports::{Error, ErrorKind};

/// Turns an error of the SDK into a port's error.
pub(crate) fn failed<E>(operation: &'static str, subject: &str, error: SdkError<E, HttpResponse>) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    let kind = match &error {
        SdkError::ConstructionFailure(_) => ErrorKind::Invalid,
        SdkError::ServiceError(_) => kind(status.unwrap_or_default(), error.code().unwrap_or_default()),
        _ => ErrorKind::Unavailable,
    };
    let reason = match (error.code(), error.message(), status) {
        (Some(code), Some(message), _) => format!("{code}: {message}"),
        (Some(code), None, _) => code.to_owned(),
        (None, _, Some(status)) if matches!(error, SdkError::ServiceError(_)) => format!("HTTP {status}"),
        _ => DisplayErrorContext(&error).to_string(),
    };
    Error::new(kind, operation, subject, reason).with_source(error)
}

/// What an answer's status and code mean.
fn kind(status: u16, code: &str) -> ErrorKind {
    match code {
        // A bucket or table that is not there is a fault of the settings, not of a missing object.
        "NoSuchBucket" | "ResourceNotFoundException" | "EntityNotFoundException" => return ErrorKind::Invalid,
        "AccessDenied"
        | "AccessDeniedException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => return ErrorKind::Forbidden,
        "ConditionalRequestConflict" | "OperationAborted" | "TransactionConflictException" => {
            return ErrorKind::Conflict;
        }
        "ConditionalCheckFailedException" | "PreconditionFailed" => return ErrorKind::Precondition,
        "ConcurrentModificationException"
        | "InternalServerError"
        | "ProvisionedThroughputExceededException"
        | "RequestLimitExceeded"
        | "RequestTimeout"
        | "SlowDown"
        | "ThrottlingException" => return ErrorKind::Unavailable,
        _ => {}
    }
    match status {
        404 => ErrorKind::NotFound,
        401 | 403 => ErrorKind::Forbidden,
        409 => ErrorKind::Conflict,
        412 => ErrorKind::Precondition,
        408 | 429 | 500..=599 => ErrorKind::Unavailable,
        _ => ErrorKind::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_means_what_to_do() {
        for (status, code, expected) in [
            (404, "NoSuchKey", ErrorKind::NotFound),
            (404, "", ErrorKind::NotFound),
            (404, "NoSuchBucket", ErrorKind::Invalid),
            (403, "AccessDenied", ErrorKind::Forbidden),
            (400, "ExpiredToken", ErrorKind::Forbidden),
            (409, "ConditionalRequestConflict", ErrorKind::Conflict),
            (412, "PreconditionFailed", ErrorKind::Precondition),
            (503, "SlowDown", ErrorKind::Unavailable),
            (500, "", ErrorKind::Unavailable),
            (400, "ProvisionedThroughputExceededException", ErrorKind::Unavailable),
            (400, "ValidationException", ErrorKind::Invalid),
        ] {
            assert_eq!(kind(status, code), expected, "{status} {code}");
        }
    }
}
