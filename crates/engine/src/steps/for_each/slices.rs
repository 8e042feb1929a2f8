//! Items that are carried out beside each other: in slices of the list, each by an execution of its own, which carries out its
//! items one after the other.
//!
//! As many slices run as items may run at once. When one has ended, the loop takes over what came of it and starts the next
//! one; so an item never waits for the slowest of a group. All are started by calls, under ids that follow from the visit and
//! the first item, so that a call that is made again starts none twice. If an item fails and no other is to begin, those that
//! run are canceled, and the loop fails when the last one has ended: then it is known which items are finished.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use pawl_definition::step::{ForEach, Onward};
use pawl_definition::{Step, Then};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::TAG;
use super::checkpoint::{Checkpoint, Report};
use super::span::Span;
use crate::steps::{Listening, Perform, StepContext, StepDecision, StepResult, Waits};
use crate::{
    Activity, Address, ChildSeen, Effect, Execution, Region, RegionStart, RegionStarts, Row, Status, StepCode,
    StepError, ids, shares,
};

/// Most items of a slice.
const ITEMS_MOST: u32 = 50;

/// Slices for each place, if no item of them can be held up: enough that the last ones end about together.
const SLICES_A_PLACE: u32 = 4;

/// Slices of a visit. Stored, do not rename.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Slices {
    /// Those that run, by the names of their parts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    open: BTreeMap<String, Slice>,
    /// No other begins, and those that run are canceled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    stopping: bool,
    /// A slice ended as none does by its items alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    broken: Option<StepError>,
}

/// A slice that runs. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Slice {
    items: Span,
    /// Its execution.
    id: String,
    /// Most steps that it may carry out.
    steps: u32,
    /// The call that starts it is out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    starting: bool,
}

/// A loop at a look.
struct Look<'a> {
    step: &'a ForEach,
    at: &'a StepContext<'a>,
    /// As it stands once what ended is taken over.
    checkpoint: Checkpoint,
    slices: Slices,
    /// Steps of those that have ended, and of open parts that they leave, which the execution has not counted yet.
    ended_steps: u32,
}

