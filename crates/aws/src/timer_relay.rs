//! The last stretch of a timer.
//!
//! Scheduler fires within a minute after the time that it was told. So a timer is told a minute early, with its
//! message wrapped; whoever receives the wrapped message sends the inner one with what is left as the queue's delay,
//! which is exact to the second.

use jiff::{SignedDuration, Timestamp};
use pawl_runtime::ports::Message;
use pawl_runtime::ports::rules::MAX_DELAY;
use serde::{Deserialize, Serialize};

/// A received body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrived {
    /// To be handled now.
    Now(String),
    /// Too early: to be sent to the same queue, in place of what was received.
    Early(Message),
}

/// A message on its way to its time. Stored, do not rename.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped {
    due: Timestamp,
    group: String,
    message: String,
}

/// What every wrapped message begins with and no message of Pawl's own does.
const BEGIN: &str = "{\"due\":";

/// Wraps the message of a timer that fires early.
pub fn wrap(due: Timestamp, message: &Message) -> String {
    let wrapped = Wrapped { due, group: message.group.clone(), message: message.body.clone() };
    serde_json::to_string(&wrapped).expect("texts and times are JSON")
}

/// Reads a received body.
pub fn read(body: String, now: Timestamp) -> Arrived {
    if !body.starts_with(BEGIN) {
        return Arrived::Now(body);
    }
    let Ok(wrapped) = serde_json::from_str::<Wrapped>(&body) else { return Arrived::Now(body) };
    let left = wrapped.due.duration_since(now);
    if left <= SignedDuration::ZERO {
        return Arrived::Now(wrapped.message);
    }
    if left > MAX_DELAY {
        return Arrived::Early(Message { body, delay: MAX_DELAY, group: wrapped.group });
    }
    Arrived::Early(Message { body: wrapped.message, delay: left, group: wrapped.group })
}

/// The message of a timer, whether its time has come or not; another body as it is.
pub fn inner(body: String) -> String {
    match read(body, Timestamp::MAX) {
        Arrived::Now(body) => body,
        Arrived::Early(message) => message.body,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(body: &str) -> Message {
        Message { body: body.to_owned(), delay: SignedDuration::ZERO, group: "triage".to_owned() }
    }

    fn due() -> Timestamp {
        "2026-11-26T12:00:00Z".parse().expect("a time")
    }

    #[test]
    fn a_plain_body_is_for_now() {
        for body in ["{\"execution_id\":\"x\",\"seq\":3}", "not JSON", "", "{\"due\":\"tomorrow\"}", "{\"due\":1}"] {
            assert_eq!(read(body.to_owned(), due()), Arrived::Now(body.to_owned()));
        }
    }

    #[test]
    fn an_early_message_waits_for_what_is_left() {
        let wrapped = wrap(due(), &message("{\"seq\":3}"));
        let early = read(wrapped.clone(), due() - SignedDuration::from_millis(42_500));
        let left = SignedDuration::from_millis(42_500);
        assert_eq!(early, Arrived::Early(Message { delay: left, ..message("{\"seq\":3}") }));
        assert_eq!(read(wrapped, due()), Arrived::Now("{\"seq\":3}".to_owned()));
    }

    #[test]
    fn what_is_earlier_than_a_delay_can_be_stays_wrapped() {
        let wrapped = wrap(due(), &message("{\"seq\":3}"));
        let early = read(wrapped.clone(), due() - SignedDuration::from_hours(1));
        assert_eq!(early, Arrived::Early(Message { delay: MAX_DELAY, ..message(&wrapped) }));
    }

    proptest! {
        #[test]
        fn a_message_arrives_as_it_was_set(body in "\\PC{0,40}", group in "\\PC{0,10}", early in 0_i64..899_999) {
            let set = Message { body, group, ..message("") };
            let wrapped = wrap(due(), &set);
            prop_assert_eq!(read(wrapped.clone(), due()), Arrived::Now(set.body.clone()));
            let left = SignedDuration::from_millis(early + 1);
            prop_assert_eq!(read(wrapped, due() - left), Arrived::Early(Message { delay: left, ..set }));
        }
    }
}
