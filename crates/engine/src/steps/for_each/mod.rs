//! `for_each`: carries its steps out for each item, one after the other in the execution itself, or several at once.
//!
//! Items and results stand in the head while they are few. A longer list is stored in chunks when the loop begins, and results
//! as they become many; the head has the names of chunks. An item begins with the transition that reads it, and ends where its
//! steps end: then the loop is entered again, keeps what `output` says, and begins the next one. Variables and results of steps
//! are those of the item, and end with it.
//!
//! - [`checkpoint`]: what the loop keeps of its visit, and what it decides with that.
//! - [`slices`]: items that are carried out beside each other, by executions of their own.
//! - [`span`]: places of items.

mod checkpoint;
pub(super) mod slices;
mod span;

use pawl_definition::step::ForEach;
use serde_json::Value;

use self::checkpoint::{Checkpoint, Next};
use super::{After, StepContext, StepDecision, StepHandler};
use crate::{Activity, Context, Found, Performed, Read, StepError};

/// The type's tag, by which a head says that the step at its cursor is of this type.
const TAG: &str = "for_each";

impl StepHandler for ForEach {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        look(self, at, None)
    }

    fn found(&self, at: &StepContext<'_>, found: &Found) -> Result<StepDecision, StepError> {
        look(self, at, Some(&found.values))
    }

    fn performed(&self, at: &StepContext<'_>, activity: &Activity, _: &Performed) -> Result<After, StepError> {
        // What came of the call is decided on that alone: the look that follows sees the slices.
        let nobody = std::collections::BTreeMap::new();
        let cx = Context { children: &nobody, ..*at.cx };
        let at = &StepContext { cx: &cx, ..*at };
        let checkpoint = Checkpoint::of(&at.state.checkpoint).unwrap_or_default();
        Ok(After::Wait(Box::new(slices::started(at, checkpoint, activity))))
    }

    fn due(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        look(self, at, None)
    }

    /// A slice may have ended.
    fn looks_when_freed(&self) -> bool {
        true
    }

    /// A call that is made again starts nothing twice.
    fn only_looks(&self, _checkpoint: &Value) -> bool {
        true
    }
}

/// Goes on with the loop. What has to be read first is asked for, and then decided anew.
fn look(step: &ForEach, at: &StepContext<'_>, read: Option<&[Value]>) -> Result<StepDecision, StepError> {
    let mut effects = Vec::new();
    let checkpoint = match Checkpoint::of(&at.state.checkpoint) {
        Some(checkpoint) => checkpoint,
        None => Checkpoint::begin(step, at, &mut effects)?,
    };
    if checkpoint.slices.is_some() {
        return Ok(slices::look((step, at), checkpoint, effects, read));
    }
    one_by_one((step, at), checkpoint, effects, read)
}

/// Ends the item that is over, and begins the next one.
fn one_by_one(
    (step, at): (&ForEach, &StepContext<'_>),
    mut checkpoint: Checkpoint,
    mut effects: Vec<crate::Effect>,
    read: Option<&[Value]>,
) -> Result<StepDecision, StepError> {
    let is_slice = at.execution.is_slice_of(&at.step.id);
    let mut output = Value::Null;
    if let Some(frame) = at.execution.frame_of(&at.step.id) {
        output = checkpoint.end(step, at, frame)?;
    }
    // At the end, results that are at hand need not be stored and read.
    if is_slice || !checkpoint.is_over() {
        effects.extend(checkpoint.store_results());
    }
    Ok(match (checkpoint.next(is_slice), read) {
        (Next::Read(read), None) => StepDecision::Read(read),
        (Next::Read(Read::Values { at: None, .. }) | Next::Over, read) => StepDecision::done(if is_slice {
            checkpoint.reported(effects)
        } else {
            checkpoint.done(read.unwrap_or_default(), effects)
        }),
        (Next::Read(_), Some(read)) => {
            let value = read.first().cloned().unwrap_or_default();
            StepDecision::Item(Box::new(checkpoint.begin_item(value, output, effects)))
        }
        (Next::Item(value), _) => StepDecision::Item(Box::new(checkpoint.begin_item(value, output, effects))),
    })
}
