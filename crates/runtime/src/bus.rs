//! What the event bus (EventBridge) says, as events.
//!
//! All events can start workflows that listen for them (the trigger `event`), but for those of Pawl's own sources. Three kinds
//! mean more: "Step Functions Execution Status Change" of the source `aws.states`, which only
//! AWS itself can send, and those of the sources `pawl.callback` and `pawl.signal`, which everybody can send who may put events
//! on the bus. A callback is believed for its token, which leaves no trace: the event that it becomes has a digest of it.

use jiff::Timestamp;
use pawl_definition::json::{self, Bounds};
use pawl_definition::step::{is_signal_key, is_signal_name};
use pawl_definition::value::is_blank_text;
use pawl_engine::{Cause, Event, EventType, SentSignal, ids};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::items::misshapen;
use crate::mail;
use crate::ports::rules::MAX_KEY_PART;

/// The source of events of Step Functions.
const STATES: &str = "aws.states";
/// What it calls a change of an execution's status.
const STATUS_CHANGE: &str = "Step Functions Execution Status Change";
/// The source of callbacks.
const CALLBACK: &str = "pawl.callback";
/// The source of signals.
const SIGNAL: &str = "pawl.signal";

/// The sources of Pawl itself begin so. No workflow listens for them: a callback holds a token.
const OWN: &str = "pawl.";

/// In place of a workflow and a trigger, for the keys of events that name none.
pub const POSTED: &str = "events";

/// Most bytes of the id, the source and the detail type of an event from outside: no id or source of AWS has more, and an id is
/// a part of the key by which a repeat is known.
pub(crate) const NAME_MOST: usize = 255;

/// The states in which an execution has ended.
const ENDS: &[&str] = &["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"];

/// Why an event of the bus cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event {id} of the bus cannot be read: {reason}")]
pub struct BusError {
    /// Its id, as far as it has one.
    pub id: String,
    /// Why; holds nothing of its detail.
    pub reason: String,
}

/// An event as EventBridge delivers it, as far as it is read.
#[derive(Debug, Deserialize)]
struct Envelope {
    id: String,
    source: String,
    #[serde(rename = "detail-type")]
    kind: String,
    time: Timestamp,
    detail: Value,
}

/// How an execution of a state machine stands. Output and input are JSON inside a text.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatusChange {
    execution_arn: String,
    status: String,
    output: Option<String>,
    output_details: Option<Included>,
    error: Option<String>,
    cause: Option<String>,
}

/// Whether the event holds a value that may be too large for it.
#[derive(Debug, Deserialize)]
struct Included {
    included: bool,
}

/// A callback. The names of the keys are those that a machine's author writes.
#[derive(Debug, Deserialize)]
struct Callback {
    token: String,
    #[serde(default)]
    output: Value,
    #[serde(default)]
    error: Value,
    cause: Option<String>,
}

/// A signal. The names of the keys are those of the API.
#[derive(Debug, Deserialize)]
struct Signal {
    #[serde(rename = "signal")]
    name: String,
    key: String,
    #[serde(default)]
    payload: Value,
}

/// All events that an event of the bus is: one for steps that wait for it, one from outside, and one for each recipient of a message
/// of Amazon SES.
pub fn all(event: &Value) -> [Result<Vec<Event>, BusError>; 3] {
    let one = |read: Result<Option<Event>, BusError>| read.map(|event| event.into_iter().collect());
    [one(self::event(event)), one(outside(event)), mail::of_ses(event)]
}

/// The event that an event of the bus is; `None` for one that nobody here waits for.
pub fn event(event: &Value) -> Result<Option<Event>, BusError> {
    let id = || event["id"].as_str().unwrap_or("without id").to_owned();
    let unreadable = |error: serde_json::Error| BusError { id: id(), reason: misshapen(&error) };
    let envelope = Envelope::deserialize(event).map_err(unreadable)?;
    let (kind, data) = match (envelope.source.as_str(), envelope.kind.as_str()) {
        (STATES, STATUS_CHANGE) => {
            let change = StatusChange::deserialize(&envelope.detail).map_err(unreadable)?;
            if !ENDS.contains(&change.status.as_str()) || change.execution_arn.len() > MAX_KEY_PART / 2 {
                return Ok(None);
            }
            (EventType::StateMachineEnded, change.data())
        }
        (CALLBACK, _) => {
            let callback = Callback::deserialize(&envelope.detail).map_err(unreadable)?;
            (EventType::CalledBack, callback.data())
        }
        (SIGNAL, _) => {
            let signal = Signal::deserialize(&envelope.detail).map_err(unreadable)?;
            let refused = |reason: String| BusError { id: id(), reason };
            return signal.event(&envelope).map(Some).map_err(refused);
        }
        _ => return Ok(None),
    };
    Ok(Some(Event {
        id: ids::bus_event_id(&envelope.id),
        kind,
        workflow: None,
        trigger: None,
        subject: None,
        occurred_at: envelope.time,
        data,
        creation: None,
        cause: Cause::default(),
        parent: None,
        region: None,
        fork: None,
        debug: false,
    }))
}

