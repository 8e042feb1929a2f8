//! What a loop keeps of its visit: items, where it stands, and results.

use pawl_definition::step::{ForEach, ITEMS_MOST, ItemFailed};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::slices::Slices;
use super::span::{Span, ToDo};
use crate::steps::{StepContext, StepResult};
use crate::{Effect, Frame, Item, NextItem, Read, StepCode, StepError, StepStatus, StoredValues, coerce};

/// Bytes of items and of results that stand in the head.
const INLINE_MOST: usize = 2 * 1024;

/// Bytes of a chunk; an item that is larger is one by itself.
const CHUNK: usize = 16 * 1024;

/// Bytes of all results together: what a step may produce.
const RESULTS_MOST: usize = 4 * 1024 * 1024;

/// What the step keeps of a visit. Stored, do not rename.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    /// Number of items of the whole loop.
    count: u32,
    /// The place in the list of the first of the items here: of a slice, it may be another than 0.
    #[serde(default, skip_serializing_if = "is_first")]
    first: u32,
    /// Few items.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    items: Vec<Value>,
    /// Chunks of more, each with the number of its items.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    chunks: Vec<(String, u32)>,
    /// The execution that the chunks belong to, of a slice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    /// Items that were not begun.
    #[serde(default, skip_serializing_if = "ToDo::is_empty")]
    pub(super) to_do: ToDo,
    /// Results that stand in no chunk.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    results: Vec<Value>,
    /// Chunks of the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    stored: Vec<String>,
    /// Bytes of all results.
    #[serde(default)]
    bytes: usize,
    /// Items that completed.
    #[serde(default)]
    pub(super) completed: u32,
    /// Items that failed, and are finished by that.
    #[serde(default)]
    pub(super) failed: u32,
    /// Why the first of them failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    /// Why the first item failed that ends the loop: it is not finished, and stands among those to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failing: Option<StepError>,
    /// How many did.
    #[serde(default, skip_serializing_if = "is_first")]
    ending: u32,
    /// The executions that carry out items beside each other; `None` if the execution carries out all of them itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) slices: Option<Slices>,
    /// All items, in the transition that begins the loop: they are not stored before it.
    #[serde(skip)]
    all: Vec<Value>,
}

/// What came of the items of a slice: its result for the loop that it is a slice of. Stored, do not rename.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Report {
    /// Items that completed.
    pub(super) completed: u32,
    /// Items that failed, and are finished by that.
    pub(super) failed: u32,
    /// The first item that is not finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<u32>,
    /// Why that item failed, which ended the slice; else the slice was canceled at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failing: Option<StepError>,
    /// Why the first of those that failed did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    /// Bytes of all results.
    #[serde(default)]
    pub(super) bytes: usize,
    /// Chunks of results, which belong to the loop's execution.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) stored: Vec<String>,
    /// The other results.
    #[serde(default)]
    pub(super) items: Vec<Value>,
}

/// What a loop that carries out its items itself does next.
pub(super) enum Next {
    /// Begins this item.
    Item(Value),
    /// Reads the item, or the results.
    Read(Read),
    /// It is over; these are results that were read.
    Over,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
fn is_first(place: &u32) -> bool {
    *place == 0
}

impl Checkpoint {
    pub(super) fn of(kept: &Value) -> Option<Self> {
        if kept.is_null() { None } else { Self::deserialize(kept).ok() }
    }

    /// Of a visit that begins. One that follows a failed visit over the same items goes on with those that are not finished.
    pub(super) fn begin(step: &ForEach, at: &StepContext<'_>, effects: &mut Vec<Effect>) -> Result<Self, StepError> {
        let kept = Self::of(&at.state.kept);
        if at.execution.is_slice_of(&at.step.id)
            && let Some(slice) = kept
        {
            return Ok(slice);
        }
        let items = items(step, at)?;
        let mut new = Self { count: number(items.len()), to_do: ToDo::all(number(items.len())), ..Self::default() };
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
        let former = kept.filter(|former| former.is_over_same(&new));
        let all = std::mem::take(&mut new.all);
        let mut begun = Self { all, ..former.map_or(new, Self::resumed) };
        begun.slices = (step.concurrency > 1 && begun.to_do.count() > 1).then(Slices::default);
        Ok(begun)
    }

