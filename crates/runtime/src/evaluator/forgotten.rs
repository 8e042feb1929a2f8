//! Messages of events whose values were forgotten after another copy of the message had been handled, or before the first was.

use pawl_engine::{Event, ids};

use super::Evaluator;
use crate::ports::{BlobError, BlobOwner, Consistency};
use crate::{Error, items, offload};

impl Evaluator {
    /// Brings back the large values of an event; `None` if they were forgotten.
    pub(super) async fn restored(&self, mut event: Event) -> Result<Option<Event>, Error> {
        match offload::restore_event(&*self.blobs, BlobOwner::event(&event.id), &mut event).await {
            Ok(()) => self.without_forgotten(event).await,
            Err(error) if self.was_forgotten(&event, &error).await? => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// An event without what its activity has lost since, because a record that the activity is about was forgotten; `None` if the
    /// activity was about nothing else, and has gone.
    async fn without_forgotten(&self, mut event: Event) -> Result<Option<Event>, Error> {
        let Some(id) = event.activity().filter(|id| pawl_engine::fields::is_key(id)) else { return Ok(Some(event)) };
        let key = items::activity::key(id);
        let item = self.tables.get(items::activity::TABLE, &key, Consistency::Strong).await?;
        let Some(activity) = item.as_ref().map(items::activity::parse).transpose()? else { return Ok(None) };
        event.follow_activity(&activity);
        Ok(Some(event))
    }

    /// Whether large values of an event are missing because they were forgotten with the execution that it started, or with
    /// its record. Nothing more is to come of such an event.
    async fn was_forgotten(&self, event: &Event, error: &Error) -> Result<bool, Error> {
        if !matches!(error, Error::Blob(BlobError::NotFound(_))) {
            return Ok(false);
        }
        if let Some(workflow) = &event.workflow {
            let key = items::execution::key(&ids::execution_id(&event.id, workflow));
            let item = self.tables.get(items::execution::TABLE, &key, Consistency::Strong).await?;
            let head = item.as_ref().map(items::execution::parse).transpose()?.flatten();
            return Ok(head.is_some_and(|head| head.forgotten.is_some()));
        }
        let Some(record) = event.subject.as_ref().filter(|record| pawl_engine::fields::is_key(&record.id)) else {
            return Ok(false);
        };
        let item = self.tables.get(items::record::TABLE, &items::record::key(record), Consistency::Strong).await?;
        let record = item.as_ref().map(items::record::parse).transpose()?;
        Ok(record.is_some_and(|record| record.forgotten.is_some()))
    }
}
