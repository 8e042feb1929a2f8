//! `goal`.

use std::collections::BTreeSet;

use jiff::Timestamp;
use pawl_definition::step::{Goal, IfPast};
use pawl_definition::{Duration, TriggerKind};
use serde_json::json;

use super::{Listening, OnEvent, StepContext, StepDecision, StepHandler, StepResult, Waits, delay};
use crate::{Context, Event, Occurrence, StepCode, StepError, StepStatus, coerce, triggers};

impl StepHandler for Goal {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        if holds(self, at)? {
            return Ok(StepDecision::done(met("holds on entry")));
        }
        let mut until = timeout(at)?;
        let input = json!({"until": self.until.as_ref().map(pawl_definition::Expression::source), "timeout": until.map(|at| at.to_string())});
        if until.is_some_and(|until| until <= at.cx.now) {
            match self.if_past {
                IfPast::Met => return Ok(StepDecision::done(met("the time-out is in the past"))),
                IfPast::Unmet => return Ok(StepDecision::done(unmet("the time-out is in the past"))),
                IfPast::Wait => until = None,
            }
        }
        Ok(StepDecision::Wait(Box::new(Waits::signal(until, listens_on(self, at), input))))
    }

    fn due(&self, _at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        Ok(StepDecision::done(unmet("timed out")))
    }

    fn event(&self, at: &StepContext<'_>, event: &Event) -> Result<OnEvent, StepError> {
        // A slow writer stamps a change before the wait began and commits it after: the condition is looked at whatever
        // the event's time is.
        if holds(self, at)? {
            return Ok(OnEvent::Done(Box::new(met("the condition holds"))));
        }
        let since = at.execution.waiting.as_ref().map(|waiting| waiting.since);
        if since.is_some_and(|since| event.occurred_at < since) {
            return Ok(OnEvent::Nothing);
        }
        let of_other_record =
            matches!((&at.execution.record, &event.subject), (Some(own), Some(other)) if own != other);
        if of_other_record {
            return Ok(OnEvent::Nothing);
        }
        let matching: Vec<_> = self.on.iter().filter(|trigger| triggers::matches(trigger, at.cx.plan, event)).collect();
        if matching.is_empty() {
            return Ok(OnEvent::Nothing);
        }
        // In the filters of these triggers, `trigger` is the event that came, not the one that began the execution.
        let came = Occurrence::new(event.clone());
        let cx = Context { event: &came, ..*at.cx };
        for trigger in matching {
            if triggers::passes(trigger, &cx, at.execution)? {
                return Ok(OnEvent::Done(Box::new(met(&format!("event {} on {}", event.id, trigger.id)))));
            }
        }
        Ok(OnEvent::Nothing)
    }

    fn again(&self, at: &StepContext<'_>) -> Result<Option<StepResult>, StepError> {
        Ok(holds(self, at)?.then(|| met("the condition holds")))
    }

    fn listens(&self, at: &StepContext<'_>) -> Option<Listening> {
        Some(listens_on(self, at))
    }

    fn skipped_branch(&self, yes: bool) -> Option<&'static str> {
        Some(if yes { "met" } else { "unmet" })
    }
}

fn holds(step: &Goal, at: &StepContext<'_>) -> Result<bool, StepError> {
    let Some(until) = &step.until else { return Ok(false) };
    until.test(&at.scope()).map_err(|error| StepError::from(error).at("until"))
}

fn met(note: &str) -> StepResult {
    StepResult {
        output: json!("met"),
        branch: Some("met".to_owned()),
        note: Some(note.to_owned()),
        ..StepResult::default()
    }
}

/// Its own record, the related ones it reads, and the topics of its triggers.
fn listens_on(step: &Goal, at: &StepContext<'_>) -> Listening {
    let workflow = &at.cx.plan.workflow;
    let records: Vec<_> = at.cx.record.into_iter().chain(at.cx.related.values().flatten()).collect();
    let checks: Vec<_> = records.iter().map(|record| (record.subject(), record.version)).collect();
    let mut topics: BTreeSet<_> = checks.iter().map(|(subject, _)| subject.topic()).collect();
    let hooks = step.on.iter().filter(|trigger| matches!(trigger.kind, TriggerKind::Webhook(_)));
    topics.extend(hooks.map(|trigger| format!("hook/{}/{}", workflow.id, trigger.id)));
    Listening { topics, checks }
}

fn unmet(note: &str) -> StepResult {
    let status = StepStatus::TimedOut;
    StepResult {
        status,
        output: json!("unmet"),
        branch: Some("unmet".to_owned()),
        note: Some(note.to_owned()),
        ..StepResult::default()
    }
}

/// `never`, a duration, or a date and time; absent means never.
pub(super) fn timeout(at: &StepContext<'_>) -> Result<Option<Timestamp>, StepError> {
    let Some(template) = &at.step.timeout else { return Ok(None) };
    let value = template.resolve(&at.scope()).map_err(|error| StepError::from(error).at("timeout"))?;
    if value == "never" {
        return Ok(None);
    }
    if let Ok(duration) = Duration::from_value(&value) {
        return Ok(Some(
            duration.after(at.cx.now, &at.cx.plan.timezone).map_err(|error| StepError::from(error).at("timeout"))?,
        ));
    }
    let expected = || {
        StepError::new(
            StepCode::WrongType,
            format!("`timeout`: expected never, a duration or a date and time, found {}", coerce::short(&value)),
        )
    };
    delay::point(&value, at.cx.plan).map(Some).map_err(|_| expected())
}
