//! `for_each`: carries its steps out for each item, one after the other, in the execution itself.
//!
//! Items and results stand in the head while they are few. A longer list is stored in chunks when the loop begins, and results
//! as they become many; the head has the names of chunks. An item begins with the transition that reads it, and ends where its
//! steps end: then the loop is entered again, keeps what `output` says, and begins the next one. Variables and results of steps
//! are those of the item, and end with it.

use pawl_definition::step::{ForEach, ITEMS_MOST, ItemFailed};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{StepContext, StepDecision, StepHandler, StepResult};
use crate::{Effect, Found, Frame, Item, NextItem, Read, StepCode, StepError, StepStatus, StoredValues, coerce};

/// Bytes of items and of results that stand in the head.
const INLINE_MOST: usize = 2 * 1024;

/// Bytes of a chunk; an item that is larger is one by itself.
const CHUNK: usize = 16 * 1024;

/// Bytes of all results together: what a step may produce.
const RESULTS_MOST: usize = 4 * 1024 * 1024;

/// What the step keeps of a visit. Stored, do not rename.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Checkpoint {
    /// Number of items.
    count: u32,
    /// Few items.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    items: Vec<Value>,
    /// Chunks of more, each with the number of its items.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    chunks: Vec<(String, u32)>,
    /// Items that were begun.
    #[serde(default)]
    begun: u32,
    /// Results of the last items.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    results: Vec<Value>,
    /// Chunks of earlier results.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    stored: Vec<String>,
    /// Bytes of all results.
    #[serde(default)]
    bytes: usize,
    /// Items that completed.
    #[serde(default)]
    completed: u32,
    /// Items that failed.
    #[serde(default)]
    failed: u32,
    /// Why the first of them failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// All items, in the transition that begins the loop: they are not stored before it.
    #[serde(skip)]
    all: Vec<Value>,
}

/// What the loop does next.
enum Next {
    /// Begins this item.
    Item(Value),
    /// Reads the item, or the results.
    Read(Read),
    /// It is over; these are results that were read.
    Over,
}

impl StepHandler for ForEach {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        look(self, at, None)
    }

    fn found(&self, at: &StepContext<'_>, found: &Found) -> Result<StepDecision, StepError> {
        look(self, at, Some(&found.values))
    }
}

/// Ends the item that is over, and begins the next one. What has to be read first is asked for, and then decided anew.
fn look(step: &ForEach, at: &StepContext<'_>, read: Option<&[Value]>) -> Result<StepDecision, StepError> {
    let mut effects = Vec::new();
    let mut checkpoint = match Checkpoint::of(&at.state.checkpoint) {
        Some(checkpoint) => checkpoint,
        None => Checkpoint::begin(step, at, &mut effects)?,
    };
    let mut output = Value::Null;
    if let Some(frame) = at.execution.frame_of(&at.step.id) {
        output = checkpoint.end(step, at, frame)?;
    }
    // At the end, results that are at hand need not be stored and read.
    if !checkpoint.is_over(step) {
        effects.extend(checkpoint.store_results());
    }
    Ok(match (checkpoint.next(step), read) {
        (Next::Read(read), None) => StepDecision::Read(read),
        (Next::Read(Read::Values { at: None, .. }) | Next::Over, read) => {
            StepDecision::done(checkpoint.done(step, read.unwrap_or_default(), effects))
        }
        (Next::Read(_), Some(read)) => {
            let value = read.first().cloned().unwrap_or_default();
            StepDecision::Item(Box::new(checkpoint.begin_item(value, output, effects)))
        }
        (Next::Item(value), _) => StepDecision::Item(Box::new(checkpoint.begin_item(value, output, effects))),
    })
}

impl Checkpoint {
    fn of(kept: &Value) -> Option<Self> {
        if kept.is_null() { None } else { Self::deserialize(kept).ok() }
    }

    /// Of a visit that begins. One that follows a failed visit over the same items goes on where that one ended.
    fn begin(step: &ForEach, at: &StepContext<'_>, effects: &mut Vec<Effect>) -> Result<Self, StepError> {
        let items = step.items.resolve(&at.scope()).map_err(|error| StepError::from(error).at("items"))?;
        let items = match items {
            Value::Array(items) => items,
            Value::Null => Vec::new(),
            other => {
                let message = format!("`items`: expected a list, found {}", coerce::short(&other));
                return Err(StepError::new(StepCode::WrongType, message));
            }
        };
        if items.len() > ITEMS_MOST {
            let message = format!("`items`: expected at most {ITEMS_MOST} items, found {}", items.len());
            return Err(StepError::new(StepCode::TooManyItems, message));
        }
        let mut new = Self { count: number(items.len()), ..Self::default() };
        if size(&items) <= INLINE_MOST {
            new.items = items;
        } else {
            new.all.clone_from(&items);
            for chunk in chunks(items) {
                let stored = StoredValues::new(chunk);
                new.chunks.push((stored.name.clone(), number(stored.values.len())));
                effects.push(Effect::StoreValues(Box::new(stored)));
            }
        }
        let former = Self::of(&at.state.kept).filter(|former| former.is_over_same(&new));
        let all = std::mem::take(&mut new.all);
        Ok(Self { all, ..former.map_or(new, Self::resumed) })
    }

