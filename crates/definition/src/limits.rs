//! Limits and safeguards: section 7 of the language.

use serde::Deserialize;

use crate::describe::JsonSchema;
use crate::{Concurrency, Debounce, Duration};

/// Whether an event may start a workflow that already ran or runs on its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reentry {
    /// Every matching event starts an execution.
    #[default]
    EveryEvent,
    /// At most one open execution for a record.
    OneActivePerRecord,
    /// At most one execution for a record, ever.
    OncePerRecord,
}

/// How many executions may start in a span of time; the others are delayed, never dropped.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Starts {
    /// The span.
    pub per: Duration,
    /// How many start in it.
    #[schemars(range(min = 1))]
    pub at_most: u32,
}

/// What a budget is counted over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BudgetPer {
    /// One execution.
    #[default]
    Execution,
    /// All executions of the workflow in one day, UTC.
    Day,
}

/// What model calls may cost.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Tokens, read and written together.
    #[serde(default)]
    pub tokens: Option<u64>,
    /// US dollars.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub usd: Option<f64>,
    /// What it is counted over.
    #[serde(default)]
    pub per: BudgetPer,
}

/// Limits of a workflow.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Re-entry policy.
    pub reentry: Reentry,
    /// Least time between two starts on one record.
    pub cooldown: Option<Duration>,
    /// Spacing of starts.
    pub starts: Option<Starts>,
    /// Most executions that run at once, of all or of each key; the others wait in line.
    pub concurrency: Option<Concurrency>,
    /// Starts once for a burst of events.
    pub debounce: Option<Debounce>,
    /// Most steps of one list of steps: those of the execution, of one item of a loop, or of one lane.
    #[schemars(range(min = 1, max = 100_000))]
    pub steps: u32,
    /// Most steps of the execution with all items and lanes in it.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub tree_steps: u32,
    /// Most visits of one step between two real waits.
    #[schemars(range(min = 1, max = 10_000))]
    pub visits: u32,
    /// Most workflows caused by one another.
    #[schemars(range(min = 1, max = 100))]
    pub depth: u32,
    /// Most starts of this workflow on one record inside its own chain of causes.
    #[serde(rename = "self")]
    #[schemars(range(min = 1, max = 100))]
    pub own_chain: u32,
    /// Budget of model calls.
    pub budget: Option<Budget>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            reentry: Reentry::default(),
            cooldown: None,
            starts: None,
            concurrency: None,
            debounce: None,
            steps: 1_000,
            tree_steps: 100_000,
            visits: 100,
            depth: 10,
            own_chain: 3,
            budget: None,
        }
    }
}