/// The event from outside that an event of the bus, or one that the API took in, is; `None` for one of Pawl's own sources.
pub fn outside(event: &Value) -> Result<Option<Event>, BusError> {
    let id = || event["id"].as_str().unwrap_or("without id").to_owned();
    let refused = |reason: String| BusError { id: id(), reason };
    let envelope = Envelope::deserialize(event).map_err(|error| refused(misshapen(&error)))?;
    if envelope.source.starts_with(OWN) {
        return Ok(None);
    }
    for (key, text) in [("id", &envelope.id), ("source", &envelope.source), ("detail-type", &envelope.kind)] {
        if is_blank_text(text) || text.len() > NAME_MOST {
            return Err(refused(format!("expected `{key}` to have 1 to {NAME_MOST} bytes, and not blanks alone")));
        }
    }
    json::check(event, &Bounds::OUTSIDE).map_err(|bound| refused(format!("the event has {bound}")))?;
    Ok(Some(Event {
        id: ids::posted_event_id(&envelope.id),
        kind: EventType::Event,
        workflow: None,
        trigger: None,
        subject: None,
        occurred_at: envelope.time,
        data: Map::from_iter([("event".to_owned(), event.clone())]),
        creation: None,
        cause: Cause::default(),
        parent: None,
        region: None,
        fork: None,
        debug: false,
    }))
}

impl Signal {
    fn event(self, envelope: &Envelope) -> Result<Event, String> {
        let Self { name, key, payload } = self;
        if !is_signal_name(&name) || !is_signal_key(&key) {
            return Err("not the name and the key of a signal".to_owned());
        }
        json::check(&payload, &Bounds::OUTSIDE).map_err(|bound| format!("the payload of the signal has {bound}"))?;
        let sent = SentSignal { id: ids::bus_signal_id(&envelope.id), name, key, number: 0, sent_at: envelope.time };
        Ok(sent.event(payload))
    }
}

impl StatusChange {
    fn data(self) -> Map<String, Value> {
        let left_out = self.output_details.is_some_and(|details| !details.included);
        let mut data = Map::new();
        data.insert("execution_arn".to_owned(), self.execution_arn.into());
        data.insert("status".to_owned(), self.status.into());
        data.insert("output".to_owned(), self.output.map_or(Value::Null, |text| parsed(&text)));
        data.insert("error".to_owned(), json!(self.error));
        data.insert("cause".to_owned(), json!(self.cause));
        if left_out {
            data.insert("output_left_out".to_owned(), true.into());
        }
        data
    }
}

impl Callback {
    fn data(self) -> Map<String, Value> {
        let error = match self.error {
            Value::Null => Value::Null,
            Value::String(text) => text.into(),
            other => other.to_string().into(),
        };
        let mut data = Map::new();
        // A bus is no parser of ours: the output may nest deeper than what is stored can be read.
        let (output, error) = match json::check(&self.output, &Bounds::OUTSIDE) {
            Ok(()) => (self.output, error),
            Err(bound) => (Value::Null, format!("the output of the callback has {bound}").into()),
        };
        data.insert("topic".to_owned(), ids::callback_topic(&self.token).into());
        data.insert("status".to_owned(), "CALLED_BACK".into());
        data.insert("output".to_owned(), output);
        data.insert("error".to_owned(), error);
        data.insert("cause".to_owned(), json!(self.cause));
        data
    }
}