    fn is_over_same(&self, other: &Self) -> bool {
        (self.count, &self.items, &self.chunks) == (other.count, &other.items, &other.chunks)
    }

    /// The item at which the former visit stopped is the next one.
    fn resumed(mut self) -> Self {
        self.begun = self.completed;
        self.failed = 0;
        self.error = None;
        self
    }

    /// The item is over: what is kept of it stands among the results.
    fn end(&mut self, step: &ForEach, at: &StepContext<'_>, frame: &Frame) -> Result<Value, StepError> {
        let index = frame.item.index;
        let result = match (&frame.error, &step.output) {
            (Some(error), _) => {
                self.failed += 1;
                self.error.get_or_insert_with(|| format!("item {index} failed: {}", error.message));
                let error = json!({"code": error.code, "message": error.message});
                json!({"index": index, "status": "failed", "output": null, "error": error})
            }
            (None, output) => {
                self.completed += 1;
                let output = output.as_ref().map(|output| output.evaluate(&at.scope())).transpose();
                let output = output.map_err(|error| StepError::from(error).at("output"))?.unwrap_or_default();
                json!({"index": index, "status": "completed", "output": output, "error": null})
            }
        };
        self.bytes += result.to_string().len();
        if self.bytes > RESULTS_MOST {
            let message =
                format!("expected at most {RESULTS_MOST} bytes of results, found {} after item {index}", self.bytes);
            return Err(StepError::new(StepCode::ExpressionTooCostly, message).at("output"));
        }
        // With `stop` the failed item is not finished: a retry begins it again.
        if frame.error.is_none() || step.item_failed == ItemFailed::Continue {
            self.results.push(result.clone());
        }
        Ok(result)
    }

    /// Results that are many leave the head.
    fn store_results(&mut self) -> Option<Effect> {
        if size(&self.results) <= INLINE_MOST {
            return None;
        }
        let stored = StoredValues::new(std::mem::take(&mut self.results));
        self.stored.push(stored.name.clone());
        Some(Effect::StoreValues(Box::new(stored)))
    }

    /// Whether no other item begins.
    fn is_over(&self, step: &ForEach) -> bool {
        step.item_failed == ItemFailed::Stop && self.failed > 0 || self.begun == self.count
    }

    fn next(&self, step: &ForEach) -> Next {
        if self.is_over(step) {
            if self.stored.is_empty() {
                return Next::Over;
            }
            return Next::Read(Read::Values { chunks: self.stored.clone(), at: None });
        }
        let at_hand = if self.items.is_empty() { &self.all } else { &self.items };
        if let Some(item) = at_hand.get(place(self.begun)) {
            return Next::Item(item.clone());
        }
        let mut before = 0;
        for (chunk, count) in &self.chunks {
            if self.begun < before + count {
                return Next::Read(Read::Values { chunks: vec![chunk.clone()], at: Some(self.begun - before) });
            }
            before += count;
        }
        Next::Over
    }

    fn begin_item(mut self, value: Value, output: Value, effects: Vec<Effect>) -> NextItem {
        let item = Item { index: self.begun, value };
        self.begun += 1;
        NextItem { item, checkpoint: json!(self), output, effects }
    }

    /// All items are over, or one failed that ends the loop.
    fn done(self, step: &ForEach, stored: &[Value], effects: Vec<Effect>) -> StepResult {
        let Self { completed, failed, count, .. } = self;
        let items: Vec<_> = stored.iter().chain(&self.results).cloned().collect();
        let output = json!({"completed": completed, "failed": failed, "items": items});
        let result = StepResult { output, effects, ..StepResult::default() };
        let why = self.error.clone().unwrap_or_default();
        match (failed, step.item_failed) {
            (0, _) => result,
            (_, ItemFailed::Continue) => {
                let note = Some(format!("{failed} of {count} items failed; {why}"));
                StepResult { status: StepStatus::Partial, note, ..result }
            }
            (_, ItemFailed::Stop) => {
                let message = format!("{why}; {completed} of {count} items completed before it");
                let error = Some(StepError::new(StepCode::ItemFailed, message));
                StepResult { error, keeps: json!(self), ..result }
            }
        }
    }
}

/// Bytes of values as JSON.
fn size(values: &[Value]) -> usize {
    values.iter().map(|value| value.to_string().len() + 1).sum()
}

/// Values in chunks of about the same number of bytes.
fn chunks(values: Vec<Value>) -> Vec<Vec<Value>> {
    let mut chunks: Vec<Vec<Value>> = Vec::new();
    let mut bytes = 0;
    for value in values {
        let more = value.to_string().len() + 1;
        if chunks.is_empty() || bytes + more > CHUNK {
            chunks.push(Vec::new());
            bytes = 0;
        }
        bytes += more;
        chunks.last_mut().expect("there is a chunk").push(value);
    }
    chunks
}

fn number(count: usize) -> u32 {
    u32::try_from(count).expect("a loop has few items")
}

fn place(index: u32) -> usize {
    usize::try_from(index).expect("a loop has few items")
}
