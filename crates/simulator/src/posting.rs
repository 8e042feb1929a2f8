//! An outside system that posts events, a site that posts interactions, and a provider that tells what became of messages.

use std::collections::BTreeMap;

use jiff::Timestamp;
use pawl_definition::trigger::{BounceKind, MailEventKind};
use pawl_engine::{Bounce, Event, MailEvent, PostedInteraction, Subject};
use pawl_runtime::mail;
use pawl_runtime::ports::Item;
use pawl_runtime::{Identity, InteractionError, NewInteraction, RecordError, System, WhoseInteraction, bus, items};
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

/// Posts an interaction under its id, as the API does.
pub(super) async fn interact(hub: &Hub, system: &System, id: &str, said: &Value) -> Answer {
    let text = |key: &str| said.get(key).and_then(Value::as_str).map(str::to_owned);
    let having = said["match"].as_object().and_then(|having| having.iter().next());
    let record = match having {
        Some((field, value)) => WhoseInteraction::Having { field: field.clone(), value: value.clone() },
        None => WhoseInteraction::Id(text("record").unwrap_or_default()),
    };
    let new = NewInteraction {
        id: Some(id.to_owned()),
        kind: text("kind").unwrap_or_default(),
        url: text("url"),
        object: text("object").unwrap_or_default(),
        record,
        time: None,
        data: said["data"].as_object().cloned().unwrap_or_default(),
    };
    let event = event_of(&new, hub.now());
    hub.lock().posts.entry(event.id.clone()).or_insert_with(|| (event.occurred_at, event));
    match system.interactions.accept(new).await {
        Ok(answer) => {
            hub.count("interactions posted");
            accepted(answer.event_id, answer.repeat.is_some())
        }
        Err(InteractionError::Failed(_) | InteractionError::Record(RecordError::Failed(_))) => Answer::Lost,
        Err(_) => Answer::Refused,
    }
}

/// The event that it becomes, as far as triggers look at it.
fn event_of(new: &NewInteraction, now: Timestamp) -> Event {
    let NewInteraction { id, kind, url, object, data, .. } = new.clone();
    let record = Subject { object, id: String::new() };
    PostedInteraction { id, kind, url, at: now, data }.event(record, now, String::new)
}

/// Tells what became of a message under an id, as the API does.
pub(super) async fn mail(hub: &Hub, system: &System, id: &str, (to, event): (&str, &str)) -> Answer {
    let identity = Identity::of(Some(id));
    match system.ingest.earlier(MailEvent::KEYS, MailEvent::KEYS, &identity).await {
        Ok(Some(earlier)) => return accepted(earlier.event_id, true),
        Ok(None) => {}
        Err(_) => return Answer::Lost,
    }
    let kind = MailEventKind::of(event).expect("it is an event of a message");
    let bounce = (kind == MailEventKind::Bounced).then_some(Bounce { kind: BounceKind::Permanent, reason: None });
    let (id, to, message_id, at) = (id.to_owned(), to.to_owned(), id.to_owned(), hub.now());
    let told = MailEvent { id, kind, to, message_id, template: None, link: None, bounce, at };
    let event = mail::event(told, at).expect("the event has no mistakes");
    hub.lock().posts.entry(event.id.clone()).or_insert_with(|| (event.occurred_at, event.clone()));
    match system.ingest.accept_undecided(event, &identity).await {
        Ok(answer) => {
            hub.count("events of messages told");
            accepted(answer.event_id, answer.repeat.is_some())
        }
        Err(_) => Answer::Lost,
    }
}

/// The id under which an event or an interaction was posted; none of one that was not.
pub(super) fn posted_id(event: &Event) -> Option<&str> {
    let told = event.data.get("event").or_else(|| event.data.get("interaction"))?;
    told.get("id")?.as_str()
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
