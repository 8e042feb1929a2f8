//! Events of the bus.
//!
//! The bus tries again when a function fails, twice and within minutes, and knows nothing of what comes after. So an
//! event that cannot be evaluated goes to the event queue, where it comes again by itself and, at last, to a dead-letter
//! queue. Only if the queue does not take it either is the bus asked to try again.

use pawl_lambda::{Failure, guarded};
use pawl_runtime::{Core, Identity, bus};
use serde_json::Value;

/// Evaluates an event of the bus, by which steps go on that wait for it and workflows start that listen for it.
pub(crate) async fn handle(core: &Core, said: &Value) -> Result<(), Failure> {
    for read in bus::all(said) {
        let events = match read {
            Ok(events) => events,
            Err(error) => {
                // No retry makes it readable.
                tracing::warn!("an event of the bus is dropped: {error}");
                return Ok(());
            }
        };
        for event in events {
            let event_id = event.id.clone();
            match guarded(core.evaluator.evaluate(event.clone(), None)).await {
                Some(Ok(())) => continue,
                Some(Err(error)) => tracing::warn!(event_id, "event {event_id} is put on the event queue: {error}"),
                None => tracing::warn!(event_id, "event {event_id} is put on the event queue after a panic"),
            }
            core.ingest.accept(event, &Identity::default()).await?;
        }
    }
    Ok(())
}
