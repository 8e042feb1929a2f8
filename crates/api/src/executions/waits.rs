//! What an execution waits for, in words and by kind.

use pawl_definition::Trigger;
use pawl_definition::step::Awaited;
use pawl_engine::steps::awaited_children;
use pawl_engine::{Execution, PauseReason, Plan, Status, TimerPurpose, Wake};
use pawl_runtime::SlotLine;
use serde::Serialize;

use crate::describe::ToSchema;

/// Children that a wait names; a list of them says the others.
const NAMED_MOST: usize = 3;

const CHILDREN: &str = "children";

/// Something that an execution waits for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Wait)]
pub(crate) struct WaitView {
    /// `children` (the executions that its step started), `condition` (CEL over the record), `webhook` (path on this server), `event` (kind and trigger), `state_machine`
    /// (its execution), `callback`, `signal` (name and key), `time`, `retry`, `slot` (among the executions that may run at once), `throttle` or
    /// `person`.
    kind: &'static str,
    /// Description for people.
    text: String,
    /// The line in which the execution waits for a slot.
    #[serde(skip_serializing_if = "Option::is_none")]
    slot: Option<SlotView>,
}

/// The line in which an execution waits for a slot of `limits.concurrency`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SlotWait)]
struct SlotView {
    /// The key that the execution counts for; absent if all executions of the workflow are counted together.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Executions that run at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    at_most: Option<u32>,
    /// Place in the line, the first being 1; absent behind 200 others, and while the execution is killed or stalled.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<usize>,
    /// Executions that hold a slot, at most three.
    held_by: Vec<String>,
}

impl WaitView {
    fn new(kind: &'static str, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), slot: None }
    }

    /// Says of a wait for children how many of them are stalled.
    pub(super) fn with_stalled(&mut self, stalled: usize) {
        if self.kind == CHILDREN && stalled > 0 {
            self.text = format!("{} ({stalled} stalled)", self.text);
        }
    }
}

/// What an execution waits for, by its head, the plan in force, and the line in which it stands.
pub(super) fn of(execution: &Execution, plan: Option<&Plan>, line: Option<&SlotLine>) -> Vec<WaitView> {
    match &execution.wake {
        _ if execution.status.is_ended() => Vec::new(),
        Wake::Person => vec![WaitView::new("person", person(execution))],
        Wake::Timer { purpose, .. } => vec![timer(*purpose, execution, (plan, line))],
        Wake::Signal { .. } => signal(execution, plan),
        Wake::Job | Wake::Never => Vec::new(),
    }
}

fn person(execution: &Execution) -> &'static str {
    match execution.pause.as_ref().map(|pause| pause.reason) {
        Some(PauseReason::Failure) => "retry, skip or cancel",
        Some(PauseReason::Debug) => "step, skip, run or cancel",
        Some(PauseReason::Person | PauseReason::Workflow) | None => "resume or cancel",
    }
}

fn timer(purpose: TimerPurpose, execution: &Execution, (plan, line): (Option<&Plan>, Option<&SlotLine>)) -> WaitView {
    match purpose {
        TimerPurpose::Delay => WaitView::new("time", "a time"),
        TimerPurpose::Throttle => WaitView::new("throttle", "its turn: starts are spaced out"),
        TimerPurpose::Retry => {
            let state = execution.cursor.as_ref().and_then(|step| execution.steps.get(step));
            let next = state.map_or(2, |state| state.attempt + 1);
            WaitView::new("retry", format!("attempt {next} of the step"))
        }
        TimerPurpose::Concurrency => {
            let limit = plan.and_then(|plan| plan.workflow.limits.concurrency.as_ref());
            let slot = SlotView {
                key: execution.slot_key.clone(),
                at_most: limit.map(|limit| limit.at_most),
                place: line.and_then(|line| line.place(&execution.id)),
                held_by: line.map(|line| line.held_by.clone()).unwrap_or_default(),
            };
            WaitView { kind: "slot", text: slot.in_words(), slot: Some(slot) }
        }
    }
}

impl SlotView {
    fn in_words(&self) -> String {
        let key = match self.key.as_deref() {
            None => String::new(),
            Some("") => " of the blank key".to_owned(),
            Some(key) => format!(" of {key:?}"),
        };
        let at_most = self.at_most.map(|most| format!(" ({most} run at once)")).unwrap_or_default();
        let place = self.place.map(|place| format!(", place {place} in line")).unwrap_or_default();
        let held_by =
            if self.held_by.is_empty() { String::new() } else { format!(", held by {}", self.held_by.join(", ")) };
        format!("a free slot{key}{at_most}{place}{held_by}")
    }
}

/// What its step listens on. Topics say what no plan does: which state machine, and whether a callback is awaited.
fn signal(execution: &Execution, plan: Option<&Plan>) -> Vec<WaitView> {
    debug_assert!(execution.status != Status::Queued, "nothing that has not begun listens");
    let step = execution.cursor.as_deref().and_then(|id| plan?.step(id));
    let awaited = step.map(|step| step.kind.shape().awaits()).unwrap_or_default();
    let mut waits = of_awaited(awaited, &execution.workflow);
    let children = awaited_children(execution);
    if !children.is_empty() {
        let several = if children.len() == 1 { "execution" } else { "executions" };
        let more = if children.len() > NAMED_MOST { ", …" } else { "" };
        let named = children[..children.len().min(NAMED_MOST)].join(", ");
        waits.push(WaitView::new(CHILDREN, format!("{} {several}: {named}{more}", children.len())));
    }
    let topics = execution.waiting.iter().flat_map(|waiting| &waiting.topics);
    waits.extend(topics.filter_map(|topic| match topic.split_once('/') {
        Some(("state-machine", arn)) => Some(WaitView::new("state_machine", arn)),
        Some(("callback", _)) => Some(WaitView::new("callback", "a callback")),
        Some((place, named)) if place.ends_with("|signal") => {
            let (name, key) = named.split_once('/').unwrap_or((named, ""));
            Some(WaitView::new("signal", format!("{name} of {key}")))
        }
        _ => None,
    }));
    waits
}

fn of_awaited(awaited: Awaited<'_>, workflow: &str) -> Vec<WaitView> {
    let condition = awaited.until.into_iter().map(|until| WaitView::new("condition", until.source()));
    condition.chain(awaited.on.iter().map(|trigger| of_trigger(trigger, workflow))).collect()
}

fn of_trigger(trigger: &Trigger, workflow: &str) -> WaitView {
    if trigger.kind.facts().has_address {
        return WaitView::new("webhook", format!("/hooks/{workflow}/{}", trigger.id));
    }
    WaitView::new("event", format!("{} ({})", trigger.kind.tag(), trigger.id))
}
