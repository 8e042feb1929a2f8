//! The executor: one job, then step after step, each in its own commit.

mod load;
mod write;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use pawl_engine::{
    Act, Activity, Claim, Control, Decision, Event, Execution, Illegal, Input, Occurrence, Performed, Read, Refused,
    Stay, StepError, TransitionError, Wake,
};

use crate::activities::Activities;
use crate::message::Job;
use crate::notices::Notices;
use crate::ports::{Blobs, Clock, Durability, Queue, Random, Tables, Timers};
use crate::snapshot::Snapshot;
use crate::write_buffer::WriteBuffer;
use crate::{Catalog, CompletionSignals, Error, ExecutorOptions, Metrics, Stop, dispatch, reads};

/// A stale or early job that finds work due waits this long before its own job: whoever is at work has time to
/// go on, and repeats do not chase each other.
const HEAL_AFTER: SignedDuration = SignedDuration::from_secs(2);

/// How often a lost race is decided again before the message is given back.
const RACES: usize = 8;

/// Carries executions on.
pub struct Executor {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) tables: Arc<dyn Tables>,
    pub(crate) jobs: Arc<dyn Queue>,
    pub(crate) timers: Arc<dyn Timers>,
    pub(crate) blobs: Arc<dyn Blobs>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) activities: Arc<Activities>,
    pub(crate) notices: Arc<Notices>,
    pub(crate) completions: Arc<CompletionSignals>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) options: ExecutorOptions,
    pub(crate) stop: Stop,
}

/// Why a control was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// No execution has this id.
    #[error("there is no execution {0:?}")]
    NotFound(String),
    /// It does not fit the state.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Infrastructure failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// One invocation at work on one execution.
