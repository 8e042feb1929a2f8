//! Values of an execution are stored beside its head, which names them.

use async_trait::async_trait;
use bytes::Bytes;
use pawl_engine::StoredValues;

use super::{EffectContext, EffectHandler};
use crate::Error;
use crate::ports::{BlobKey, BlobOwner, Blobs, Write};

#[async_trait]
impl EffectHandler for StoredValues {
    fn writes(&self, _cx: &EffectContext<'_>) -> Vec<Write> {
        Vec::new()
    }

    /// They are there before a head names them. A transition that loses its race leaves them to be removed with the execution.
    async fn prepare(&self, cx: &EffectContext<'_>, blobs: &dyn Blobs) -> Result<(), Error> {
        let owner = self.owner.as_deref().unwrap_or(&cx.execution.id);
        let key = BlobKey::new(&BlobOwner::execution(owner), &self.name)?;
        Ok(blobs.put(&key, Bytes::from(self.text())).await?)
    }
}
