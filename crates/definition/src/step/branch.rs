//! `branch`: lanes that run beside each other.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::{Branch, RegionKind, Shape};
use crate::describe::JsonSchema;
use crate::types::Type;
use crate::validate::Facts;
use crate::validate::words::quoted;
use crate::{Check, Step, code};

/// What a lane may be seen as.
const STATES: [&str; 7] = ["queued", "running", "waiting", "paused", "completed", "canceled", "failed"];

/// The step `branch`. Output: `{status, output, error}` of each lane, by name.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lanes {
    /// Steps by the name of their lane.
    pub lanes: BTreeMap<String, Vec<Step>>,
    /// When it goes on.
    #[serde(default)]
    pub join: Join,
    /// What a lane that failed or was canceled does to the others.
    #[serde(default)]
    pub lane_failed: LaneFailed,
    /// What becomes of a variable that several lanes set.
    #[serde(default)]
    pub merge: BTreeMap<String, Merge>,
}

/// When a branch goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Join {
    /// When all lanes have ended.
    #[default]
    All,
    /// When the first lane has completed: the others are canceled.
    Any,
}

/// What a lane that failed does to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LaneFailed {
    /// They are canceled, and the step fails.
    #[default]
    Stop,
    /// They go on. The step is `partial`, and fails only if no lane completed.
    Continue,
}

/// How the values that several lanes give a variable become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Merge {
    /// The value of the lane that ended last.
    Last,
    /// A list: what it was before, and what each lane added, in the order of their names.
    Append,
}

/// Whether a lane may have this name: it is a part of addresses and of paths in expressions.
fn is_lane_name(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    !name.is_empty()
        && name.len() <= 64
        && !name.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        && name.chars().all(is_letter)
}

impl Shape for Lanes {
    fn words(&self, _: &Step) -> String {
        let until = match self.join {
            Join::All => "until all have ended",
            Join::Any => "until the first has completed; the others are canceled",
        };
        format!("does several things at once, {until}")
    }

    fn heading(&self, branch: &Branch<'_>) -> String {
        format!("at once, {}", branch.name)
    }

    fn branches(&self) -> Vec<Branch<'_>> {
        self.lanes.iter().map(|(name, steps)| Branch::keyed(name, "lanes", steps).region(RegionKind::Lane)).collect()
    }

    fn merges(&self) -> Option<BTreeSet<&str>> {
        (self.join == Join::All).then(|| self.merge.keys().map(String::as_str).collect())
    }

    fn output(&self, _: &Facts<'_>) -> Type {
        let error = || Type::open_object([("code", Type::text()), ("message", Type::text())]).or_null();
        let lane = || Type::object([("status", Type::words(STATES)), ("output", Type::any()), ("error", error())]);
        Type::object(self.lanes.keys().map(|name| (name.as_str(), lane())))
    }

    fn failed_output(&self, facts: &Facts<'_>) -> Type {
        self.output(facts)
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        if self.lanes.is_empty() && !cx.has_problem("lanes") {
            cx.error(code::INVALID_VALUE, &cx.key("lanes"), "expected at least one lane, found none");
        }
        if self.lanes.len() > LANES_MOST {
            let message = format!("expected at most {LANES_MOST} lanes, found {}", self.lanes.len());
            cx.error_at_key(code::INVALID_VALUE, &cx.key("lanes"), message);
        }
        for name in self.lanes.keys() {
            let place = cx.key("lanes").key(name);
            if !is_lane_name(name) {
                let message = format!(
                    "expected a name of letters, digits, `_` and `-` that begins with a letter, found {}",
                    quoted(name)
                );
                cx.error_at_key(code::INVALID_ID, &place, message);
            }
            let steps = cx.keys.get("lanes").and_then(|lanes| lanes.get(name)).and_then(Value::as_array);
            if steps.is_some_and(Vec::is_empty) {
                cx.warning(code::SUSPICIOUS, &place, "a lane without steps does nothing");
            }
        }
    }
}

/// Most lanes of a branch: each is an execution, and its join reads all of them.
const LANES_MOST: usize = 25;
