//! A tracked action: what a person does to many executions or records at once, and how far it is.
//!
//! It stands in its [`Operation`](crate::items::operation::Operation). First it counts whom it concerns, which is its
//! preview; then it acts. Before it touches anything it stores whom it touches next, as its batch.

use jiff::Timestamp;
use pawl_definition::Take;
use pawl_engine::{Act, Control, Execution, Status};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Selection, offload};

/// Ids that a preview names.
const EXAMPLES: usize = 10;

/// Failures, and reasons of refusals, that a preview tells apart; the others are counted together.
const GROUPS: usize = 50;

/// The action of an operation. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// What it does, and to whom.
    pub task: Task,
    /// Who began it, when and why.
    pub by: Act,
    /// How fast it goes.
    pub limits: ActionLimits,
    /// It waits for a person once it has counted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub awaits_run: bool,
    /// What it found when it counted.
    #[serde(default)]
    pub preview: Preview,
    /// What came of it so far.
    #[serde(default)]
    pub counts: Counts,
    /// Whom it touches next. Those who are touched again after a crash are recognised.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub batch: Vec<Target>,
    /// Everybody was looked at in the present phase.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_searched: bool,
    /// When the rate lets it touch the batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_at: Option<Timestamp>,
}

/// How fast an action goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionLimits {
    /// Targets a second, on average.
    pub rate: u32,
    /// Targets at a time.
    pub concurrency: u32,
}

impl ActionLimits {
    /// Most targets a second that may be asked for.
    pub const RATE_MOST: u32 = 1_000;
    /// Most targets at a time that may be asked for.
    pub const CONCURRENCY_MOST: u32 = 50;
}

impl Default for ActionLimits {
    fn default() -> Self {
        // Ten thousand take a little over three minutes, and a service that just came back is not overrun.
        Self { rate: 50, concurrency: 8 }
    }
}

/// What an action does, and to whom. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Controls executions.
    Control(Controls),
    /// Starts a workflow on records.
    Start(Starts),
}

impl Task {
    /// Its word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Control(controls) => controls.verb.word(),
            Self::Start(_) => "start",
        }
    }

    /// The workflow that it concerns, if it is one.
    pub fn workflow(&self) -> Option<&str> {
        match self {
            Self::Control(controls) => controls.selection.workflow.as_deref(),
            Self::Start(starts) => Some(&starts.workflow),
        }
    }

    /// Whom it concerns, for the audit, which is kept for ever: no expression, which may name values of a person, and no
    /// list of ids.
    pub(crate) fn filter(&self) -> Value {
        match self {
            Self::Control(Controls { selection, .. }) if !selection.ids.is_empty() => {
                json!({"ids": selection.ids.len()})
            }
            Self::Control(controls) => controls.selection.written(),
            Self::Start(Starts { workflow, records, .. }) => match records {
                Records::Where(_) => json!({"workflow": workflow, "where": true}),
                Records::Group { group, .. } => json!({"workflow": workflow, "group": group}),
                Records::Listed { count, .. } => json!({"workflow": workflow, "records": count}),
            },
        }
    }
}

/// Controls executions. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Controls {
    /// What it does to each.
    pub verb: Verb,
    /// Whom it concerns.
    pub selection: Selection,
}

impl Controls {
    /// Its filter with the states that it looks at, if the filter names none.
    pub fn searched(&self) -> Selection {
        let mut selection = self.selection.clone();
        if selection.states.is_empty() && selection.ids.is_empty() {
            selection.states.extend(self.verb.states());
        }
        selection
    }

    /// Whether an execution is one of those that it is for, as far as its head says.
    pub fn concerns(&self, execution: &Execution) -> bool {
        let by_verb = match self.verb {
            Verb::Redrive => execution.stalled && execution.status != Status::Paused,
            // A lane follows what it is a part of.
            Verb::Cancel => execution.region.is_none() || !self.selection.ids.is_empty(),
            Verb::Retry | Verb::Resume | Verb::Skip { .. } => true,
        };
        by_verb && self.searched().fits(execution)
    }
}

/// What is done to an execution. Stored, do not rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Its failed step is retried.
    Retry,
    /// It goes on after a pause.
    Resume,
    /// It ends.
    Cancel,
    /// Its failed step is skipped.
    Skip {
        /// The path to take, if the step has two.
        take: Option<Take>,
    },
    /// It goes on although its job was given up.
    Redrive,
}

impl Verb {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
            Self::Skip { .. } => "skip",
            Self::Redrive => "redrive",
        }
    }

    /// The states in which it can do something.
    fn states(self) -> &'static [Status] {
        match self {
            Self::Retry | Self::Skip { .. } | Self::Resume => &[Status::Paused],
            Self::Cancel => &[Status::Queued, Status::Running, Status::Waiting, Status::Paused],
            Self::Redrive => &[Status::Queued, Status::Running, Status::Waiting],
        }
    }

    /// The control of each execution.
    pub(crate) fn control(self) -> Control {
        match self {
            Self::Retry => Control::Retry,
            Self::Resume | Self::Redrive => Control::Resume,
            Self::Cancel => Control::Cancel,
            Self::Skip { take } => Control::Skip { take },
        }
    }
}

