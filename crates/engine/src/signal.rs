//! Signals: who waits for which, in which order, and what becomes of one.
//!
//! A signal has a name and a key. A step that waits listens on `<since>,<from>|signal/<name>/<key>`: `since` is when its
//! visit began, so that those who wait stand in this order, and `from` is the time from which on signals count for it.
//! Both are microseconds since 1970 in 17 digits.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::{Cause, Event, EventType, Execution};

const TOPIC: &str = "signal/";

/// A signal that was sent, without its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentSignal {
    /// Unique id; the same sending twice has the same id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Key.
    pub key: String,
    /// Its place among the signals of its name and key, in the order in which they were accepted.
    pub number: u64,
    /// When it was accepted.
    pub sent_at: Timestamp,
}

/// What becomes of a signal in the transition of an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenSignal {
    /// The signal.
    pub signal: SentSignal,
    /// The step that waits for it.
    pub step: String,
    /// Why the step refuses it; `None` if it receives it.
    pub refused: Option<String>,
}

impl SentSignal {
    /// What those listen on who wait for it.
    pub fn topic(&self) -> String {
        topic(&self.name, &self.key)
    }

    /// The event by which an execution is told of it.
    pub fn event(&self, payload: Value) -> Event {
        let mut data = Map::new();
        data.insert("signal".to_owned(), self.name.clone().into());
        data.insert("key".to_owned(), self.key.clone().into());
        data.insert("number".to_owned(), self.number.into());
        data.insert("payload".to_owned(), payload);
        Event {
            id: self.id.clone(),
            kind: EventType::SignalSent,
            workflow: None,
            trigger: None,
            subject: None,
            occurred_at: self.sent_at,
            data,
            creation: None,
            cause: Cause::default(),
            parent: None,
            region: None,
            fork: None,
            debug: false,
        }
    }

    /// Of the event by which an execution is told of it.
    pub fn of(event: &Event) -> Option<Self> {
        let text = |key: &str| event.data.get(key).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            id: event.id.clone(),
            name: text("signal")?,
            key: text("key")?,
            number: event.data.get("number").and_then(Value::as_u64).unwrap_or_default(),
            sent_at: event.occurred_at,
        })
    }
}

/// What those listen on who wait for signals of a name and a key, without their place in line.
pub fn topic(name: &str, key: &str) -> String {
    format!("{TOPIC}{name}/{key}")
}

/// What a step listens on that waits since a time, for signals that were sent from a time on.
pub(crate) fn listens_on(topic: &str, since: Timestamp, from: Option<Timestamp>) -> String {
    format!("{},{}|{topic}", digits(since), from.map_or_else(|| "0".repeat(17), digits))
}

/// Whether a signal counts for a step that listens so: `place` is `<since>,<from>`.
pub fn counts_for(place: &str, sent_at: Timestamp) -> bool {
    place.split_once(',').is_some_and(|(_, from)| from <= digits(sent_at).as_str())
}

/// The topic of the signals that an execution waits for, without its place in line.
pub fn awaited(execution: &Execution) -> Option<&str> {
    let mut topics = execution.waiting.iter().flat_map(|waiting| &waiting.topics);
    topics.find_map(|topic| topic.split_once('|').map(|(_, topic)| topic).filter(|topic| topic.starts_with(TOPIC)))
}

fn digits(at: Timestamp) -> String {
    format!("{:017}", at.as_microsecond().max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn a_signal_counts_from_the_time_on_that_its_waiter_says() {
        let place = |from| listens_on("signal/paid/7", at(50), from).split_once('|').expect("a place").0.to_owned();
        assert!(counts_for(&place(Some(at(40))), at(40)));
        assert!(!counts_for(&place(Some(at(40))), at(39)));
        assert!(counts_for(&place(None), at(1)));
    }

    #[test]
    fn those_who_wait_stand_in_the_order_of_their_wait() {
        let early = listens_on("signal/paid/7", at(9), None);
        let late = listens_on("signal/paid/7", at(100), Some(at(1)));
        assert!(early < late);
    }

    #[test]
    fn the_event_of_a_signal_tells_it_again() {
        let signal = SentSignal {
            id: "sig_1".to_owned(),
            name: "paid".to_owned(),
            key: "a|b/c".to_owned(),
            number: 3,
            sent_at: at(5),
        };
        assert_eq!(SentSignal::of(&signal.event(Value::Null)), Some(signal));
    }
}
