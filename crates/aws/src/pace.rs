//! Repeats with growing, jittered pauses.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use pawl_runtime::ports::Random;
use tokio::time::Instant;

use crate::failure::Failure;

/// Attempts of one call, the first included.
const ATTEMPTS: u32 = 5;
/// Attempts of a call whose service cannot be reached: each may wait for the connect time-out.
const CONNECTS: u32 = 2;
/// No further attempt is made after this long: whoever waits has a deadline of its own.
const LONGEST: Duration = Duration::from_secs(6);
/// The first pause is at most this long; each next one at most twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(40);

/// Repeats calls.
#[derive(Clone)]
pub(crate) struct Pace {
    random: Arc<dyn Random>,
}

/// A call that failed for good, or too often.
pub(crate) struct Exhausted<E> {
    /// What the last attempt says.
    pub(crate) failure: Failure,
    /// Its error.
    pub(crate) error: SdkError<E>,
    /// Whether the answer of an earlier attempt was lost, so that the effect may be there whatever the last one says.
    pub(crate) in_doubt: bool,
}

impl Pace {
    pub(crate) fn new(random: Arc<dyn Random>) -> Self {
        Self { random }
    }

    /// Calls until it succeeds, is refused, or was tried often enough. `repeatable` says whether a call whose answer
    /// was lost may be made again.
    pub(crate) async fn call<T, E, F>(&self, repeatable: bool, call: impl Fn() -> F) -> Result<T, Exhausted<E>>
    where
        F: Future<Output = Result<T, SdkError<E>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let began = Instant::now();
        let mut in_doubt = false;
        let mut attempt = 1;
        loop {
            let error = match call().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let failure = Failure::of(&error);
            let most = match &failure {
                Failure::Throttled => ATTEMPTS,
                Failure::Unknown(_) if repeatable => ATTEMPTS,
                Failure::NotSent(_) => CONNECTS,
                Failure::Unknown(_) | Failure::Refused { .. } => 1,
            };
            if attempt >= most || began.elapsed() > LONGEST {
                return Err(Exhausted { failure, error, in_doubt });
            }
            in_doubt |= matches!(failure, Failure::Unknown(_));
            self.pause(attempt).await;
            attempt += 1;
        }
    }

    /// Waits before the attempt that follows this one: anything up to the bound, so that callers who collided once
    /// do not collide again.
    pub(crate) async fn pause(&self, attempt: u32) {
        let most = FIRST_PAUSE * 2_u32.saturating_pow(attempt - 1);
        let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
        let micros = u64::try_from(self.random.bits() % u128::from(most)).unwrap_or(most);
        tokio::time::sleep(Duration::from_micros(micros)).await;
    }

    /// A token that marks all attempts of one transaction.
    pub(crate) fn token(&self) -> String {
        format!("{:032x}", self.random.bits())
    }

    /// A number below `many`, by chance.
    pub(crate) fn one_of(&self, many: u8) -> u8 {
        match many {
            0 | 1 => 0,
            many => u8::try_from(self.random.bits() % u128::from(many)).expect("it is below a number of eight bits"),
        }
    }

    /// How often something may be tried that this does not repeat by itself.
    pub(crate) const fn attempts() -> u32 {
        ATTEMPTS
    }
}