/// The output of a state machine, which is JSON; text that is not JSON, or not within its bounds, stays text.
pub fn parsed(text: &str) -> Value {
    json::parse(text.as_bytes(), &Bounds::OUTSIDE).unwrap_or_else(|_| text.into())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn fixture(text: &str) -> Event {
        let envelope: Value = serde_json::from_str(text).expect("a fixture is JSON");
        event(&envelope).expect("it can be read").expect("somebody may wait for it")
    }

    #[test]
    fn a_machine_that_succeeded_has_its_output() {
        let event = fixture(include_str!("../../../events/trigger-evaluator/step-functions-succeeded.json"));
        assert_eq!(event.kind, EventType::StateMachineEnded);
        let arn = "arn:aws:states:eu-central-1:123456789012:execution:Settle:exe_0a1b-settle-1";
        assert_eq!(event.waiter_topics(), BTreeSet::from([format!("state-machine/{arn}")]));
        assert_eq!((&event.data["status"], &event.data["output"]["receipt"]), (&json!("SUCCEEDED"), &json!("R-17")));
        assert_eq!(event.workflow_topics(), BTreeSet::new(), "it starts nothing");
    }

    #[test]
    fn a_machine_that_failed_has_its_error_and_cause() {
        let event = fixture(include_str!("../../../events/trigger-evaluator/step-functions-failed.json"));
        assert_eq!(event.data["status"], "FAILED");
        assert_eq!((&event.data["error"], &event.data["output"]), (&json!("Payment.Declined"), &Value::Null));
        assert_eq!(event.data["cause"], "the bank declined the payment");
    }

    #[test]
    fn a_callback_is_known_by_its_token_which_is_not_kept() {
        let text = include_str!("../../../events/trigger-evaluator/pawl-callback.json");
        let event = fixture(text);
        let envelope: Value = serde_json::from_str(text).expect("a fixture is JSON");
        let token = envelope["detail"]["token"].as_str().expect("it has a token");
        assert_eq!(event.waiter_topics(), BTreeSet::from([ids::callback_topic(token)]));
        assert_eq!(event.data["output"], json!({"approved": true}));
        assert!(!json!(event).to_string().contains(token));
    }

    #[test]
    fn a_signal_has_its_name_key_and_payload_and_an_id_of_the_event() {
        let event = fixture(include_str!("../../../events/trigger-evaluator/pawl-signal.json"));
        assert_eq!(event.kind, EventType::SignalSent);
        assert_eq!(event.waiter_topics(), BTreeSet::from(["signal/carrier-picked-up/R-1007".to_owned()]));
        assert_eq!(event.data["payload"], json!({"tracking": "1Z999", "weight_kg": 2.5}));
        assert!(event.id.starts_with("sig_"), "{}", event.id);
    }

    #[test]
    fn a_signal_without_a_name_or_key_that_may_be_is_refused() {
        let said = |detail: Value| {
            let envelope = json!({"id": "1", "source": "pawl.signal", "detail-type": "x", "time": "2026-01-01T00:00:00Z", "detail": detail});
            event(&envelope).map(drop)
        };
        assert_eq!(said(json!({"signal": "paid", "key": "7"})), Ok(()));
        for wrong in
            [json!({"signal": "a/b", "key": "7"}), json!({"signal": "paid", "key": " "}), json!({"signal": "paid"})]
        {
            assert!(said(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_machine_that_runs_and_what_others_say_is_no_news() {
        let text = include_str!("../../../events/trigger-evaluator/step-functions-succeeded.json");
        let mut running: Value = serde_json::from_str(text).expect("a fixture is JSON");
        running["detail"]["status"] = "RUNNING".into();
        assert_eq!(event(&running), Ok(None));
        running["detail"]["status"] = "SUCCEEDED".into();
        running["source"] = "aws.s3".into();
        assert_eq!(event(&running), Ok(None));
    }

    #[test]
    fn an_output_that_was_too_large_is_said_to_be_missing() {
        let text = include_str!("../../../events/trigger-evaluator/step-functions-succeeded.json");
        let mut large: Value = serde_json::from_str(text).expect("a fixture is JSON");
        large["detail"]["output"] = Value::Null;
        large["detail"]["outputDetails"] = json!({"included": false});
        let event = event(&large).expect("it can be read").expect("somebody may wait for it");
        assert_eq!(event.data["output_left_out"], true);
    }

    #[test]
    fn a_callback_may_say_an_error_in_any_shape() {
        let callback = |error: Value| {
            let detail = json!({"token": "t", "error": error});
            let envelope = json!({"id": "1", "source": "pawl.callback", "detail-type": "x", "time": "2026-01-01T00:00:00Z", "detail": detail});
            event(&envelope).expect("it can be read").expect("somebody may wait for it").data["error"].clone()
        };
        assert_eq!(callback(json!("declined")), "declined");
        assert_eq!(callback(json!({"code": 7})), r#"{"code":7}"#);
    }

    /// Whoever waits for it goes on with an error; the event is not lost.
    #[test]
    fn an_output_beyond_the_bounds_is_left_out_and_told() {
        let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
        let many = json!(vec![0; 250_001]);
        let ended = include_str!("../../../events/trigger-evaluator/step-functions-succeeded.json");
        for (output, why) in [(deep, "more than 64 levels of nesting"), (many, "more than 250000 values")] {
            let detail = json!({"token": "t", "output": output});
            let envelope = json!({"id": "1", "source": "pawl.callback", "detail-type": "x", "time": "2026-01-01T00:00:00Z", "detail": detail});
            let callback = event(&envelope).expect("it can be read").expect("somebody may wait for it");
            assert_eq!(callback.data["output"], Value::Null);
            assert_eq!(callback.data["error"], format!("the output of the callback has {why}"));
            // The output of a state machine comes as a text, and stays one.
            let mut machine: Value = serde_json::from_str(ended).expect("a fixture is JSON");
            machine["detail"]["output"] = output.to_string().into();
            let machine = event(&machine).expect("it can be read").expect("somebody may wait for it");
            assert_eq!(machine.data["output"], output.to_string());
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_without_quoting_it() {
        let envelope = json!({"id": "e-1", "source": "pawl.callback", "detail-type": "x", "time": "2026-01-01T00:00:00Z", "detail": {"token": ["s3cret"]}});
        let error = event(&envelope).expect_err("a token is a text");
        assert_eq!(error.to_string(), "the event e-1 of the bus cannot be read: not of the expected shape");
        assert!(event(&json!({"detail": 1})).is_err());
    }
}
