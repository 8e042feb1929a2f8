//! Mistakes about posted and published events.

use jiff::Timestamp;
use pawl_engine::{Cause, Event};
use pawl_runtime::EventMessage;
use pawl_runtime::ports::Message;

use super::Bug;
use crate::posting::{is_published, posted_id};

/// What really leaves of a message that tells of an event from outside.
pub(crate) fn corrupt_post(bug: Bug, message: &mut Message, now: Timestamp) {
    match bug {
        Bug::FreshPosts => changed(message, |event| posted_id(event).is_some(), |event| rename(event, now)),
        Bug::PublishedUncaused => changed(message, is_published, |event| event.cause = Cause::default()),
        _ => {}
    }
}

/// Gives an event an id that follows from the time at which it is sent, not from the id that its sender gave.
fn rename(event: &mut Event, now: Timestamp) {
    event.id = format!("{}{:x}", event.id, now.as_nanosecond());
}

fn changed(message: &mut Message, is_meant: impl Fn(&Event) -> bool, change: impl FnOnce(&mut Event)) {
    if let Ok(EventMessage::Event(mut event)) = EventMessage::parse(&message.body)
        && is_meant(&event)
    {
        change(&mut event);
        message.body = serde_json::to_string(&EventMessage::Event(event)).expect("an event is JSON");
    }
}
