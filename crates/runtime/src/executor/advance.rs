//! One transition: what a step reads, what it decides, and the commit of that.

use std::panic::{AssertUnwindSafe, resume_unwind};

use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};
use pawl_engine::{
    Commit, Context, Decision, Execution, Illegal, Input, LookedUp, Lookups, Read, Stay, StepError, TransitionError,
};

use super::effect::{is_slow, is_too_late};
use super::{Executor, Progress};
use crate::ports::Durability;
use crate::snapshot::Snapshot;
use crate::transitions::{HEAL_AFTER, RACES, Run, Transitions};
use crate::{Error, Metrics, effects, lookups, reads};

impl Executor {
    /// Makes the next transition, deciding again as long as races are lost.
    pub(super) async fn advance(&self, run: &mut Run) -> Result<Progress, Error> {
        let mut taken = None;
        for _ in 0..RACES {
            match self.further(run).await {
                Err(error) if error.is_conflict() || error.is_unknown() => {
                    taken = error.taken();
                    Metrics::count(&self.transitions.metrics.races_lost);
                    if !self.transitions.reload(run).await? {
                        return Ok(Progress::Rest);
                    }
                }
                Err(error) => {
                    // What follows an effect cannot be decided now: what came of the effect is written all the same.
                    self.flush(run).await?;
                    return Err(error);
                }
                result => return result,
            }
        }
        match taken {
            Some(error) => self.reject(run, &error).await,
            None => Err(Error::Contended(run.execution.id.clone())),
        }
    }

    /// Decides what follows. What an effect outside came to is held meanwhile, and written whatever happens: also if the next
    /// step makes us panic, for the effect would be made again with each delivery.
    async fn further(&self, run: &mut Run) -> Result<Progress, Error> {
        if run.outcome.is_none() {
            return self.decide_and_commit(run).await;
        }
        if run.buffer.rows().is_empty() {
            return self.settle(run).await;
        }
        match AssertUnwindSafe(self.decide_and_commit(run)).catch_unwind().await {
            Ok(result) => result,
            Err(panic) => {
                if let Err(error) = self.flush(run).await {
                    tracing::warn!(execution_id = %run.execution.id, "a result is not written after a panic: {error}");
                }
                resume_unwind(panic)
            }
        }
    }

    /// Fails the step whose writes can never be committed.
    async fn reject(&self, run: &mut Run, error: &StepError) -> Result<Progress, Error> {
        let now = self.transitions.clock.now();
        let snapshot = self.look(run, now).await?;
        let decision = self.decide(run, &snapshot, &Input::Rejected(error), now).await?;
        self.carry_out(run, snapshot, decision, now).await
    }

    async fn decide_and_commit(&self, run: &mut Run) -> Result<Progress, Error> {
        let now = self.transitions.clock.now();
        let snapshot = match run.snapshot.take() {
            Some(snapshot) => snapshot.for_next(&self.transitions.catalog, &run.execution, now).await?,
            None => self.look(run, now).await?,
        };
        let decision = self.decide(run, &snapshot, &Input::Run, now).await?;
        self.carry_out(run, snapshot, decision, now).await
    }

    /// Reads what the next decision depends on.
    pub(super) async fn look(&self, run: &Run, now: Timestamp) -> Result<Snapshot, Error> {
        let Transitions { catalog, blobs, .. } = &*self.transitions;
        Snapshot::read((catalog, &**blobs), &run.execution, now).await
    }

    async fn carry_out(
        &self,
        run: &mut Run,
        snapshot: Snapshot,
        decision: Decision,
        now: Timestamp,
    ) -> Result<Progress, Error> {
        match self.with_reads(run, &snapshot, decision, now).await? {
            Decision::Commit(commit) => self.take(run, commit, snapshot).await,
            Decision::Perform(claim) if self.stop.is_set() || is_too_late(run, &claim.activity, now) => {
                Ok(Progress::Later)
            }
            Decision::Perform(claim) if !run.makes_slow_calls && is_slow(&claim.activity) => self.hand_over(run).await,
            Decision::Perform(claim) => self.perform(run, *claim, &snapshot.plan.secrets).await,
            Decision::Postpone(execution) => self.postpone(run, *execution).await,
            Decision::Stay(stay) => self.stay(run, stay).await,
            Decision::Read(_) => Err(self.unexpected(run, "rejected", "a step that fails reads nothing more")),
        }
    }

