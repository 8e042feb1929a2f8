//! `limits.concurrency`: how many executions run at once, of all or of each key.

use serde::{Deserialize, Serialize};

use crate::Expression;
use crate::describe::JsonSchema;

/// Most slots of one key. A slot of a key is a stored item, and an execution that asks for one reads those that are taken.
pub const SLOTS_OF_KEY_MOST: u32 = 1_000;

/// How long an execution holds its slot. Stored, do not rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SlotHold {
    /// Until it ends, also while it waits or is paused.
    #[default]
    Open,
    /// While it runs: it gives its slot back when it waits or is paused, and asks for one before it goes on.
    Running,
}

/// Most executions that run at once; the others wait in line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(from = "WrittenConcurrency")]
pub struct Concurrency {
    /// How many.
    pub at_most: u32,
    /// The key by which they are counted; absent, all are counted together.
    pub per: Option<Expression>,
    /// How long an execution holds its slot.
    pub hold: SlotHold,
}

/// As it is written: a number, or a mapping.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum WrittenConcurrency {
    /// So many of all.
    Number(#[schemars(range(min = 1))] u32),
    /// So many of each key.
    Mapping(ConcurrencyOf),
}

/// How many executions run at once, of which, and how long each of them counts.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ConcurrencyOf {
    /// How many; with `per`, at most 1,000.
    #[schemars(range(min = 1))]
    at_most: u32,
    /// The key: executions with different keys do not count for each other. Blank is a key of its own.
    #[serde(default)]
    per: Option<Expression>,
    /// How long an execution holds its slot: until its end, or only while it runs.
    #[serde(default)]
    hold: SlotHold,
}

impl From<WrittenConcurrency> for Concurrency {
    fn from(written: WrittenConcurrency) -> Self {
        match written {
            WrittenConcurrency::Number(at_most) => Self { at_most, per: None, hold: SlotHold::Open },
            WrittenConcurrency::Mapping(ConcurrencyOf { at_most, per, hold }) => Self { at_most, per, hold },
        }
    }
}
