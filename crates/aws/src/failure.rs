//! What a failed call says of its effect.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// Codes by which services ask to come back later. Nothing was done.
const THROTTLES: &[&str] = &[
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

/// Codes by which `DynamoDB` says that another transaction holds an item, or that this very one is still at work.
const BUSY: &[&str] = &["TransactionConflictException", "TransactionInProgressException"];

/// What became of a call that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It never reached the service: nothing happened.
    NotSent(String),
    /// The service asks to come back later: nothing happened.
    Throttled,
    /// The answer was lost, or the service failed in the middle: it may or may not have happened.
    Unknown(String),
    /// The service refused it: nothing happened, and a repeat will be refused too.
    Refused {
        /// The service's code.
        code: String,
        /// The service's words.
        message: String,
    },
}

impl Failure {
    /// Judges a failed call.
    pub(crate) fn of<E>(error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match error {
            SdkError::ConstructionFailure(_) => Self::NotSent(story(error)),
            SdkError::DispatchFailure(failure) if failure.is_user() || never_connected(error) => {
                Self::NotSent(story(error))
            }
            SdkError::ServiceError(service) => {
                let code = service.err().code().unwrap_or_default();
                if THROTTLES.contains(&code) || BUSY.contains(&code) {
                    return Self::Throttled;
                }
                let status = service.raw().status();
                if status.is_server_error() {
                    return Self::Unknown(format!("the service answered {} {code}", status.as_u16()));
                }
                let message = service.err().message().unwrap_or_default().to_owned();
                Self::Refused { code: code.to_owned(), message }
            }
            _ => Self::Unknown(story(error)),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotSent(story) | Self::Unknown(story) => f.write_str(story),
            Self::Throttled => f.write_str("the service is throttling"),
            Self::Refused { code, message } => write!(f, "{code}: {message}"),
        }
    }
}

/// Whether the connection was never made, so that the service cannot have seen the request.
pub(crate) fn never_connected(error: &(dyn Error + 'static)) -> bool {
    let is_connect =
        |error: &(dyn Error + 'static)| error.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_connect);
    chain(error).any(is_connect)
}

/// An error and what caused it, in words. Only what errors display: their debug form may hold requests and answers.
pub(crate) fn story(error: &(dyn Error + 'static)) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in chain(error).map(ToString::to_string) {
        if words.last() != Some(&word) {
            words.push(word);
        }
    }
    words.join(": ")
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}