    fn is_over_same(&self, other: &Self) -> bool {
        (self.count, &self.items, &self.chunks) == (other.count, &other.items, &other.chunks)
    }

    /// Those that failed are among the items to do.
    fn resumed(mut self) -> Self {
        self.error = self.error.filter(|_| self.failed > 0);
        (self.failing, self.ending) = (None, 0);
        self
    }

    /// What a slice of these items begins with.
    pub(super) fn slice(&self, span: Span, owner: &str) -> Self {
        let mut slice = Self {
            count: self.count,
            to_do: ToDo::of(span),
            first: span.0,
            owner: Some(owner.to_owned()),
            ..Self::default()
        };
        if !self.items.is_empty() {
            slice.items = self.items[place(span.0 - self.first)..place(span.1 - self.first)].to_vec();
            return slice;
        }
        let mut first = self.first;
        for (chunk, count) in &self.chunks {
            let is_before = first + count <= span.0;
            if !is_before && first < span.1 {
                if slice.chunks.is_empty() {
                    slice.first = first;
                }
                slice.chunks.push((chunk.clone(), *count));
            }
            first += count;
        }
        slice
    }

    /// What came of the items so far; `at` is the one that is being carried out.
    pub(super) fn report(self, at: Option<u32>) -> Report {
        let Self { completed, failed, failing, error, bytes, stored, results, to_do, .. } = self;
        let next = at.or(to_do.first());
        Report { completed, failed, next, failing, error, bytes, stored, items: results }
    }

    /// Takes over what came of a slice, without what is still to be done.
    pub(super) fn take_in(&mut self, report: Report) {
        self.completed += report.completed;
        self.failed += report.failed;
        self.bytes += report.bytes;
        self.stored.extend(report.stored);
        self.results.extend(report.items);
        if self.error.is_none() {
            self.error = report.error.filter(|_| report.failed > 0);
        }
    }

    /// More results than a step may produce.
    pub(super) fn is_too_large(&self, after: u32) -> Option<StepError> {
        let found = self.bytes;
        let error = || {
            let message = format!("expected at most {RESULTS_MOST} bytes of results, found {found} after item {after}");
            StepError::new(StepCode::ExpressionTooCostly, message).at("output")
        };
        (found > RESULTS_MOST).then(error)
    }

    /// An item failed, and is finished by that if the others go on.
    pub(super) fn item_failed(&mut self, step: &ForEach, index: u32, error: &StepError) -> Value {
        self.error.get_or_insert_with(|| format!("item {index} failed: {}", error.message));
        let shown = json!({"code": error.code, "message": error.message});
        let result = json!({"index": index, "status": "failed", "output": null, "error": shown});
        self.bytes += result.to_string().len();
        match step.item_failed {
            // It is not finished: a retry begins it again.
            ItemFailed::Stop => {
                self.ending += 1;
                self.to_do.give_back(Span(index, index + 1));
                self.failing.get_or_insert_with(|| error.clone());
            }
            ItemFailed::Continue => {
                self.failed += 1;
                self.results.push(result.clone());
            }
        }
        result
    }

    /// The item is over: what is kept of it stands among the results.
    pub(super) fn end(&mut self, step: &ForEach, at: &StepContext<'_>, frame: &Frame) -> Result<Value, StepError> {
        let index = frame.item.index;
        let output = || step.output.as_ref().map(|output| output.evaluate(&at.scope())).transpose();
        let kept = match &frame.error {
            Some(error) => Err(error.clone()),
            None => output().map_err(|error| StepError::from(error).at("output")),
        };
        let result = match kept {
            Err(error) => self.item_failed(step, index, &error),
            Ok(output) => {
                self.completed += 1;
                let output = output.unwrap_or_default();
                let result = json!({"index": index, "status": "completed", "output": output, "error": null});
                self.bytes += result.to_string().len();
                self.results.push(result.clone());
                result
            }
        };
        self.is_too_large(index).map_or(Ok(result), Err)
    }