/// Takes over what has ended, and starts the next ones. `stores` are the items of a loop that begins.
pub(super) fn look(
    (step, at): (&ForEach, &StepContext<'_>),
    checkpoint: Checkpoint,
    stores: Vec<Effect>,
    read: Option<&[Value]>,
) -> StepDecision {
    let before = checkpoint.clone();
    let slices = checkpoint.slices.clone().unwrap_or_default();
    let mut look = Look { step, at, checkpoint, slices, ended_steps: 0 };
    if !stores.is_empty() {
        // Others read them: they are stored before.
        let waits = waiting(at, &before, Some(at.cx.now));
        return StepDecision::Wait(Box::new(Waits { effects: stores, is_news: true, ..waits }));
    }
    if look.slices.open.values().any(|slice| slice.starting) {
        return look.call();
    }
    if let Some(stopped) = look.stopped() {
        return StepDecision::done(stopped);
    }
    look.take_in();
    let fails = look.fails();
    let is_last = look.slices.open.is_empty() && (fails || look.checkpoint.to_do.is_empty());
    if is_last {
        look.over(read)
    } else if fails && !look.slices.stopping {
        look.stops()
    } else if !fails && look.has_room() {
        look.starts();
        look.call()
    } else {
        // What has ended is taken over by the look that has something to do.
        StepDecision::Wait(Box::new(waiting(at, &before, None)))
    }
}

/// The slices run that a call was to start.
pub(super) fn started(at: &StepContext<'_>, mut checkpoint: Checkpoint, activity: &Activity) -> Waits {
    for slice in checkpoint.slices.iter_mut().flat_map(|slices| slices.open.values_mut()) {
        slice.starting = false;
    }
    let effects = checkpoint.store_results().into_iter().collect();
    Waits { input: activity.input(), effects, is_news: true, ..waiting(at, &checkpoint, Some(at.cx.now)) }
}

fn waiting(at: &StepContext<'_>, checkpoint: &Checkpoint, look: Option<Timestamp>) -> Waits {
    let listening = Listening { topics: BTreeSet::new(), checks: Vec::new() };
    let open = checkpoint.slices.iter().flat_map(|slices| slices.open.values());
    let running = open.map(|slice| slice.items.to_string()).collect::<Vec<_>>();
    let runs = if running.is_empty() { String::new() } else { format!("; it waits for {}", running.join(", ")) };
    let note = Some(format!("{}{runs}", checkpoint.progress()));
    let look = look.or_else(|| checkpoint.slices.as_ref().filter(|slices| slices.open.is_empty()).map(|_| at.cx.now));
    Waits { due: None, note, checkpoint: json!(checkpoint), ..Waits::signal(look, listening, Value::Null) }
}

impl Look<'_> {
    fn seen(&self, slice: &Slice) -> Option<&ChildSeen> {
        self.at.cx.children.get(&slice.id)
    }

    /// A step in an item ended the whole.
    fn stopped(&self) -> Option<StepResult> {
        let stopped = self.slices.open.values().filter_map(|slice| self.seen(slice)).find(|seen| seen.stops)?;
        let (status, reason) = (stopped.status, stopped.reason.clone());
        Some(StepResult { note: reason.clone(), end: Some((status, reason)), ..StepResult::default() })
    }

    /// What came of those that have ended.
    fn take_in(&mut self) {
        let open = std::mem::take(&mut self.slices.open);
        for (name, slice) in open {
            match self.at.cx.children.get(&slice.id) {
                Some(seen) if !seen.status.is_ended() => drop(self.slices.open.insert(name, slice)),
                seen => self.take_in_one(&slice, seen),
            }
        }
        if self.slices.broken.is_none() {
            self.slices.broken = self.checkpoint.is_too_large(self.checkpoint.completed);
        }
    }

    fn take_in_one(&mut self, slice: &Slice, seen: Option<&ChildSeen>) {
        let whole = || Report { next: Some(slice.items.0), ..Report::default() };
        // Of one whose result nobody has to know, nothing but its state is known.
        let report = seen.map_or_else(whole, |seen| Report::deserialize(&seen.output).unwrap_or_default());
        let (next, failing) = (report.next, report.failing.clone());
        self.checkpoint.take_in(report);
        self.ended_steps +=
            seen.map_or(0, |seen| seen.open_parts.values().fold(seen.steps, |sum, part| sum + part.steps));
        self.slices.broken = self.slices.broken.take().or(broken(slice, seen));
        let Some(next) = next else { return };
        let is_wanted = self.slices.broken.is_none() && !self.slices.stopping;
        if failing.is_none() && !is_wanted {
            self.checkpoint.to_do.give_back(Span(next, slice.items.1));
            return;
        }
        let why = || seen.and_then(|seen| seen.reason.clone()).map_or_else(String::new, |reason| format!(": {reason}"));
        let canceled = || StepError::new(StepCode::ItemFailed, format!("it was canceled{}", why()));
        self.checkpoint.item_failed(self.step, next, &failing.unwrap_or_else(canceled));
        self.checkpoint.to_do.give_back(Span(next + 1, slice.items.1));
    }

    /// Whether no other item begins, because one failed or a slice ended as none does.
    fn fails(&self) -> bool {
        let to_do = &self.checkpoint.to_do;
        self.slices.broken.is_some() || self.slices.stopping || !to_do.is_empty() && self.checkpoint.is_over()
    }

    fn has_room(&self) -> bool {
        !self.checkpoint.to_do.is_empty() && self.slices.open.len() < places(self.step)
    }

    /// Those that run are canceled.
    fn stops(mut self) -> StepDecision {
        self.slices.stopping = true;
        let tells = self.slices.open.values().map(|slice| slice.id.clone()).collect();
        let effects = self.checkpoint.store_results().into_iter().collect();
        let why = self.slices.broken.as_ref().map(|error| error.message.clone()).or(self.checkpoint.error.clone());
        let checkpoint = self.kept();
        let waits = waiting(self.at, &checkpoint, Some(self.at.cx.now));
        let note = Some(format!("{}; those that run are canceled", why.unwrap_or_default()));
        StepDecision::Wait(Box::new(Waits { note, effects, tells, is_news: true, ..waits }))
    }

    /// Takes the next items, as many slices as there is room for.
    fn starts(&mut self) {
        let most = slice_of(self.step, self.checkpoint.count());
        let held = self.slices.open.values().fold(self.ended_steps, |sum, slice| sum.saturating_add(slice.steps));
        let places = places(self.step).saturating_sub(self.slices.open.len());
        let steps = shares::share(self.at.cx, self.at.execution, places, held);
        while self.has_room() {
            let Some(items) = self.checkpoint.to_do.take(most) else { return };
            let name = items.to_string();
            let address = Address::of(&self.at.step.id).part(&name);
            let event = ids::child_event_id(&self.at.execution.id, address.as_str(), self.at.state.visit, 0);
            let id = ids::execution_id(&event, &self.at.execution.workflow);
            self.slices.open.insert(name, Slice { items, id, steps, starting: true });
        }
    }

    /// The call that starts those that are to be started.
    fn call(&self) -> StepDecision {
        let Self { at, checkpoint, .. } = self;
        let start = |(name, slice): (&String, &Slice)| {
            let region = Region { step: at.step.id.clone(), name: name.clone() };
            let kept = json!(checkpoint.slice(slice.items, &at.execution.id));
            (slice.id.clone(), RegionStart::of_slice(at, region, (kept, slice.steps)))
        };
        let starts = RegionStarts {
            address: Address::of(&at.step.id),
            visit: at.state.visit,
            began_at: at.state.started_at,
            starts: self.slices.open.iter().filter(|(_, slice)| slice.starting).map(start).collect(),
        };
        let activity = Activity::StartRegions(starts);
        StepDecision::Perform(Perform { activity, checkpoint: json!(self.kept()), part: None })
    }

    fn kept(&self) -> Checkpoint {
        let mut checkpoint = self.checkpoint.clone();
        checkpoint.slices = Some(self.slices.clone());
        checkpoint
    }

    /// All have ended.
    fn over(mut self, read: Option<&[Value]>) -> StepDecision {
        if let (Some(asked), None) = (self.checkpoint.results_to_read(), read) {
            return StepDecision::Read(asked);
        }
        let broken = self.slices.broken.take();
        let keeps = json!(self.checkpoint);
        let result = self.checkpoint.done(read.unwrap_or_default(), Vec::new());
        StepDecision::done(match broken {
            Some(_) => StepResult { error: broken, keeps, ..result },
            None => result,
        })
    }
}

