//! `wait_for_signal`.
//!
//! A signal is an input like the event that a goal waits for. The runtime offers it to those who wait in the order of their
//! waits, and the transition that receives or refuses it takes it away, so that no other one gets it. Signals that are kept
//! are offered once the wait has begun: its first due time is at once, and the runtime looks before the step is decided.

use std::collections::BTreeSet;

use jiff::Timestamp;
use pawl_definition::step::{SIGNAL_KEY_MOST, WaitForSignal, is_signal_key};
use pawl_definition::value::text_of;
use pawl_definition::{JsonSchema, SchemaBudget, Template};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Listening, OnEvent, Refusal, StepContext, StepDecision, StepHandler, StepResult, Waits, goal};
use crate::{Effect, Event, SentSignal, StepCode, StepError, StepState, StepStatus, TakenSignal, coerce, signal};

/// Parts of a payload that do not fit, of which a refusal tells.
const TOLD_MOST: usize = 3;

/// What the step keeps of a visit. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Checkpoint {
    /// The key.
    key: String,
    /// When the wait ends although no signal came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

impl StepHandler for WaitForSignal {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        let checkpoint = match Checkpoint::of(at.state) {
            Some(checkpoint) => checkpoint,
            None => Checkpoint { key: key(&self.key, at)?, until: goal::timeout(at)? },
        };
        // A signal may be kept already: the wait is due at once, which lets the runtime look.
        Ok(StepDecision::Wait(Box::new(waits(self, at, &checkpoint, Some(at.cx.now)))))
    }

    fn due(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        let Some(checkpoint) = Checkpoint::of(at.state) else { return self.enter(at) };
        if checkpoint.until.is_some_and(|until| until <= at.cx.now) {
            return Ok(StepDecision::done(StepResult {
                status: StepStatus::TimedOut,
                branch: Some("timed_out".to_owned()),
                note: Some("timed out".to_owned()),
                ..StepResult::default()
            }));
        }
        // Since an edit it waits for another signal, which may be kept already.
        let is_edited = at
            .execution
            .waiting
            .as_ref()
            .is_some_and(|waiting| !waiting.topics.contains(&listens_on(self, at, &checkpoint)));
        let look = if is_edited { Some(at.cx.now) } else { checkpoint.until };
        Ok(StepDecision::Wait(Box::new(waits(self, at, &checkpoint, look))))
    }

    fn event(&self, at: &StepContext<'_>, event: &Event) -> Result<OnEvent, StepError> {
        let (Some(checkpoint), Some(sent)) = (Checkpoint::of(at.state), SentSignal::of(event)) else {
            return Ok(OnEvent::Nothing);
        };
        let listens_on = listens_on(self, at, &checkpoint);
        let place = listens_on.split_once('|').map(|(place, _)| place).unwrap_or_default();
        if sent.topic() != signal::topic(&self.signal, &checkpoint.key) || !signal::counts_for(place, sent.sent_at) {
            return Ok(OnEvent::Nothing);
        }
        let payload = event.data.get("payload").cloned().unwrap_or_default();
        let taken = |refused: Option<String>| {
            let (signal, step) = (sent.clone(), at.step.id.clone());
            vec![Effect::TakeSignal(Box::new(TakenSignal { signal, step, refused }))]
        };
        if let Some(why) = mismatch(self, &payload)? {
            let note = format!("signal {} is refused: {why}", sent.id);
            return Ok(OnEvent::Refused(Box::new(Refusal { note, effects: taken(Some(why)) })));
        }
        Ok(OnEvent::Done(Box::new(StepResult {
            input: input(self, &checkpoint),
            output: payload,
            branch: Some("received".to_owned()),
            note: Some(format!("signal {}, sent at {}", sent.id, sent.sent_at)),
            effects: taken(None),
            ..StepResult::default()
        })))
    }

    fn listens(&self, at: &StepContext<'_>) -> Option<Listening> {
        Some(listening(self, at, &Checkpoint::of(at.state)?))
    }

    fn looks_when_freed(&self) -> bool {
        true
    }

    fn skipped_branch(&self, yes: bool) -> Option<&'static str> {
        Some(if yes { "received" } else { "timed_out" })
    }
}

/// Waits for the signal, or until it is looked again.
fn waits(step: &WaitForSignal, at: &StepContext<'_>, checkpoint: &Checkpoint, look: Option<Timestamp>) -> Waits {
    let waits = Waits::signal(look, listening(step, at, checkpoint), input(step, checkpoint));
    let note = Some(format!("waits for the signal {} of {}", step.signal, checkpoint.key));
    Waits { due: checkpoint.until, note, checkpoint: json!(checkpoint), ..waits }
}

fn listening(step: &WaitForSignal, at: &StepContext<'_>, checkpoint: &Checkpoint) -> Listening {
    Listening { topics: BTreeSet::from([listens_on(step, at, checkpoint)]), checks: Vec::new() }
}

fn listens_on(step: &WaitForSignal, at: &StepContext<'_>, checkpoint: &Checkpoint) -> String {
    let from = (!step.earlier).then_some(at.execution.created_at);
    signal::listens_on(&signal::topic(&step.signal, &checkpoint.key), at.state.started_at, from)
}

fn input(step: &WaitForSignal, checkpoint: &Checkpoint) -> Value {
    let Checkpoint { key, until } = checkpoint;
    json!({"signal": step.signal, "key": key, "timeout": until.map(|at| at.to_string())})
}

/// Why a payload does not fit the schema.
fn mismatch(step: &WaitForSignal, payload: &Value) -> Result<Option<String>, StepError> {
    let Some(schema) = &step.schema else { return Ok(None) };
    let schema = JsonSchema::new(schema).map_err(|mistake| {
        StepError::new(StepCode::WrongType, format!("`schema`: expected a JSON Schema: {mistake}"))
    })?;
    let Ok(mismatches) = schema.mismatches(payload, &mut SchemaBudget::default()) else {
        return Ok(Some("to hold the payload against the schema takes too much work".to_owned()));
    };
    let told: Vec<_> = mismatches.iter().take(TOLD_MOST).map(ToString::to_string).collect();
    Ok((!told.is_empty()).then(|| format!("the payload does not fit the schema: {}", told.join("; "))))
}

impl Checkpoint {
    fn of(state: &StepState) -> Option<Self> {
        if state.checkpoint.is_null() { None } else { Self::deserialize(&state.checkpoint).ok() }
    }
}

/// The key of a signal as text.
pub(super) fn key(template: &Template, at: &StepContext<'_>) -> Result<String, StepError> {
    let value = template.resolve(&at.scope()).map_err(|error| StepError::from(error).at("key"))?;
    let text = text_of(&value);
    if (value.is_string() || value.is_number()) && is_signal_key(&text) {
        return Ok(text);
    }
    let found = coerce::short(&value);
    let message = format!("`key`: expected a text or a number of at most {SIGNAL_KEY_MOST} bytes, found {found}");
    Err(StepError::new(StepCode::WrongType, message))
}