    /// Results that are many leave the head.
    pub(super) fn store_results(&mut self) -> Option<Effect> {
        if size(&self.results) <= INLINE_MOST {
            return None;
        }
        let stored = StoredValues { owner: self.owner.clone(), ..StoredValues::new(std::mem::take(&mut self.results)) };
        self.stored.push(stored.name.clone());
        Some(Effect::StoreValues(Box::new(stored)))
    }

    /// Whether no other item begins.
    pub(super) fn is_over(&self) -> bool {
        self.failing.is_some() || self.to_do.is_empty()
    }

    /// Reads the results that are stored, if any are.
    pub(super) fn results_to_read(&self) -> Option<Read> {
        let (owner, chunks) = (self.owner.clone(), self.stored.clone());
        (!chunks.is_empty()).then_some(Read::Values { owner, chunks, at: None })
    }

    pub(super) fn next(&self, is_slice: bool) -> Next {
        let index = match self.to_do.first().filter(|_| !self.is_over()) {
            Some(index) => index,
            // The loop reads the results of its slices.
            None if is_slice => return Next::Over,
            None => return self.results_to_read().map_or(Next::Over, Next::Read),
        };
        let at_hand = if self.items.is_empty() { &self.all } else { &self.items };
        if let Some(item) = at_hand.get(place(index - self.first)) {
            return Next::Item(item.clone());
        }
        let mut first = self.first;
        for (chunk, count) in &self.chunks {
            if index < first + count {
                let (owner, chunks) = (self.owner.clone(), vec![chunk.clone()]);
                return Next::Read(Read::Values { owner, chunks, at: Some(index - first) });
            }
            first += count;
        }
        Next::Over
    }

    pub(super) fn begin_item(mut self, value: Value, output: Value, effects: Vec<Effect>) -> NextItem {
        let index = self.to_do.take(1).expect("there is an item to begin").0;
        NextItem { item: Item { index, value }, checkpoint: json!(self), output, effects }
    }

    /// A slice is over: the loop that it is a slice of says what follows.
    pub(super) fn reported(self, effects: Vec<Effect>) -> StepResult {
        StepResult { output: json!(self.report(None)), effects, ..StepResult::default() }
    }

    /// All items are over, or one failed that ends the loop.
    pub(super) fn done(self, stored: &[Value], effects: Vec<Effect>) -> StepResult {
        let Self { completed, count, .. } = self;
        let failed = self.failed + self.ending;
        let mut items: Vec<_> = stored.iter().chain(&self.results).cloned().collect();
        items.sort_by_key(|item| item["index"].as_u64());
        let output = json!({"completed": completed, "failed": failed, "items": items});
        let result = StepResult { output, effects, ..StepResult::default() };
        let why = self.error.clone().unwrap_or_default();
        if self.failing.is_some() {
            let message = format!("{why}; {completed} of {count} items completed before it");
            let error = Some(StepError::new(StepCode::ItemFailed, message));
            return StepResult { error, keeps: json!(self), ..result };
        }
        if failed == 0 {
            return result;
        }
        let note = Some(format!("{failed} of {count} items failed; {why}"));
        StepResult { status: StepStatus::Partial, note, ..result }
    }

    /// Number of items.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// How far it is, in words.
    pub(super) fn progress(&self) -> String {
        format!("{} of {} items are over", self.completed + self.failed, self.count)
    }
}

/// The list, as written or as its template gives it.
fn items(step: &ForEach, at: &StepContext<'_>) -> Result<Vec<Value>, StepError> {
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
    Ok(items)
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
