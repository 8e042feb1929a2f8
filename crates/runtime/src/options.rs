//! Options of the executor.

use jiff::{SignedDuration, Timestamp};

/// How an executor works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExecutorOptions {
    /// Ready steps that one invocation carries out after the first; 0 is strictly one step an invocation.
    pub max_steps_per_invocation: usize,
    /// All invocations run in one process that began at this time: whoever held a lease before is dead, and what it
    /// was at goes on at once. `None` where other processes may be at work, as on AWS.
    pub alone_since: Option<Timestamp>,
    /// Ready steps that touch nothing but their execution, and wait to be committed with the next that does; 0 commits
    /// each by itself. This saves a commit of the head for each.
    pub hold: usize,
    /// Waits up to this long are delayed messages, longer ones timers; from 0 to [`Self::LONGEST_DELAY`].
    pub longest_delay: SignedDuration,
}

impl ExecutorOptions {
    /// Pure transitions that installations hold: more than most executions have in a row, and far below the hundred items
    /// of a transaction.
    pub const HOLD: usize = 20;

    /// The longest delay of a message; the bound of SQS.
    pub const LONGEST_DELAY: SignedDuration = SignedDuration::from_secs(900);
}

impl Default for ExecutorOptions {
    fn default() -> Self {
        // Enough for nearly every run of ready steps, and few enough that one execution does not hold a worker.
        Self { max_steps_per_invocation: 50, alone_since: None, hold: 0, longest_delay: Self::LONGEST_DELAY }
    }
}
