//! An effect outside: claimed, performed, and what came of it committed.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use pawl_engine::{Activity, Claim, Decision, Input};

use super::{Executor, Progress};
use crate::ports::Durability;
use crate::transitions::{Outcome, RACES, Run};
use crate::{Error, Metrics};

impl Executor {
    /// Claims an effect, performs it, and decides what came of it. That is held if more follows at once, and written with
    /// it: one write of the head for both.
    pub(super) async fn perform(
        &self,
        run: &mut Run,
        claim: Claim,
        secrets: &BTreeSet<String>,
    ) -> Result<Progress, Error> {
        let kept = self.transitions.head_only(run, &claim.execution, Durability::Durable).await?;
        run.written(kept);
        let Claim { execution, address, activity } = claim;
        let lease = execution.leases.at(&address).expect("a claim has a lease").clone();
        run.execution = execution;
        let of = (&run.execution, &run.event.event);
        let performed = self.activities.perform(&activity, of, lease.until, secrets).await;
        run.outcome = Some(Outcome { address, attempt: lease.attempt, activity, performed });
        self.settle(run).await
    }

    /// Decides what came of an effect, deciding again as long as races are lost.
    pub(super) async fn settle(&self, run: &mut Run) -> Result<Progress, Error> {
        for _ in 0..RACES {
            match self.settle_once(run).await {
                Err(error) if error.is_conflict() || error.is_unknown() => {
                    Metrics::count(&self.transitions.metrics.races_lost);
                    if !self.transitions.reload(run).await? {
                        run.outcome = None;
                        return Ok(Progress::Rest);
                    }
                }
                result => return result,
            }
        }
        Err(Error::Contended(run.execution.id.clone()))
    }

    async fn settle_once(&self, run: &mut Run) -> Result<Progress, Error> {
        let outcome = run.outcome.as_ref().expect("an effect has an outcome");
        let now = self.transitions.clock.now();
        let snapshot = self.look(run, now).await?;
        let input = Input::Performed(outcome.performance());
        match self.decide(run, &snapshot, &input, now).await? {
            Decision::Commit(commit) => self.take(run, commit, snapshot).await,
            Decision::Postpone(execution) => self.postpone(run, *execution).await,
            Decision::Stay(_) => {
                // The result was committed although its answer was lost, or the lease went to somebody else.
                run.outcome = None;
                Ok(Progress::Again)
            }
            Decision::Read(_) | Decision::Perform(_) => {
                Err(self.unexpected(run, input.name(), "a result ends a step or lets it wait"))
            }
        }
    }
}

/// Longest call that others in the same batch of jobs may have to wait for. An HTTP request and a poll of a state machine are
/// shorter, unless their author says otherwise; a model call is longer.
const SLOW_FROM: SignedDuration = SignedDuration::from_secs(60);

/// Whether a call may last long.
pub(super) fn is_slow(activity: &Activity) -> bool {
    activity.timeout() > SLOW_FROM
}

/// Whether an effect may still be under way when the invocation must be over, and another would have more time.
pub(super) fn is_too_late(run: &Run, activity: &Activity, now: Timestamp) -> bool {
    run.has_begun && run.deadline.is_some_and(|deadline| now + activity.timeout() > deadline)
}