struct Run {
    execution: Execution,
    event: Occurrence,
    invocation: String,
    buffer: WriteBuffer,
    /// What the transition that is held last was decided on. As it was no more than thought about, the next one is decided
    /// on the same: what is written together is decided together.
    snapshot: Option<Snapshot>,
    /// When it must be over; none is no bound.
    deadline: Option<Timestamp>,
    /// It has made a transition: the time that it was given is no longer whole.
    has_begun: bool,
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
    /// Handles a job: goes on while steps are ready, and time and steps last. The caller deletes the message after.
    ///
    /// What must not be cut off is not begun: an outside call that may last until after the deadline is handed over to
    /// the next invocation, before it is claimed. Only one that the invocation begins with is made all the same: no other
    /// would have more time for it.
    pub async fn handle(&self, job: &Job, deadline: Option<Timestamp>) -> Result<(), Error> {
        let Some(mut run) = self.load(&job.execution_id).await? else {
            tracing::warn!(execution_id = %job.execution_id, "a job of an unknown execution {} is dropped", job.execution_id);
            return Ok(());
        };
        run.deadline = deadline;
        let now = self.clock.now();
        let waits_for_slot =
            matches!(run.execution.wake, Wake::Timer { purpose: pawl_engine::TimerPurpose::Concurrency, .. });
        let is_stale = job.seq != run.execution.seq;
        if is_stale || !(run.execution.is_due(now) || waits_for_slot) {
            Metrics::count(&self.metrics.jobs_stale);
            if run.execution.stalled {
                // An old job does not bring back what waits for a person.
                return Ok(());
            }
            // It does nothing but make sure that what the present state needs is under way: the sender of this job
            // may have died after its commit.
            return self.ensure(&run.execution, HEAL_AFTER).await;
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
        for _ in 0..=self.options.max_steps_per_invocation {
            if self.stop.is_set() {
                break;
            }
            match self.advance(run).await? {
                Progress::Rest => return Ok(()),
                Progress::Later => break,
                Progress::Again if !run.execution.is_due(self.clock.now()) => break,
                Progress::Again if run.deadline.is_some_and(|deadline| self.clock.now() >= deadline) => break,
                Progress::Again => {}
            }
        }
        self.flush(run).await?;
        self.ensure(&run.execution, SignedDuration::ZERO).await
    }

    /// The job was handled before, and nobody knows if that process lives: the head counts it as a death before it is
    /// handled again, for the next may die as well. A death with a lease is counted by the lease. The first deliveries,
    /// which are nearly all, write nothing.
    async fn count_death(&self, run: &mut Run) -> Result<bool, Error> {
        if run.execution.lease.is_some() {
            return Ok(false);
        }
        let mut after = run.execution.clone();
        after.version += 1;
        after.deaths += 1;
        match self.head_only(run, &after, Durability::Durable).await {
            Ok(kept) => {
                run.buffer.written(kept);
                run.execution = after;
                Ok(true)
            }
            // Somebody else goes on with it.
            Err(error) if error.is_conflict() || error.is_unknown() => self.reload(run).await.map(|_| false),
            Err(error) => Err(error),
        }
    }

    /// The process outlived what it handled, although nothing came of it: the count is taken back. A failure to do so is
    /// passed over: it counts one death too many.
    async fn lived(&self, run: &Run) {
        if run.execution.deaths == 0 || run.execution.lease.is_some() {
            return;
        }
        let mut after = run.execution.clone();
        after.version += 1;
        after.deaths -= 1;
        if let Err(error) = self.head_only(run, &after, Durability::Ordered).await {
            tracing::debug!(execution_id = %after.id, "a death too many stays counted for {}: {error}", after.id);
        }
    }

    async fn ensure(&self, execution: &Execution, least: SignedDuration) -> Result<(), Error> {
        dispatch::ensure_scheduled(self, execution, self.clock.now(), least).await
    }

    /// Tells an execution of an event on a topic that it waits on.
    pub async fn on_event(&self, execution: &str, event: &Event) -> Result<(), Error> {
        self.apply(execution, &Input::Event(event), |_| true).await?;
        Ok(())
    }

    /// Lets an execution look again at what it waits for: a kill was lifted, under which it received nothing, or its
    /// workflow was edited.
    pub(crate) async fn look_again(&self, execution: &str) -> Result<(), Error> {
        self.apply(execution, &Input::LookAgain, |_| true).await?;
        Ok(())
    }

    /// Carries out a control, durably. Repeating it changes nothing.
    pub async fn control(&self, execution: &str, control: &Control, act: &Act) -> Result<Execution, ControlError> {
        self.control_if(execution, control, act, |_| true).await
    }

    /// Carries out a control if the execution is as wanted; if not, nothing changes.
    pub(crate) async fn control_if(
        &self,
        execution: &str,
        control: &Control,
        act: &Act,
        wanted: impl Fn(&Execution) -> bool + Send,
    ) -> Result<Execution, ControlError> {
        match self.apply(execution, &Input::Control(control, act), wanted).await? {
            Some(Ok(execution)) => Ok(execution),
            Some(Err(refused)) => Err(refused.into()),
            None => Err(ControlError::NotFound(execution.to_owned())),
        }
    }

    /// Decides and commits one input that comes from outside, and sees to what the execution needs then.
    async fn apply(
        &self,
        execution: &str,
        input: &Input<'_>,
        wanted: impl Fn(&Execution) -> bool + Send,
    ) -> Result<Option<Result<Execution, Refused>>, Error> {
        for _ in 0..RACES {
            let on_head = is_on_head_alone(input);
            let Some(run) = self.load_whole(execution, !on_head).await? else { return Ok(None) };
            if !wanted(&run.execution) {
                return Ok(Some(Ok(run.execution)));
            }
            let now = self.clock.now();
            let snapshot = match Snapshot::read(&self.catalog, &run.execution, now).await {
                Err(Error::Unreadable(_) | Error::NoWorkflow(..)) if on_head => Snapshot::unknown(&run.execution),
                snapshot => snapshot?,
            };
            let cx = snapshot.context(&run.event, now, &run.invocation);
            let decision = match pawl_engine::transition(&cx, &run.execution, input) {
                Ok(decision) => decision,
                Err(TransitionError::Refused(refused)) => return Ok(Some(Err(refused))),
                Err(TransitionError::Illegal(illegal)) => return Err(self.illegal(&run.execution, illegal)),
            };
            if let Decision::Postpone(after) = decision {
                match self.head_only(&run, &after, Durability::Durable).await {
                    Ok(_) => {
                        self.ensure(&after, SignedDuration::ZERO).await?;
                        return Ok(Some(Ok(*after)));
                    }
                    Err(error) if error.is_conflict() || error.is_unknown() => continue,
                    Err(error) => return Err(error),
                }
            }
            let Decision::Commit(commit) = decision else {
                // What was decided before may have been cut off before its job was sent. What is stalled waits for a
                // person, who may just be here.
                let by_person = matches!(input, Input::Control(control, _) if **control != Control::Stall);
                if run.execution.is_due(now) && (by_person || !run.execution.stalled) {
                    self.ensure(&run.execution, HEAL_AFTER).await?;
                }
                return Ok(Some(Ok(run.execution)));
            };
            match self.commit(&run, &commit, &snapshot, Durability::Durable).await {
                Ok(_) => {
                    if !commit.execution.stalled {
                        self.ensure(&commit.execution, SignedDuration::ZERO).await?;
                    }
                    return Ok(Some(Ok(commit.execution)));
                }
                Err(error) if error.is_conflict() || error.is_unknown() => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended(execution.to_owned()))
    }

    /// Makes the next transition, deciding again as long as races are lost.
    async fn advance(&self, run: &mut Run) -> Result<Progress, Error> {
        let mut taken = None;
        for _ in 0..RACES {
            match self.decide_and_commit(run).await {
                Err(error) if error.is_conflict() || error.is_unknown() => {
                    taken = error.taken();
                    Metrics::count(&self.metrics.races_lost);
                    if !self.reload(run).await? {
                        return Ok(Progress::Rest);
                    }
                }
                result => return result,
            }
        }
        match taken {
            Some(error) => self.reject(run, &error).await,
            None => Err(Error::Contended(run.execution.id.clone())),
        }
    }

    /// Fails the step whose writes can never be committed.
    async fn reject(&self, run: &mut Run, error: &StepError) -> Result<Progress, Error> {
        let now = self.clock.now();
        let snapshot = Snapshot::read(&self.catalog, &run.execution, now).await?;
        let decision = self.decide(run, &snapshot, &Input::Rejected(error), now)?;
        self.carry_out(run, snapshot, decision, now).await
    }

    async fn decide_and_commit(&self, run: &mut Run) -> Result<Progress, Error> {
        let now = self.clock.now();
        let snapshot = match run.snapshot.take() {
            Some(snapshot) => snapshot.for_next(&self.catalog, &run.execution).await?,
            None => Snapshot::read(&self.catalog, &run.execution, now).await?,
        };
        let decision = self.decide(run, &snapshot, &Input::Run, now)?;
        self.carry_out(run, snapshot, decision, now).await
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
                snapshot.objects.require(read.object())?;
                let found = self.activities.read(&read, &snapshot.objects).await?;
                self.decide(run, snapshot, &Input::Found(&found), now)
            })
        };
        match reads::answered(decision, &answer).await? {
            Ok(decision) => Ok(decision),
            Err(error) => self.decide(run, snapshot, &Input::Rejected(&error), now),
        }
    }

    fn decide(&self, run: &Run, snapshot: &Snapshot, input: &Input<'_>, now: Timestamp) -> Result<Decision, Error> {
        let cx = snapshot.context(&run.event, now, &run.invocation);
        pawl_engine::transition(&cx, &run.execution, input).map_err(|error| match error {
            TransitionError::Illegal(illegal) => self.illegal(&run.execution, illegal),
            TransitionError::Refused(_) => self.unexpected(run, input.name(), "only a control is ever refused"),
        })
    }

    fn unexpected(&self, run: &Run, input: &'static str, why: &'static str) -> Error {
        self.illegal(&run.execution, Illegal { state: run.execution.status, input, why })
    }

    /// Counts and logs what the protocol never makes. The message is given back, and at the end marks its execution.
    fn illegal(&self, execution: &Execution, illegal: Illegal) -> Error {
        Metrics::count(&self.metrics.illegal_inputs);
        tracing::error!(
            execution_id = %execution.id, workflow = %execution.workflow, seq = execution.seq, input = illegal.input,
            status = %execution.status, "execution {}: {illegal}", execution.id
        );
        Error::Illegal(illegal)
    }

    /// Nothing to decide: somebody else holds the lease, or a kill holds all. A live lease is looked at again when
    /// it is over; a kill is lifted explicitly, and then looks for what is due.
    async fn stay(&self, run: &Run, stay: Stay) -> Result<Progress, Error> {
        if stay == Stay::Leased {
            self.ensure(&run.execution, HEAL_AFTER).await?;
        }
        Ok(Progress::Rest)
    }

    /// Claims an effect, performs it, and commits what came of it.
    async fn perform(&self, run: &mut Run, claim: Claim, secrets: &BTreeSet<String>) -> Result<Progress, Error> {
        let kept = self.head_only(run, &claim.execution, Durability::Durable).await?;
        run.buffer.written(kept);
        run.execution = claim.execution;
        let lease = run.execution.lease.as_ref().expect("a claim has a lease");
        let attempt = lease.attempt;
        let performed = self.activities.perform(&claim.activity, &run.execution, secrets).await;
        for _ in 0..RACES {
            match self.commit_performed(run, &claim.activity, attempt, &performed).await {
                Err(error) if error.is_conflict() || error.is_unknown() => {
                    Metrics::count(&self.metrics.races_lost);
                    if !self.reload(run).await? {
                        return Ok(Progress::Rest);
                    }
                }
                result => return result,
            }
        }
        Err(Error::Contended(run.execution.id.clone()))
    }

    async fn commit_performed(
        &self,
        run: &mut Run,
        activity: &Activity,
        attempt: u32,
        performed: &Performed,
    ) -> Result<Progress, Error> {
        let now = self.clock.now();
        let snapshot = Snapshot::read(&self.catalog, &run.execution, now).await?;
        let input = Input::Performed { activity, attempt, performed };
        match self.decide(run, &snapshot, &input, now)? {
            Decision::Commit(commit) => self.take(run, commit, snapshot).await,
            Decision::Postpone(execution) => self.postpone(run, *execution).await,
            // The result was committed although its answer was lost, or the lease went to somebody else.
            Decision::Stay(_) => Ok(Progress::Again),
            Decision::Read(_) | Decision::Perform(_) => {
                Err(self.unexpected(run, input.name(), "a result ends a step or lets it wait"))
            }
        }
    }
}

/// Whether an input looks at nothing but the head: what stops an execution works although nothing else of it can be read.
fn is_on_head_alone(input: &Input<'_>) -> bool {
    let stops =
        |control: &Control| matches!(control, Control::Stall | Control::Cancel | Control::Kill | Control::Pause);
    matches!(input, Input::Control(control, _) if stops(control))
}

/// Whether an effect may still be under way when the invocation must be over, and another would have more time.
fn is_too_late(run: &Run, activity: &Activity, now: Timestamp) -> bool {
    run.has_begun && run.deadline.is_some_and(|deadline| now + activity.timeout() > deadline)
}