    /// Answers the reads that a step asks for, one after another; one that asks without an end fails.
    async fn with_reads(
        &self,
        run: &Run,
        snapshot: &Snapshot,
        decision: Decision,
        now: Timestamp,
    ) -> Result<Decision, Error> {
        let answer = |read: Read| -> reads::Answer<'_> {
            Box::pin(async move {
                read.objects().into_iter().try_for_each(|object| snapshot.objects.require(object))?;
                let found = match &read {
                    Read::Values { owner, chunks, at } => {
                        let owner = owner.as_deref().unwrap_or(&run.execution.id);
                        self.values.read(owner, chunks, *at).await?
                    }
                    read => self.finder.answer(read, &snapshot.objects).await?,
                };
                self.decide(run, snapshot, &Input::Found(&found), now).await
            })
        };
        match reads::answered(decision, &answer).await? {
            Ok(decision) => Ok(decision),
            Err(error) => self.decide(run, snapshot, &Input::Rejected(&error), now).await,
        }
    }

    /// Decides, with the records that expressions look up.
    pub(super) async fn decide(
        &self,
        run: &Run,
        snapshot: &Snapshot,
        input: &Input<'_>,
        now: Timestamp,
    ) -> Result<Decision, Error> {
        let decide = |known: &[LookedUp]| {
            let cx = Context { lookups: Lookups::of(known), ..snapshot.context(&run.event, now, &run.invocation) };
            pawl_engine::transition(&cx, &run.execution, input)
        };
        let decided = lookups::decided((&self.finder, &snapshot.objects), &decide).await?;
        decided.map_err(|error| match error {
            TransitionError::Illegal(illegal) => self.transitions.illegal(&run.execution, illegal),
            TransitionError::Refused(_) => self.unexpected(run, input.name(), "only a control is ever refused"),
        })
    }

    pub(super) fn unexpected(&self, run: &Run, input: &'static str, why: &'static str) -> Error {
        self.transitions.illegal(&run.execution, Illegal { state: run.execution.status, input, why })
    }

    pub(super) async fn take(
        &self,
        run: &mut Run,
        mut commit: Box<Commit>,
        snapshot: Snapshot,
    ) -> Result<Progress, Error> {
        let ends = commit.execution.status.is_ended() || commit.execution.stalled;
        let is_result = run.outcome.is_some() && run.buffer.rows().is_empty();
        // Under a kill nothing follows with which it could be written.
        let is_held = !snapshot.killed && run.buffer.take(&run.execution, &commit, is_result);
        if is_held {
            run.snapshot = Some(snapshot);
        } else {
            let durability = if ends { Durability::Durable } else { effects::durability(&commit) };
            let kept = self.transitions.commit(run, &mut commit, &snapshot, durability).await?;
            run.written(kept);
        }
        run.execution = commit.execution;
        run.has_begun = true;
        self.transitions.tell_end(run).await?;
        Ok(if ends { Progress::Rest } else { Progress::Again })
    }

    pub(super) async fn postpone(&self, run: &mut Run, execution: Execution) -> Result<Progress, Error> {
        let kept = self.transitions.head_only(run, &execution, Durability::Ordered).await?;
        run.written(kept);
        run.execution = execution;
        self.transitions.ensure(&run.execution, SignedDuration::ZERO).await?;
        Ok(Progress::Rest)
    }

    /// Nothing to decide: somebody else holds the lease, or a kill holds all. A live lease is looked at again when
    /// it is over; a kill is lifted explicitly, and then looks for what is due.
    async fn stay(&self, run: &Run, stay: Stay) -> Result<Progress, Error> {
        if stay == Stay::Leased {
            self.transitions.ensure(&run.execution, HEAL_AFTER).await?;
        }
        Ok(Progress::Rest)
    }
}
