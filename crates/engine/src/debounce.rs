//! A burst of events: when its window closes, and the one event that they become.

use jiff::Timestamp;
use pawl_definition::Debounce;
use serde_json::Value;

use crate::Event;

/// Events after which a window closes.
pub const EVENTS_MOST: u64 = 1_000;

/// Bytes of events after which a window closes.
pub const BYTES_MOST: u64 = 1024 * 1024;

/// When a window closes that was opened at a time and got its newest event now.
pub fn due(debounce: &Debounce, opened_at: Timestamp, now: Timestamp, (events, bytes): (u64, u64)) -> Timestamp {
    if events >= EVENTS_MOST || bytes >= BYTES_MOST {
        return now;
    }
    let quiet = now.saturating_add(debounce.quiet()).unwrap_or(Timestamp::MAX);
    quiet.min(opened_at.saturating_add(debounce.longest()).unwrap_or(Timestamp::MAX))
}

/// The event that events become, in their order: the last one, with all of them as `trigger.events`. It has the longest of their
/// chains of causes, so that limits on chains hold, and stops before each step if one of them asks for it. `None` without events.
pub fn merged(id: &str, events: Vec<Event>) -> Option<Event> {
    let views: Vec<Value> = events.iter().map(Event::view).collect();
    let cause = events.iter().map(|event| &event.cause).max_by_key(|cause| cause.chain.len())?.clone();
    let debug = events.iter().any(|event| event.debug);
    let last = events.into_iter().next_back()?;
    let mut data = last.data;
    data.insert("events".to_owned(), Value::Array(views));
    Some(Event { id: id.to_owned(), data, creation: None, cause, debug, ..last })
}
