//! The executor: one job, then step after step, each in its own commit.

mod advance;
mod effect;

use std::sync::Arc;

use async_recursion::async_recursion as boxed;
use jiff::{SignedDuration, Timestamp};
use pawl_engine::{Status, signal};

use crate::activities::Activities;
use crate::message::Job;
use crate::ports::{Durability, QueueName};
use crate::signals::Signals;
use crate::transitions::{HEAL_AFTER, Run, Transitions};
use crate::values::StoredChunks;
use crate::{Core, Error, Finder, Metrics, Stop};

/// Carries executions on.
pub struct Executor {
    transitions: Arc<Transitions>,
    finder: Finder,
    activities: Activities,
    signals: Arc<Signals>,
    values: StoredChunks,
    stop: Stop,
}

/// What came of one decision.
enum Progress {
    /// It changed; more may be due at once.
    Again,
    /// More is due, but would not be over in time.
    Later,
    /// Nothing more to do now.
    Rest,
}

impl Executor {
    /// Over a core, what finds records for steps, and what steps do outside, until the process is about to end.
    pub(crate) fn new(core: &Core, finder: Finder, activities: Activities) -> Self {
        let Core { transitions, signals, stop, .. } = core.clone();
        let values = StoredChunks::new(transitions.blobs.clone());
        Self { transitions, finder, activities, signals, values, stop }
    }

    /// Handles a job: goes on while steps are ready, and time and steps last. The caller deletes the message after.
    ///
    /// What must not be cut off is not begun: an outside call that may last until after the deadline is handed over to
    /// the next invocation, before it is claimed. Only one that the invocation begins with is made all the same: no other
    /// would have more time for it.
    ///
    /// Where calls that may last long are made apart, a job of another queue makes none: it sends a job to theirs.
    #[boxed]
    pub async fn handle(&self, job: &Job, queue: QueueName, deadline: Option<Timestamp>) -> Result<(), Error> {
        if let Some(news) = job.news {
            return self.transitions.hear(&job.execution_id, news).await;
        }
        let Some(mut run) = self.transitions.load(&job.execution_id).await? else {
            tracing::warn!(execution_id = %job.execution_id, "a job of an unknown execution {} is dropped", job.execution_id);
            return Ok(());
        };
        if run.execution.has_news() {
            self.transitions.tell_end(&mut run).await?;
            if run.execution.status.is_ended() {
                return Ok(());
            }
        }
        run.deadline = deadline;
        run.makes_slow_calls = !self.transitions.options.slow_apart || queue == QueueName::JobsSlow;
        let now = self.transitions.clock.now();
        let is_stale = job.seq != run.execution.seq;
        if is_stale || !(run.execution.is_due(now) || run.execution.is_in_line()) {
            Metrics::count(&self.transitions.metrics.jobs_stale);
            if run.execution.stalled {
                // An old job does not bring back what waits for a person.
                return Ok(());
            }
            // It does nothing but make sure that what the present state needs is under way: the sender of this job
            // may have died after its commit.
            return self.transitions.ensure(&run.execution, HEAL_AFTER).await;
        }
        let counts = job.again && self.count_death(&mut run).await?;
        let result = self.go_on(&mut run).await;
        if counts {
            self.lived(&run).await;
        }
        result
    }

    /// Goes on step after step.
    async fn go_on(&self, run: &mut Run) -> Result<(), Error> {
        for _ in 0..=self.transitions.options.max_steps_per_invocation {
            if self.stop.is_set() {
                break;
            }
            if self.is_handed_over(run).await? {
                return Ok(());
            }
            match Box::pin(self.advance(run)).await? {
                Progress::Rest if run.outcome.is_some() => return self.flush(run).await,
                Progress::Rest => return Ok(()),
                Progress::Later => break,
                Progress::Again if !run.execution.is_due(self.transitions.clock.now()) => break,
                Progress::Again if run.deadline.is_some_and(|deadline| self.transitions.clock.now() >= deadline) => {
                    break;
                }
                Progress::Again => {}
            }
        }
        self.flush(run).await?;
        self.transitions.ensure(&run.execution, SignedDuration::ZERO).await
    }

    /// A wait for a signal has begun, or is over: what is kept is offered to those who wait before that is decided. Whether
    /// this execution has gone on by that; its job is under way then.
    async fn is_handed_over(&self, run: &mut Run) -> Result<bool, Error> {
        let waits = run.execution.status == Status::Waiting && run.execution.is_due(self.transitions.clock.now());
        let Some(topic) = signal::awaited(&run.execution).filter(|_| waits).map(str::to_owned) else {
            return Ok(false);
        };
        self.signals.hand_over(&topic, run.deadline).await?;
        let seq = run.execution.seq;
        let is_there = self.transitions.reload(run).await?;
        Ok(!is_there || run.execution.seq != seq)
    }

    /// Leaves a call that may last long to a job of the queue of such calls. It is not claimed yet: if the message is lost on the
    /// way, the next job of the execution comes here again.
    async fn hand_over(&self, run: &mut Run) -> Result<Progress, Error> {
        self.flush(run).await?;
        self.transitions.dispatcher.send_apart(&run.execution).await?;
        Ok(Progress::Rest)
    }

    /// The job was handled before, and nobody knows if that process lives: the head counts it as a death before it is
    /// handled again, for the next may die as well. A death with a lease is counted by the lease. The first deliveries,
    /// which are nearly all, write nothing.
    async fn count_death(&self, run: &mut Run) -> Result<bool, Error> {
        if !run.execution.leases.is_empty() {
            return Ok(false);
        }
        let mut after = run.execution.clone();
        after.version += 1;
        after.deaths += 1;
        match self.transitions.head_only(run, &after, Durability::Durable).await {
            Ok(kept) => {
                run.written(kept);
                run.execution = after;
                Ok(true)
            }
            // Somebody else goes on with it.
            Err(error) if error.is_conflict() || error.is_unknown() => {
                self.transitions.reload(run).await.map(|_| false)
            }
            Err(error) => Err(error),
        }
    }

    /// The process outlived what it handled, although nothing came of it: the count is taken back. A failure to do so is
    /// passed over: it counts one death too many.
    async fn lived(&self, run: &Run) {
        if run.execution.deaths == 0 || !run.execution.leases.is_empty() {
            return;
        }
        let mut after = run.execution.clone();
        after.version += 1;
        after.deaths -= 1;
        if let Err(error) = self.transitions.head_only(run, &after, Durability::Ordered).await {
            tracing::debug!(execution_id = %after.id, "a death too many stays counted for {}: {error}", after.id);
        }
    }

    /// Writes what is held, at the end of an invocation. If others were faster it never was, and the job for what they
    /// left is sent in its place; but what an effect outside came to is decided and written anew.
    async fn flush(&self, run: &mut Run) -> Result<(), Error> {
        if run.buffer.rows().is_empty() {
            return Ok(());
        }
        match self.transitions.head_only(run, &run.execution, Durability::Ordered).await {
            Err(error) if error.is_conflict() || error.is_unknown() => {
                let is_there = self.transitions.reload(run).await?;
                if is_there && run.outcome.is_some() { self.settle(run).await.map(drop) } else { Ok(()) }
            }
            result => result.map(|kept| run.written(kept)),
        }
    }
}
