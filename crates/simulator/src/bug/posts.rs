//! Mistakes about posted events.

use jiff::Timestamp;
use pawl_runtime::EventMessage;
use pawl_runtime::ports::Message;

use crate::posting::posted_id;

/// A posted event gets an id that follows from the time at which it is sent, not from the id that its sender gave.
pub(crate) fn rename_post(message: &mut Message, now: Timestamp) {
    if let Ok(EventMessage::Event(mut event)) = EventMessage::parse(&message.body)
        && posted_id(&event).is_some()
    {
        event.id = format!("{}{:x}", event.id, now.as_nanosecond());
        message.body = serde_json::to_string(&EventMessage::Event(event)).expect("an event is JSON");
    }
}
