//! The event that started an execution: in its head, or in an item of its own.

use async_recursion::async_recursion as boxed;
use pawl_engine::{Event, ids};

use crate::items::execution::HeadEvent;
use crate::ports::{BlobOwner, Blobs, Consistency, Item, Tables};
use crate::{Error, items, offload};

/// The event of the execution whose head this is, given what stands of it there, with large values brought back; `None` if
/// it is not there.
#[boxed]
pub(crate) async fn of(
    ports: (&dyn Tables, &dyn Blobs),
    (head, kept): (&Item, Option<&HeadEvent>),
    consistency: Consistency,
) -> Result<Option<Event>, Error> {
    let (tables, blobs) = ports;
    let mut event = if let Some(event) = kept {
        event.read(head)?
    } else {
        let Some(id) = items::execution::id(&head.key) else { return Ok(None) };
        let Some(item) = tables.get(items::event::TABLE, &items::event::key(id), consistency).await? else {
            return Ok(None);
        };
        let mut event = items::event::parse(&item)?;
        offload::restore_event(blobs, BlobOwner::execution(id), &mut event).await?;
        event
    };
    let (Some(start), Some(workflow)) = (event.region.as_ref().filter(|start| start.shares_data), &event.workflow)
    else {
        return Ok(Some(event));
    };
    let key = items::execution::key(&ids::execution_id(start.of_fork.as_ref().unwrap_or(&start.event), workflow));
    let Some(whole) = tables.get(items::execution::TABLE, &key, consistency).await? else { return Ok(None) };
    let Some(of_whole) = items::execution::parse_head(&whole)? else { return Ok(None) };
    let Some(of_whole) = of(ports, (&whole, of_whole.event.as_ref()), consistency).await? else { return Ok(None) };
    event.data = of_whole.data;
    Ok(Some(event))
}
