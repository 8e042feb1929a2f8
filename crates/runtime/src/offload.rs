//! Large values go to the blob store by owner and content hash, and leave a reference.
//!
//! A reference names the hash alone. Whose blob it is follows from the item that the reference stands in, so that no
//! reference leads to what another owner has. An event that starts an execution is read whole and stored anew beside it.

use bytes::Bytes;
use pawl_engine::{Event, Execution, Row};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::Error;
use crate::items::{Unreadable, body, misshapen};
use crate::ports::rules::is_readable;
use crate::ports::{BlobKey, BlobOwner, Blobs, Key, TableError};

/// Values above this many bytes of JSON are offloaded.
pub const INLINE_MOST: usize = 32 * 1024;

/// An item above this many bytes offloads its largest values although each is small.
const ITEM_MOST: usize = 200 * 1024;

/// What stays in such an item: values up to this many bytes.
const SMALL_MOST: usize = 1024;

/// The key of a reference. Stored, do not rename.
const REFERENCE: &str = "$pawl_blob";

/// The head's body, large values offloaded.
pub async fn execution_body(blobs: &dyn Blobs, execution: &Execution) -> Result<String, Error> {
    let whole = body(execution);
    if whole.len() <= INLINE_MOST && !whole.contains(REFERENCE) {
        return Ok(whole);
    }
    let shelf = Shelf { blobs, owner: BlobOwner::execution(&execution.id) };
    let mut offloaded = execution.clone();
    for value in values_of(&mut offloaded) {
        shelf.escape(value).await?;
    }
    for most in [INLINE_MOST, SMALL_MOST] {
        for value in values_of(&mut offloaded) {
            shelf.offload(value, most).await?;
        }
        let body = body(&offloaded);
        if body.len() <= ITEM_MOST {
            return Ok(body);
        }
    }
    Ok(body(&offloaded))
}

fn values_of(execution: &mut Execution) -> impl Iterator<Item = &mut Value> {
    let outputs =
        execution.steps.values_mut().flat_map(|state| [&mut state.output, &mut state.checkpoint, &mut state.kept]);
    let given = execution.overrides.values_mut();
    let frames = execution.frames.iter_mut().flat_map(|frame| {
        let item = std::iter::once(&mut frame.item.value);
        item.chain(frame.variables.values_mut())
    });
    let item = execution.item.iter_mut().map(|item| &mut item.value);
    let given = given.chain(frames).chain(item);
    execution.variables.values_mut().chain(outputs).chain(given).chain([&mut execution.since, &mut execution.output])
}

/// A row of an execution with large input and output offloaded, and what it was decided on if that is large.
pub async fn row(blobs: &dyn Blobs, execution: &str, mut row: Row) -> Result<Row, Error> {
    let shelf = Shelf { blobs, owner: BlobOwner::execution(execution) };
    for value in [&mut row.input, &mut row.output, &mut row.trace, &mut row.observed] {
        shelf.escape(value).await?;
        shelf.offload(value, INLINE_MOST).await?;
    }
    Ok(row)
}

/// An event with large parts of its data offloaded. It is its own owner while it is on its way, and belongs to an execution
/// where it is stored beside one.
pub async fn event(blobs: &dyn Blobs, owner: BlobOwner, event: &mut Event) -> Result<(), Error> {
    // A fork brings all that its original had come to: many small values.
    let most = if event.fork.is_some() { SMALL_MOST } else { INLINE_MOST };
    event_above(blobs, owner, event, most).await
}

/// The same with all parts above so many bytes.
pub async fn event_above(blobs: &dyn Blobs, owner: BlobOwner, event: &mut Event, most: usize) -> Result<(), Error> {
    let shelf = Shelf { blobs, owner };
    for value in data_of(event) {
        shelf.escape(value).await?;
        shelf.offload(value, most).await?;
    }
    Ok(())
}

fn data_of(event: &mut Event) -> impl Iterator<Item = &mut Value> {
    let fields = event.creation.as_mut().map(|creation| creation.fields.values_mut());
    let fork = event.fork.as_mut().map(|start| {
        let state = start.state.iter_mut().flat_map(|state| {
            let outputs = state.steps.values_mut().map(|state| &mut state.output);
            state.variables.values_mut().chain(outputs)
        });
        start.values.values_mut().chain(state).chain([&mut start.read])
    });
    let begins_with = event.region.as_mut().map(|start| {
        let outputs = start.steps.values_mut().map(|state| &mut state.output);
        let item = start.item.iter_mut().map(|item| &mut item.value);
        start.variables.values_mut().chain(outputs).chain(item)
    });
    event
        .data
        .values_mut()
        .chain(fields.into_iter().flatten())
        .chain(begins_with.into_iter().flatten())
        .chain(fork.into_iter().flatten())
}

