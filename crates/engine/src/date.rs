//! The event that the time around a date of a record becomes.

use jiff::Timestamp;
use serde_json::{Map, json};

use crate::event::EventType;
use crate::{Cause, Event, Subject, ids};

/// The event of a trigger, for a record whose field has this value, at the time for which it was planned. Its id follows from
/// them, so that it starts nothing twice.
pub fn event((workflow, trigger): (&str, &str), record: &Subject, value: &str, at: Timestamp) -> Event {
    let mut data = Map::new();
    data.insert("date".to_owned(), json!(value));
    data.insert("scheduled_at".to_owned(), json!(at.to_string()));
    Event {
        id: ids::date_event_id((workflow, trigger), record, at),
        kind: EventType::Date,
        workflow: Some(workflow.to_owned()),
        trigger: Some(trigger.to_owned()),
        subject: Some(record.clone()),
        occurred_at: at,
        data,
        creation: None,
        cause: Cause::default(),
        parent: None,
        region: None,
        fork: None,
        debug: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_an_id_of_what_fires_and_when() {
        let at: Timestamp = "2026-03-02T09:00:00Z".parse().expect("it is a time");
        let of = |trigger: &str, id: &str, value: &str, at| {
            let record = Subject { object: "policy".to_owned(), id: id.to_owned() };
            event(("w", trigger), &record, value, at)
        };
        let one = of("due", "a", "2026-05-01", at);
        assert_eq!(
            (&one.view()["date"], &one.view()["scheduled_at"]),
            (&json!("2026-05-01"), &json!("2026-03-02T09:00:00Z"))
        );
        assert_eq!(one.id, of("due", "a", "2026-05-02", at).id);
        let later = at + jiff::SignedDuration::from_mins(1);
        for other in [of("over", "a", "", at), of("due", "b", "", at), of("due", "a", "", later)] {
            assert_ne!(one.id, other.id);
        }
    }
}
