//! Counters of what the runtime did in this process. Their names are the same in logs, in the API and in the cloud.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use pawl_engine::{Event, Execution, OutcomeStatus, Row, Status, StepStatus};

/// Is told of what is counted, with what it is about, and exports of it what it wants.
pub trait MetricsExporter: Debug + Send + Sync {
    /// An execution was made by an event.
    fn created(&self, execution: &Execution, event: &Event);
    /// A start of a workflow was refused, with this code.
    fn refused(&self, workflow: &str, code: &str);
    /// A transition was committed; the execution may be further than the row.
    fn transition(&self, execution: &Execution, row: &Row);
}

/// Defines the counters from one line each.
macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counts since the process began.
        #[derive(Debug, Default)]
        pub struct Metrics {
            $($(#[$doc])* pub $name: AtomicU64,)*
            exporter: OnceLock<Arc<dyn MetricsExporter>>,
        }

        impl Metrics {
            /// All counts by name.
            pub fn snapshot(&self) -> BTreeMap<&'static str, u64> {
                BTreeMap::from([$((stringify!($name), self.$name.load(Ordering::Relaxed)),)*])
            }
        }
    };
}

counters! {
    /// Events that were accepted, repeats left out.
    events_accepted,
    /// Deliveries that were rejected.
    deliveries_rejected,
    /// Deliveries, starts and writes of records that were answered 429, since too much waits already.
    deliveries_put_off,
    /// Starts that were refused.
    starts_refused,
    /// Executions that were made.
    executions_created,
    /// Executions that completed.
    executions_completed,
    /// Executions that were canceled.
    executions_canceled,
    /// Executions that failed.
    executions_failed,
    /// Executions that completed and reached what their workflow is for.
    outcomes_reached,
    /// Executions that completed and did not reach it.
    outcomes_not_reached,
    /// Executions that completed, and of which it cannot be computed.
    outcomes_unknown,
    /// Executions that were marked as stalled: a job of theirs was given up.
    executions_stalled,
    /// Steps that ended well, skipped ones among them.
    steps_completed,
    /// Steps that failed for good.
    steps_failed,
    /// Attempts that will be repeated.
    steps_retried,
    /// Waits that began: delays and goals.
    waits_begun,
    /// Notices that were handed on to people.
    notices_sent,
    /// Those among them whose severity is critical.
    notices_critical,
    /// Signals that were accepted, repeats left out.
    signals_accepted,
    /// Signals that were answered 429, since as many as may be are kept.
    signals_refused,
    /// Signals of the bus that were not accepted.
    signals_dropped,
    /// Transitions that were decided again because others had written.
    races_lost,
    /// Inputs that an execution never gets by the protocol: a mistake of the program, or a head that something else wrote.
    illegal_inputs,
    /// Stored items that were passed over, because they could not be read.
    items_unreadable,
    /// Deliveries of messages that failed for no fault of the message, and will be repeated for as long as it takes.
    messages_put_off,
    /// Runs of a sweep, an operation or an event with many waiters that stopped at their deadline; another one goes on.
    runs_cut_short,
    /// Jobs that were for another transition than the present one, or early.
    jobs_stale,
}

impl Metrics {
    /// Counts one.
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Tells an exporter of all that is counted from now on; the first one stays.
    pub fn export_to(&self, exporter: Arc<dyn MetricsExporter>) {
        // A process has one.
        let _ = self.exporter.set(exporter);
    }

    /// Counts an execution that was made.
    pub(crate) fn created(&self, execution: &Execution, event: &Event) {
        Self::count(&self.executions_created);
        self.exporter.get().into_iter().for_each(|exporter| exporter.created(execution, event));
    }

    /// Counts a start that was refused.
    pub(crate) fn refused(&self, workflow: &str, code: &str) {
        Self::count(&self.starts_refused);
        self.exporter.get().into_iter().for_each(|exporter| exporter.refused(workflow, code));
    }

    /// Counts the outcome of an execution that has ended.
    pub(crate) fn outcome(&self, outcome: OutcomeStatus) {
        Self::count(match outcome {
            OutcomeStatus::Reached => &self.outcomes_reached,
            OutcomeStatus::NotReached => &self.outcomes_not_reached,
            OutcomeStatus::Unknown => &self.outcomes_unknown,
        });
    }

    /// Counts a committed transition.
    pub(crate) fn transition(&self, execution: &Execution, row: &Row) {
        self.exporter.get().into_iter().for_each(|exporter| exporter.transition(execution, row));
        let step = match row.status {
            Some(StepStatus::Completed | StepStatus::Skipped | StepStatus::TimedOut | StepStatus::Partial) => {
                Some(&self.steps_completed)
            }
            Some(StepStatus::Failed) => Some(&self.steps_failed),
            Some(StepStatus::Retrying) => Some(&self.steps_retried),
            Some(StepStatus::Waiting) => Some(&self.waits_begun),
            Some(StepStatus::Running | StepStatus::Canceled) | None => None,
        };
        let end = match row.execution {
            Status::Completed => Some(&self.executions_completed),
            Status::Canceled => Some(&self.executions_canceled),
            Status::Failed => Some(&self.executions_failed),
            Status::Queued | Status::Running | Status::Waiting | Status::Paused => None,
        };
        step.into_iter().chain(end).for_each(Self::count);
    }
}
