//! What a refused request says of its effect.

use pawl_runtime::ports::CloudError;
use reqwest::StatusCode;

/// Most bytes of the service's words in an error.
const WORDS_MOST: usize = 500;

/// Parts of codes that say that too much is under way.
const THROTTLES: &[&str] = &["Throttl", "TooManyRequests", "LimitExceeded", "RequestLimit", "SlowDown"];
/// Parts of codes that say that there is none.
const ABSENT: &[&str] = &["NotFound", "NonExistentQueue", "QueueDoesNotExist"];
/// Parts of codes that say that the caller may not, or is nobody.
const DENIALS: &[&str] = &[
    "AccessDenied",
    "AuthorizationError",
    "ExpiredToken",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSecurity",
    "InvalidSignature",
    "KMSAccessDenied",
    "KmsAccessDenied",
    "MissingAuthenticationToken",
    "NotAuthorized",
    "SignatureDoesNotMatch",
    "UnrecognizedClient",
];

/// The error of a request that was refused with a status, a code and words. Words that may quote the input are left out by
/// the caller.
pub(super) fn refused(what: &str, status: StatusCode, code: &str, message: &str) -> CloudError {
    let has = |parts: &[&str]| parts.iter().any(|part| code.contains(part));
    let told = || {
        let message = &message[..message.floor_char_boundary(WORDS_MOST)];
        let parts = [code, message].into_iter().filter(|part| !part.is_empty());
        format!("{what}: {}", parts.collect::<Vec<_>>().join(": "))
    };
    if status == StatusCode::TOO_MANY_REQUESTS || has(THROTTLES) {
        return CloudError::Throttled(format!("{what}: the service asks to come back later"));
    }
    if status.is_server_error() {
        return CloudError::Server(format!("{what}: the service answered {} {code}", status.as_u16()));
    }
    if has(ABSENT) || status == StatusCode::NOT_FOUND {
        return CloudError::NotFound(told());
    }
    if has(DENIALS) || status == StatusCode::FORBIDDEN {
        return CloudError::Denied(told());
    }
    CloudError::Invalid(told())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_judged_by_its_status_and_code() {
        let judged = |status: u16, code: &str| {
            let status = StatusCode::from_u16(status).expect("it is a status");
            refused("calling", status, code, "because")
        };
        assert!(matches!(judged(429, "TooManyRequestsException"), CloudError::Throttled(_)));
        assert!(matches!(judged(400, "ThrottlingException"), CloudError::Throttled(_)));
        assert!(matches!(judged(503, ""), CloudError::Server(_)));
        assert!(matches!(judged(404, "ResourceNotFoundException"), CloudError::NotFound(_)));
        assert!(matches!(judged(400, "AWS.SimpleQueueService.NonExistentQueue"), CloudError::NotFound(_)));
        assert!(matches!(judged(403, "AccessDeniedException"), CloudError::Denied(_)));
        assert!(matches!(judged(400, "UnrecognizedClientException"), CloudError::Denied(_)));
        assert_eq!(judged(400, "InvalidParameter").to_string(), "calling: InvalidParameter: because");
    }
}
