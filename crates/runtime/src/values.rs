//! Values of an execution that are stored beside its head. A loop reads one after the other out of the same chunk, so the last
//! chunks are kept in memory.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use pawl_engine::Found;
use serde_json::Value;

use crate::Error;
use crate::items::{Unreadable, misshapen};
use crate::ports::{BlobKey, BlobOwner, Blobs};

/// Chunks that are kept: some 16 KB each.
const KEPT: usize = 32;

/// Reads stored values.
pub(crate) struct StoredChunks {
    blobs: Arc<dyn Blobs>,
    kept: Mutex<VecDeque<(BlobKey, Arc<Vec<Value>>)>>,
}

impl StoredChunks {
    pub(crate) fn new(blobs: Arc<dyn Blobs>) -> Self {
        Self { blobs, kept: Mutex::default() }
    }

    /// Values of an execution out of chunks: all of them, or the one at a place.
    pub(crate) async fn read(&self, execution: &str, chunks: &[String], at: Option<u32>) -> Result<Found, Error> {
        let mut values = Vec::new();
        for name in chunks {
            let key = BlobKey::new(&BlobOwner::execution(execution), name)?;
            let chunk = self.chunk(key).await?;
            match at.map(|at| usize::try_from(at).expect("a place fits")) {
                Some(at) => values.extend(chunk.get(at).cloned()),
                None => values.extend(chunk.iter().cloned()),
            }
        }
        Ok(Found { values, ..Found::default() })
    }

    /// A chunk; its key names its content, so what is kept is right for ever.
    async fn chunk(&self, key: BlobKey) -> Result<Arc<Vec<Value>>, Error> {
        if let Some((_, chunk)) = self.lock().iter().find(|(kept, _)| *kept == key) {
            return Ok(chunk.clone());
        }
        let content = self.blobs.get(&key).await?;
        let unreadable =
            |error: serde_json::Error| Unreadable { key: format!("blob/{key}"), reason: misshapen(&error) };
        let chunk: Vec<Value> = serde_json::from_slice(&content).map_err(unreadable)?;
        let chunk = Arc::new(chunk);
        let mut kept = self.lock();
        kept.push_back((key, chunk.clone()));
        if kept.len() > KEPT {
            kept.pop_front();
        }
        Ok(chunk)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<(BlobKey, Arc<Vec<Value>>)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
