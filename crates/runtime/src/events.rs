//! The event that started an execution: in its head, or in an item of its own.

use pawl_engine::Event;

use crate::items::execution::HeadEvent;
use crate::ports::{BlobOwner, Blobs, Consistency, Item, Tables};
use crate::{Error, items, offload};

/// The event of the execution whose head this is, given what stands of it there, with large values brought back; `None` if
/// it is not there.
pub(crate) async fn of(
    (tables, blobs): (&dyn Tables, &dyn Blobs),
    (head, event): (&Item, Option<&HeadEvent>),
    consistency: Consistency,
) -> Result<Option<Event>, Error> {
    if let Some(event) = event {
        return Ok(Some(event.read(head)?));
    }
    let Some(id) = items::execution::id(&head.key) else { return Ok(None) };
    let Some(item) = tables.get(items::event::TABLE, &items::event::key(id), consistency).await? else {
        return Ok(None);
    };
    let mut event = items::event::parse(&item)?;
    offload::restore_event(blobs, BlobOwner::execution(id), &mut event).await?;
    Ok(Some(event))
}
