//! The reads that a step asks for before it decides.

use futures::future::BoxFuture;
use pawl_engine::{Decision, Read, StepCode, StepError};

use crate::Error;

/// Most reads of one decision. No step type needs more than two; one that asks on and on would never end.
const READS_MOST: usize = 8;

/// What a step decides, given what a read found.
pub(crate) type Answer<'a> = BoxFuture<'a, Result<Decision, Error>>;

/// Answers read after read until the step decides something else; the step's failure if there is no end to them.
pub(crate) async fn answered<'a>(
    mut decision: Decision,
    answer: &(dyn Fn(Read) -> Answer<'a> + Send + Sync),
) -> Result<Result<Decision, StepError>, Error> {
    for _ in 0..READS_MOST {
        let Decision::Read(read) = decision else { return Ok(Ok(decision)) };
        decision = answer(read).await?;
    }
    if !matches!(decision, Decision::Read(_)) {
        return Ok(Ok(decision));
    }
    let message = format!("expected a decision after at most {READS_MOST} reads, found one more read");
    Ok(Err(StepError::new(StepCode::TooManyReads, message)))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::FutureExt;
    use pawl_engine::{Stay, Subject};

    use super::*;

    fn read() -> Decision {
        Decision::Read(Read::Records(vec![Subject { object: "ticket".to_owned(), id: "t1".to_owned() }]))
    }

    /// What comes of a step that asks for so many reads, and how many were made.
    fn asking(times: usize) -> (Result<Decision, StepError>, usize) {
        let made = AtomicUsize::new(0);
        let answer = |_| -> Answer<'_> {
            let left = times - 1 - made.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move { Ok(if left == 0 { Decision::Stay(Stay::Ended) } else { read() }) })
        };
        let result = answered(read(), &answer).now_or_never().expect("nothing waits").expect("nothing fails");
        (result, made.load(Ordering::Relaxed))
    }

    #[test]
    fn a_second_read_is_made_like_the_first() {
        assert_eq!(asking(1), (Ok(Decision::Stay(Stay::Ended)), 1));
        assert_eq!(asking(2), (Ok(Decision::Stay(Stay::Ended)), 2));
        assert_eq!(asking(8), (Ok(Decision::Stay(Stay::Ended)), 8));
    }

    #[test]
    fn a_step_that_reads_without_an_end_fails() {
        let (result, made) = asking(100);
        assert_eq!(result.expect_err("it never decides").code, "too_many_reads");
        assert_eq!(made, 8);
    }
}
