//! An outside system that posts events.

use std::collections::BTreeMap;

use jiff::Timestamp;
use pawl_engine::Event;
use pawl_runtime::ports::Item;
use pawl_runtime::{Identity, System, bus, items};
use serde_json::{Value, json};

use super::hub::Hub;
use super::script::POSTED;
use super::task::{Accepted, Answer};

/// Events that were posted, by their ids as events of the runtime: when each was first, and as what it came in.
pub(super) type Posts = BTreeMap<String, (Timestamp, Event)>;

/// Posts an event under its id, as the API does.
pub(super) async fn post(hub: &Hub, system: &System, id: &str, said: &Value) -> Answer {
    let identity = Identity::of(Some(id));
    match system.ingest.earlier(bus::POSTED, bus::POSTED, &identity).await {
        Ok(Some(earlier)) => return accepted(earlier.event_id, true),
        Ok(None) => {}
        Err(_) => return Answer::Lost,
    }
    let mut envelope = said.clone();
    envelope["id"] = json!(id);
    envelope["time"] = json!(hub.now().to_string());
    let event = bus::outside(&envelope).expect("the event has no mistakes").expect("its source is none of Pawl's");
    hub.lock().posts.entry(event.id.clone()).or_insert_with(|| (event.occurred_at, event.clone()));
    match system.ingest.accept_undecided(event, &identity).await {
        Ok(answer) => {
            hub.count("events posted");
            accepted(answer.event_id, answer.repeat.is_some())
        }
        Err(_) => Answer::Lost,
    }
}

/// The id under which an event was posted; none of one that was not.
pub(super) fn posted_id(event: &Event) -> Option<&str> {
    event.data.get("event")?.get("id")?.as_str()
}

/// Whether a step published an event, and the installation took it in.
pub(super) fn is_published(event: &Event) -> bool {
    posted_id(event).is_some_and(|id| id.starts_with("msg_"))
}

/// The event of an execution, where an item stores one: the head, or an item of its own. One that cannot be read is none.
pub(super) fn stored_event(item: &Item) -> Option<Event> {
    match items::execution::id(&item.key) {
        Some(_) => items::execution::event(item).ok().flatten(),
        None if item.key.sort == items::event::SORT => items::event::parse(item).ok(),
        None => None,
    }
}

fn accepted(event: String, replayed: bool) -> Answer {
    Answer::Done(Some(Accepted { event, workflow: String::new(), trigger: POSTED.to_owned(), replayed }))
}
