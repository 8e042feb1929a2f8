//! Options of the executor.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use pawl_definition::{Duration, RETENTION_LEAST};

use crate::BlockSizes;

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
    /// Outside calls that may last long are made by jobs of a queue of their own ([`QueueName::JobsSlow`]): where jobs are
    /// handed over in batches, as on AWS, a batch ends with its slowest job.
    ///
    /// [`QueueName::JobsSlow`]: crate::ports::QueueName::JobsSlow
    pub slow_apart: bool,
    /// Changes of records that nobody seems to listen to are marked: where those who read changes are paid for each time,
    /// as on AWS, such changes are read later and many at once.
    pub marks_unheard: bool,
    /// How long ended executions are kept, of workflows that do not say otherwise.
    pub retention: DefaultRetention,
    /// Whether ended executions expire at all. In test cases they do not, which look at them after any time.
    pub expires: bool,
    /// How much one run of a loop over stored items takes on.
    pub loops: LoopLimits,
    /// From which size on limits are split. All processes of an installation have the same, and keep it.
    pub block_sizes: BlockSizes,
}

/// How much one run of a loop over stored items takes on. What is left goes on in another run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoopLimits {
    /// Items of one page; 1 to 1,000.
    pub page: usize,
    /// Pages that one run of a loop reads at most, also if its deadline is further away.
    pub pages: usize,
    /// Waiting executions that one message tells of an event.
    pub waiters: usize,
    /// Executions that are told of an event, or look again, at once: each is read and written by itself, and mostly waits
    /// for storage.
    pub at_once: usize,
}

impl Default for LoopLimits {
    fn default() -> Self {
        // A page is read in one call of each backend. Time bounds a run, and a message of so many takes seconds.
        Self { page: 100, pages: usize::MAX, waiters: 100, at_once: 8 }
    }
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
        Self {
            max_steps_per_invocation: 50,
            alone_since: None,
            hold: 0,
            longest_delay: Self::LONGEST_DELAY,
            slow_apart: false,
            marks_unheard: false,
            retention: DefaultRetention::default(),
            loops: LoopLimits::default(),
            expires: true,
            block_sizes: BlockSizes::default(),
        }
    }
}

/// How long an installation keeps ended executions; `None` is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DefaultRetention(pub Option<Duration>);

impl FromStr for DefaultRetention {
    type Err = String;

    /// Reads a duration of at least 7 days, or an empty text: for ever.
    fn from_str(written: &str) -> Result<Self, String> {
        if written.is_empty() {
            return Ok(Self(None));
        }
        let retention = Duration::parse(written).map_err(|error| error.to_string())?;
        if retention.approximate() < RETENTION_LEAST {
            return Err(format!("expected at least 7d, found {written:?}"));
        }
        Ok(Self(Some(retention)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_retention_of_an_installation_is_read_with_its_minimum() {
        let read = |written: &str| written.parse::<DefaultRetention>();
        assert_eq!(read(""), Ok(DefaultRetention(None)));
        assert_eq!(read("1w").map(|read| read.0.map(|span| span.approximate())), Ok(Some(RETENTION_LEAST)));
        assert_eq!(read("6d"), Err("expected at least 7d, found \"6d\"".to_owned()));
        assert_eq!(read("-90d"), Err("expected at least 7d, found \"-90d\"".to_owned()));
        assert!(read("soon").is_err());
    }
}
