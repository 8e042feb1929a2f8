//! Transitions of executions: loaded, decided by one input from outside, committed, with what follows a commit.

mod load;
mod preview;
mod write;

use std::sync::Arc;

use async_recursion::async_recursion as boxed;
use jiff::{SignedDuration, Timestamp};
use pawl_engine::steps::awaited_children;
use pawl_engine::{
    Act, Context, Control, Decision, Event, Execution, Illegal, Input, LookedUp, Lookups, Refused, TransitionError,
    ended,
};

use crate::breaker::Breaker;
use crate::concurrency_slots::ConcurrencySlots;
use crate::dispatch::Dispatcher;
use crate::message::News;
use crate::notices::Notices;
use crate::ports::{BlobOwner, Blobs, Clock, Durability, Random, Tables};
use crate::snapshot::Snapshot;
use crate::{Catalog, CompletionSignals, Error, ExecutorOptions, Finder, Metrics, lookups, offload};

pub(crate) use load::{Outcome, Run};
pub use preview::Ahead;

/// A stale or early job that finds work due waits this long before its own job: whoever is at work has time to
/// go on, and repeats do not chase each other.
pub(crate) const HEAL_AFTER: SignedDuration = SignedDuration::from_secs(2);

/// How often a lost race is decided again before the message is given back.
pub(crate) const RACES: usize = 8;

/// How an input is applied.
#[derive(Debug, Clone, Copy)]
struct Attempts {
    /// How often a lost race is decided again.
    races: usize,
    /// An execution that is due and stays as it is gets the job that it needs.
    heals: bool,
}

impl Attempts {
    /// As most inputs are.
    const ALL: Self = Self { races: RACES, heals: true };

    /// The offer of a signal. A race may be lost because another execution took the signal; and a wait that is due is looked at
    /// by its own job, which offers signals to others: each would send jobs of all the others.
    const OFFER: Self = Self { races: 3, heals: false };
}

/// Tells executions of inputs from outside, and commits what comes of it. It performs no activity.
pub struct Transitions {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) tables: Arc<dyn Tables>,
    pub(crate) blobs: Arc<dyn Blobs>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) notices: Arc<Notices>,
    pub(crate) breaker: Arc<Breaker>,
    pub(crate) slots: ConcurrencySlots,
    pub(crate) completions: Arc<CompletionSignals>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) options: ExecutorOptions,
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

impl Transitions {
    /// Tells an execution of an event on a topic that it waits on.
    #[boxed]
    pub async fn on_event(&self, execution: &str, event: &Event) -> Result<(), Error> {
        self.apply(execution, &Input::Event(event), |_| true).await?;
        Ok(())
    }

    /// Offers a signal to an execution that waits for it. Whether it takes it, the signal's line shows.
    #[boxed]
    pub(crate) async fn offer(&self, execution: &str, signal: &Event) -> Result<(), Error> {
        self.apply_with(execution, &Input::Event(signal), |_| true, Attempts::OFFER).await?;
        Ok(())
    }

    /// Lets an execution look again at what it waits for: a kill was lifted, under which it received nothing, or its
    /// workflow was edited.
    pub(crate) async fn look_again(&self, execution: &str) -> Result<(), Error> {
        self.apply(execution, &Input::LookAgain, |_| true).await?;
        Ok(())
    }

    /// Tells an execution that its parent has changed or that a child of it has ended. What concerns those whom it waits for
    /// goes on to them.
    pub(crate) async fn hear(&self, execution: &str, news: News) -> Result<(), Error> {
        let heard = self.apply(execution, &Input::LookAgain, |_| true).await?;
        let Some(Ok(after)) = heard.filter(|_| news == News::ParentChanged) else { return Ok(()) };
        self.dispatcher.send_news(&awaited_children(&after), News::ParentChanged).await
    }