/// Starts a workflow on records. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Starts {
    /// The workflow.
    pub workflow: String,
    /// The object of its records.
    pub object: String,
    /// On which records.
    pub records: Records,
    /// Variables, by name.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub values: Map<String, Value>,
}

/// Records to start on. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Records {
    /// Those of the object for which an expression is true.
    Where(String),
    /// Those of a group, as it was when the action began.
    Group {
        /// The group.
        group: String,
        /// Its expression.
        test: String,
    },
    /// Ids, which stand beside the operation.
    Listed {
        /// How many they are.
        count: u64,
        /// Their digest: another list under the same key is another request.
        digest: String,
    },
}

impl Records {
    /// These ids.
    pub fn listed(ids: &[String]) -> Self {
        let count = u64::try_from(ids.len()).unwrap_or(u64::MAX);
        Self::Listed { count, digest: offload::sha256(json!(ids).to_string().as_bytes()) }
    }
}

/// An execution or record to touch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Id of the execution, or of the record.
    pub id: String,
    /// Why it cannot be touched, if that is known already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Reason>,
}

/// A code, and what it means here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable code.
    pub code: String,
    /// In words.
    pub message: String,
}

impl Reason {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }
}

/// What came of touching a target. Stored, do not rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It does not fit the state, or a guard is against it.
    Refused,
    /// It could not be carried out.
    Failed,
}

/// What came of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Targets that it came to.
    pub selected: u64,
    /// Carried out.
    pub done: u64,
    /// Refused, each with a reason.
    pub refused: u64,
    /// Failed, each with a reason.
    pub failed: u64,
    /// Changed by others before their turn, so that they did not fit any more.
    pub unchanged: u64,
}

/// What an action found when it counted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Preview {
    /// Targets.
    pub count: u64,
    /// Some of their ids.
    #[serde(default)]
    pub examples: Vec<String>,
    /// Failures of the executions, by workflow, step and code.
    #[serde(default)]
    pub failures: Vec<FailureGroup>,
    /// Executions whose failures are in no group: there are too many different ones.
    #[serde(default)]
    pub other_failures: u64,
    /// Targets that would be refused or would fail.
    #[serde(default)]
    pub refused: u64,
    /// Why, by reason.
    #[serde(default)]
    pub reasons: Vec<ReasonGroup>,
}

/// Executions that failed in the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureGroup {
    /// Workflow.
    pub workflow: String,
    /// The step that the execution is at; none of an execution that has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Code of the failure.
    pub code: String,
    /// Executions.
    pub count: u64,
}

/// Targets that would be refused for the same reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonGroup {
    /// The reason.
    #[serde(flatten)]
    pub reason: Reason,
    /// Targets.
    pub count: u64,
}

impl Preview {
    /// Counts a target, and why it would be refused.
    pub(crate) fn add(&mut self, id: &str, refused: Option<Reason>) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(id.to_owned());
        }
        let Some(reason) = refused else { return };
        self.refused += 1;
        let has_room = self.reasons.len() < GROUPS;
        match self.reasons.iter_mut().find(|group| group.reason == reason) {
            Some(group) => group.count += 1,
            None if has_room => self.reasons.push(ReasonGroup { reason, count: 1 }),
            None => {}
        }
    }

    /// Counts the failure of an execution.
    pub(crate) fn add_failure(&mut self, failure: FailureGroup) {
        let is_same = |group: &&mut FailureGroup| {
            group.workflow == failure.workflow && group.step == failure.step && group.code == failure.code
        };
        let has_room = self.failures.len() < GROUPS;
        match self.failures.iter_mut().find(is_same) {
            Some(group) => group.count += failure.count,
            None if has_room => self.failures.push(failure),
            None => self.other_failures += failure.count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: usize) -> FailureGroup {
        FailureGroup { workflow: "w".into(), step: Some("call".into()), code: format!("c{code}"), count: 1 }
    }

    #[test]
    fn a_preview_names_some_and_counts_all() {
        let mut preview = Preview::default();
        for number in 0..30 {
            let refused = (number % 3 == 0).then(|| Reason::new("illegal_transition", "it has ended"));
            preview.add(&format!("exe_{number}"), refused);
        }
        assert_eq!((preview.count, preview.examples.len(), preview.refused), (30, EXAMPLES, 10));
        assert_eq!(preview.reasons.len(), 1);
        assert_eq!(preview.reasons[0].count, 10);
    }

    #[test]
    fn many_different_failures_are_counted_together() {
        let mut preview = Preview::default();
        (0..GROUPS + 7).for_each(|code| preview.add_failure(failure(code)));
        preview.add_failure(failure(3));
        assert_eq!((preview.failures.len(), preview.other_failures), (GROUPS, 7));
        assert_eq!(preview.failures[3].count, 2);
    }
}