/// Why a slice ended as none does by its items alone.
fn broken(slice: &Slice, seen: Option<&ChildSeen>) -> Option<StepError> {
    let Some(seen) = seen else {
        let message = format!("the execution of items {} is not there any more", slice.items);
        return Some(StepError::new(StepCode::OutcomeUnknown, message));
    };
    seen.error.clone().filter(|_| seen.status == Status::Failed)
}

/// Items that may run at once. An edit may have set it to one meanwhile.
fn places(step: &ForEach) -> usize {
    usize::try_from(step.concurrency.max(1)).expect("few run at once")
}

/// Items of a slice. One that can be held up holds up no other.
fn slice_of(step: &ForEach, count: u32) -> u32 {
    if may_be_held(&step.r#do) {
        return 1;
    }
    count.div_ceil(step.concurrency.max(1) * SLICES_A_PLACE).clamp(1, ITEMS_MOST)
}

/// Whether one of these steps may wait for a time, for others or for a person.
fn may_be_held(steps: &[Step]) -> bool {
    steps.iter().any(|step| {
        let shape = step.kind.shape();
        let pauses = step.on_failure.as_ref().is_some_and(|policy| policy.then == Some(Then::Pause));
        let is_held = shape.waits().is_some() || shape.onward() == Onward::Resumed || pauses;
        is_held || step.branches().iter().any(|branch| may_be_held(branch.steps))
    })
}

fn of(execution: &Execution) -> Option<Slices> {
    let step = execution.cursor.as_deref().filter(|_| execution.entered.as_deref() == Some(TAG))?;
    execution.steps.get(step).and_then(|state| Checkpoint::of(&state.checkpoint))?.slices
}

/// The executions of slices that an execution waits for, or is starting. It follows from the head alone.
pub(in crate::steps) fn awaited(execution: &Execution) -> Vec<String> {
    of(execution).into_iter().flat_map(|slices| slices.open.into_values()).map(|slice| slice.id).collect()
}

/// The same, each with the most steps that it may carry out.
pub(in crate::steps) fn parts(execution: &Execution) -> BTreeMap<String, u32> {
    let slices = of(execution).into_iter().flat_map(|slices| slices.open.into_values());
    slices.map(|slice| (slice.id, slice.steps)).collect()
}

/// Whether the loop at which an execution stands waits for the end of its slices, but wants nothing of them any more.
pub(in crate::steps) fn lets_go(execution: &Execution) -> bool {
    of(execution).is_some_and(|slices| slices.stopping)
}

/// What came of the items of a slice so far; `None` if the execution is none.
pub(in crate::steps) fn report(execution: &Execution) -> Option<Value> {
    let region = execution.region.as_ref().filter(|region| region.is_slice())?;
    let state = execution.steps.get(&region.step)?;
    let checkpoint = Checkpoint::of(&state.checkpoint).or_else(|| Checkpoint::of(&state.kept))?;
    let frame = execution.frames.iter().find(|frame| frame.step == region.step);
    Some(json!(checkpoint.report(frame.map(|frame| frame.item.index))))
}

/// The executions of slices of which a row tells, each with its part.
pub(in crate::steps) fn listed(row: &Row) -> Vec<(String, Region)> {
    let is_ours = row.step_type.as_deref() == Some(TAG);
    let items = row.input.get("items").and_then(Value::as_object).filter(|_| is_ours).into_iter().flatten();
    let region = |name: &String| Region { step: row.step.clone().unwrap_or_default(), name: name.clone() };
    items.filter_map(|(name, id)| Some((id.as_str()?.to_owned(), region(name)))).collect()
}

/// The input of a call that starts slices, for history.
pub(in crate::steps) fn input(starts: &RegionStarts) -> Value {
    let items: Map<_, _> = starts.starts.iter().map(|(id, start)| (start.region.name.clone(), json!(id))).collect();
    json!({"items": items})
}
