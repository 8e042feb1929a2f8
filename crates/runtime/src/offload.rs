//! Large values go to the blob store by content hash and leave a reference.

use bytes::Bytes;
use pawl_engine::{Event, Execution, Row};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::Error;
use crate::items::{Unreadable, body, misshapen};
use crate::ports::rules::is_readable;
use crate::ports::{Blobs, Key, TableError};

/// Values above this many bytes of JSON are offloaded.
pub const INLINE_MOST: usize = 32 * 1024;

/// An item above this many bytes offloads its largest values although each is small.
const ITEM_MOST: usize = 200 * 1024;

/// The key of a reference. Stored, do not rename.
const REFERENCE: &str = "$pawl_blob";

/// The head's body, large values offloaded.
pub async fn execution_body(blobs: &dyn Blobs, execution: &Execution) -> Result<String, Error> {
    let whole = body(execution);
    if whole.len() <= INLINE_MOST && !whole.contains(REFERENCE) {
        return Ok(whole);
    }
    let mut offloaded = execution.clone();
    for value in values_of(&mut offloaded) {
        escape(blobs, value).await?;
    }
    for most in [INLINE_MOST, 1024] {
        for value in values_of(&mut offloaded) {
            offload(blobs, value, most).await?;
        }
        let body = body(&offloaded);
        if body.len() <= ITEM_MOST {
            return Ok(body);
        }
    }
    Ok(body(&offloaded))
}

fn values_of(execution: &mut Execution) -> impl Iterator<Item = &mut Value> {
    let outputs = execution.steps.values_mut().flat_map(|state| [&mut state.output, &mut state.checkpoint]);
    execution.variables.values_mut().chain(outputs).chain(execution.overrides.values_mut())
}

/// A row with large input and output offloaded.
pub async fn row(blobs: &dyn Blobs, mut row: Row) -> Result<Row, Error> {
    for value in [&mut row.input, &mut row.output, &mut row.trace] {
        escape(blobs, value).await?;
        offload(blobs, value, INLINE_MOST).await?;
    }
    Ok(row)
}

/// An event with large parts of its data offloaded.
pub async fn event(blobs: &dyn Blobs, event: &mut Event) -> Result<(), Error> {
    offload_all(blobs, &mut event.data).await?;
    if let Some(creation) = &mut event.creation {
        offload_all(blobs, &mut creation.fields).await?;
    }
    Ok(())
}

async fn offload_all(blobs: &dyn Blobs, values: &mut Map<String, Value>) -> Result<(), Error> {
    for value in values.values_mut() {
        escape(blobs, value).await?;
        offload(blobs, value, INLINE_MOST).await?;
    }
    Ok(())
}

/// Offloads a value that came from outside and looks like a reference, so that nobody outside can name a blob.
async fn escape(blobs: &dyn Blobs, value: &mut Value) -> Result<(), Error> {
    if reference(value).is_none() {
        return Ok(());
    }
    let text = value.to_string();
    put(blobs, value, text).await
}

async fn offload(blobs: &dyn Blobs, value: &mut Value, most: usize) -> Result<(), Error> {
    if is_small(value) || reference(value).is_some() {
        return Ok(());
    }
    let text = value.to_string();
    if text.len() <= most { Ok(()) } else { put(blobs, value, text).await }
}

async fn put(blobs: &dyn Blobs, value: &mut Value, text: String) -> Result<(), Error> {
    let hash = sha256(text.as_bytes());
    if !is_readable(&text) {
        return Err(TableError::TooDeep(Key::new("blob", hash)).into());
    }
    let bytes = text.len();
    blobs.put(&hash, Bytes::from(text)).await?;
    *value = json!({REFERENCE: hash, "bytes": bytes});
    Ok(())
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
    for value in values_of(execution) {
        restore(blobs, value).await?;
    }
    Ok(())
}

/// Brings back what was offloaded of an event.
pub async fn restore_event(blobs: &dyn Blobs, event: &mut Event) -> Result<(), Error> {
    for value in event.data.values_mut() {
        restore(blobs, value).await?;
    }
    if let Some(creation) = &mut event.creation {
        for value in creation.fields.values_mut() {
            restore(blobs, value).await?;
        }
    }
    Ok(())
}

/// Brings back what was offloaded of a row.
pub async fn restore_row(blobs: &dyn Blobs, row: &mut Row) -> Result<(), Error> {
    restore(blobs, &mut row.input).await?;
    restore(blobs, &mut row.trace).await?;
    restore(blobs, &mut row.output).await
}

/// The hash that a reference names.
fn reference(value: &Value) -> Option<&str> {
    value.as_object().filter(|keys| keys.len() == 2)?.get(REFERENCE)?.as_str()
}

async fn restore(blobs: &dyn Blobs, value: &mut Value) -> Result<(), Error> {
    let Some(hash) = reference(value) else { return Ok(()) };
    let content = blobs.get(hash).await?;
    let unreadable = |error: serde_json::Error| Unreadable { key: format!("blob/{hash}"), reason: misshapen(&error) };
    *value = serde_json::from_slice(&content).map_err(unreadable)?;
    Ok(())
}

/// Lower-case hexadecimal SHA-256.
pub fn sha256(content: &[u8]) -> String {
    pawl_engine::ids::hex(&Sha256::digest(content))
}
