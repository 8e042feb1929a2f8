//! What commands on a single execution are given: a step, a fork, a rerun.

/// What is done with the step that an execution stopped before.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Step {
    /// Execution. A prefix of its id is enough if only one of the newest 20,000 executions has it.
    pub(crate) execution: String,
    /// Skips the step.
    #[arg(long)]
    pub(crate) skip: bool,
    /// Path to take from a skipped condition or goal.
    #[arg(long, value_parser = ["yes", "no"], requires = "skip")]
    pub(crate) take: Option<String>,
    /// Goes on without stopping any more.
    #[arg(long, conflicts_with = "skip")]
    pub(crate) run: bool,
    /// Reason; kept in history.
    #[arg(long)]
    pub(crate) reason: Option<String>,
}

/// A fork of an execution.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Fork {
    #[command(flatten)]
    pub(crate) again: Rerun,
    /// Step before which the new execution begins.
    #[arg(long, value_name = "STEP")]
    pub(crate) at: String,
}

/// An execution that begins again.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Rerun {
    /// Execution. A prefix of its id is enough if only one of the newest 20,000 executions has it.
    pub(crate) execution: String,
    #[command(flatten)]
    pub(crate) anew: Anew,
}

/// A refused event that begins an execution after all.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Replay {
    /// Refusal, `ref_…`: `pawl refusals WORKFLOW` lists them.
    pub(crate) refusal: String,
    #[command(flatten)]
    pub(crate) anew: Anew,
}

/// How an execution begins again.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Anew {
    /// Value that takes the place of a variable, `name=value`; JSON is parsed.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) values: Vec<String>,
    /// Revision of the workflow that the new execution keeps; the default follows the workflow as it is.
    #[arg(long, value_name = "N")]
    pub(crate) revision: Option<u64>,
    /// Stops before each step and shows its input; `pawl step` goes on.
    #[arg(long)]
    pub(crate) debug: bool,
    /// Reason; kept in history.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// Begins at most once for this key.
    #[arg(long)]
    pub(crate) idempotency_key: Option<String>,
}