    /// Tells of the end of an execution those who wait for it, those whom it waited for, and those who listen for ends; its
    /// head says whom, until they are told.
    pub(crate) async fn tell_end(&self, run: &mut Run) -> Result<(), Error> {
        if !run.execution.has_news() {
            return Ok(());
        }
        if let Some(end) = ended(&run.execution).filter(|_| run.execution.announces_end) {
            self.announce(end, &run.execution.workflow).await?;
        }
        let parent = run.execution.parent.as_ref().map(|parent| parent.by.execution.clone());
        let (up, down): (Vec<_>, Vec<_>) =
            run.execution.to_tell.iter().cloned().partition(|told| Some(told) == parent.as_ref());
        self.dispatcher.send_news(&up, News::ChildEnded).await?;
        self.dispatcher.send_news(&down, News::ParentChanged).await?;
        let mut after = run.execution.clone();
        after.version += 1;
        after.to_tell.clear();
        after.announces_end = false;
        match self.head_only(run, &after, Durability::Ordered).await {
            Ok(kept) => {
                run.buffer.written(kept);
                run.execution = after;
                Ok(())
            }
            // Others have told them, or will once more.
            Err(error) if error.is_conflict() || error.is_unknown() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Sends the event of an end to those who listen.
    #[boxed]
    async fn announce(&self, mut end: Event, workflow: &str) -> Result<(), Error> {
        offload::event(&*self.blobs, BlobOwner::event(&end.id), &mut end).await?;
        self.dispatcher.send_event(end, workflow).await
    }

    /// Carries out a control, durably. Repeating it changes nothing.
    #[boxed]
    pub async fn control(&self, execution: &str, control: &Control, act: &Act) -> Result<Execution, ControlError> {
        self.control_if(execution, control, act, |_| true).await
    }

    /// Whether an execution would take a control as it is now. Nothing changes.
    pub(crate) async fn would_control(
        &self,
        execution: &str,
        control: &Control,
        act: &Act,
    ) -> Result<(), ControlError> {
        let input = Input::Control(control, act);
        let on_head = is_on_head_alone(&input);
        let not_found = || ControlError::NotFound(execution.to_owned());
        let run = self.load_whole(execution, !on_head).await?.ok_or_else(not_found)?;
        let now = self.clock.now();
        let snapshot = self.snapshot(&run, now, on_head).await?;
        match self.decide(&run, &snapshot, &input, now).await? {
            Err(TransitionError::Refused(refused)) => Err(refused.into()),
            Err(TransitionError::Illegal(illegal)) => Err(Error::Illegal(illegal).into()),
            Ok(_) => Ok(()),
        }
    }

    /// Decides, with the records that expressions look up.
    async fn decide(
        &self,
        run: &Run,
        snapshot: &Snapshot,
        input: &Input<'_>,
        now: Timestamp,
    ) -> Result<Result<Decision, TransitionError>, Error> {
        let finder = Finder::new(self.tables.clone(), self.catalog.shared_unreadable());
        let decide = |known: &[LookedUp]| {
            let cx = Context { lookups: Lookups::of(known), ..snapshot.context(&run.event, now, &run.invocation) };
            pawl_engine::transition(&cx, &run.execution, input)
        };
        lookups::decided((&finder, &snapshot.objects), &decide).await
    }

    /// What a decision on an input is made on.
    async fn snapshot(&self, run: &Run, now: Timestamp, on_head: bool) -> Result<Snapshot, Error> {
        match Snapshot::read((&self.catalog, &*self.blobs), &run.execution, now).await {
            Err(Error::Unreadable(_) | Error::NoWorkflow(..)) if on_head => Ok(Snapshot::unknown(&run.execution)),
            snapshot => snapshot,
        }
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
        self.apply_with(execution, input, wanted, Attempts::ALL).await
    }

    async fn apply_with(
        &self,
        execution: &str,
        input: &Input<'_>,
        wanted: impl Fn(&Execution) -> bool + Send,
        attempts: Attempts,
    ) -> Result<Option<Result<Execution, Refused>>, Error> {
        for _ in 0..attempts.races {
            let on_head = is_on_head_alone(input);
            let Some(mut run) = self.load_whole(execution, !on_head).await? else { return Ok(None) };
            if !wanted(&run.execution) {
                return Ok(Some(Ok(run.execution)));
            }
            let now = self.clock.now();
            let snapshot = self.snapshot(&run, now, on_head).await?;
            let decision = match self.decide(&run, &snapshot, input, now).await? {
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
            let Decision::Commit(mut commit) = decision else {
                // What was decided before may have been cut off before its job was sent. What is stalled waits for a
                // person, who may just be here.
                let by_person = matches!(input, Input::Control(control, _) if **control != Control::Stall);
                let heals = attempts.heals && (by_person || !run.execution.stalled);
                if heals && run.execution.is_due(now) {
                    self.ensure(&run.execution, HEAL_AFTER).await?;
                }
                return Ok(Some(Ok(run.execution)));
            };
            match self.commit(&run, &mut commit, &snapshot, Durability::Durable).await {
                Ok(kept) => {
                    run.buffer.written(kept);
                    run.execution = commit.execution;
                    self.tell_end(&mut run).await?;
                    if !run.execution.stalled {
                        self.ensure(&run.execution, SignedDuration::ZERO).await?;
                    }
                    return Ok(Some(Ok(run.execution)));
                }
                Err(error) if error.is_conflict() || error.is_unknown() => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended(execution.to_owned()))
    }

    /// Makes sure that what an execution needs is under way; `least` delays what is due now.
    pub(crate) async fn ensure(&self, execution: &Execution, least: SignedDuration) -> Result<(), Error> {
        self.dispatcher.ensure_scheduled(execution, self.clock.now(), least).await
    }

    /// Counts and logs what the protocol never makes. The message is given back, and at the end marks its execution.
    pub(crate) fn illegal(&self, execution: &Execution, illegal: Illegal) -> Error {
        Metrics::count(&self.metrics.illegal_inputs);
        tracing::error!(
            execution_id = %execution.id, workflow = %execution.workflow, seq = execution.seq, input = illegal.input,
            status = %execution.status, "execution {}: {illegal}", execution.id
        );
        Error::Illegal(illegal)
    }
}

/// Whether an input looks at nothing but the head: what stops an execution works although nothing else of it can be read.
fn is_on_head_alone(input: &Input<'_>) -> bool {
    let stops =
        |control: &Control| matches!(control, Control::Stall | Control::Cancel | Control::Kill | Control::Pause);
    matches!(input, Input::Control(control, _) if stops(control))
}