/// The blobs of one owner.
struct Shelf<'a> {
    blobs: &'a dyn Blobs,
    owner: BlobOwner,
}

impl Shelf<'_> {
    /// Offloads a value that came from outside and looks like a reference, so that nobody outside can name a blob.
    async fn escape(&self, value: &mut Value) -> Result<(), Error> {
        if reference(value).is_none() {
            return Ok(());
        }
        let text = value.to_string();
        self.put(value, text).await
    }

    async fn offload(&self, value: &mut Value, most: usize) -> Result<(), Error> {
        if is_small(value) || reference(value).is_some() {
            return Ok(());
        }
        let text = value.to_string();
        if text.len() <= most { Ok(()) } else { self.put(value, text).await }
    }

    async fn put(&self, value: &mut Value, text: String) -> Result<(), Error> {
        let hash = sha256(text.as_bytes());
        let key = BlobKey::new(&self.owner, &hash)?;
        if !is_readable(&text) {
            return Err(TableError::TooDeep(Key::new("blob", key.as_str())).into());
        }
        let bytes = text.len();
        self.blobs.put(&key, Bytes::from(text)).await?;
        *value = json!({REFERENCE: hash, "bytes": bytes});
        Ok(())
    }

    async fn restore(&self, value: &mut Value) -> Result<(), Error> {
        let Some(hash) = reference(value) else { return Ok(()) };
        let key = BlobKey::new(&self.owner, hash)?;
        let content = self.blobs.get(&key).await?;
        let unreadable =
            |error: serde_json::Error| Unreadable { key: format!("blob/{key}"), reason: misshapen(&error) };
        *value = serde_json::from_slice(&content).map_err(unreadable)?;
        Ok(())
    }
}

/// Whether a stored body may have references in it.
pub(crate) fn may_refer(body: &str) -> bool {
    body.contains(REFERENCE)
}

/// Spares the serialization of what cannot be large.
fn is_small(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => text.len() < 512,
        Value::Array(items) => items.is_empty(),
        Value::Object(keys) => keys.is_empty(),
    }
}

/// Brings back what was offloaded of a head.
pub async fn restore_execution(blobs: &dyn Blobs, execution: &mut Execution) -> Result<(), Error> {
    let shelf = Shelf { blobs, owner: BlobOwner::execution(&execution.id) };
    for value in values_of(execution) {
        shelf.restore(value).await?;
    }
    Ok(())
}

/// Brings back the result of an execution.
pub(crate) async fn restore_output(blobs: &dyn Blobs, execution: &mut Execution) -> Result<(), Error> {
    let shelf = Shelf { blobs, owner: BlobOwner::execution(&execution.id) };
    shelf.restore(&mut execution.output).await
}

/// Brings back what was offloaded of an event, under the owner that it was offloaded with.
pub async fn restore_event(blobs: &dyn Blobs, owner: BlobOwner, event: &mut Event) -> Result<(), Error> {
    let shelf = Shelf { blobs, owner };
    for value in data_of(event) {
        shelf.restore(value).await?;
    }
    Ok(())
}

/// Brings back what was offloaded of a row of an execution.
pub async fn restore_row(blobs: &dyn Blobs, execution: &str, row: &mut Row) -> Result<(), Error> {
    let shelf = Shelf { blobs, owner: BlobOwner::execution(execution) };
    shelf.restore(&mut row.input).await?;
    shelf.restore(&mut row.trace).await?;
    shelf.restore(&mut row.observed).await?;
    shelf.restore(&mut row.output).await
}

/// The hash that a reference names.
fn reference(value: &Value) -> Option<&str> {
    value.as_object().filter(|keys| keys.len() == 2)?.get(REFERENCE)?.as_str()
}

/// Lower-case hexadecimal SHA-256.
pub fn sha256(content: &[u8]) -> String {
    pawl_engine::ids::hex(&Sha256::digest(content))
}
