//! `send_message`: a claimed call. The message's id follows from the visit, so that a FIFO queue or topic takes a repeat once.

use pawl_definition::step::{SendMessage, is_message_group, is_queue, is_topic};
use pawl_definition::{Template, value};
use serde_json::Value;

use super::{StepContext, StepDecision, StepHandler};
use crate::context::StepScope;
use crate::{
    Activity, CLOUD_CALL_S, CLOUD_VALUE_MOST, CloudCall, CloudRequest, MessageTarget, StepCode, StepError, ids,
};

impl StepHandler for SendMessage {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        let scope = at.scope();
        let to = target(self, &scope)?;
        let body = match resolved(&self.body, "body", &scope)? {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        };
        if body.is_empty() || body.len() > CLOUD_VALUE_MOST {
            let message = format!("expected a message of 1 to {CLOUD_VALUE_MOST} bytes, found {}", body.len());
            return Err(StepError::new(StepCode::CloudInvalid, message).at("body"));
        }
        let group = self.group.as_ref().map(|group| group_of(group, &scope)).transpose()?;
        if to.is_fifo() && group.is_none() {
            let message = "a FIFO queue or topic keeps the order within a group: expected one, found none";
            return Err(StepError::new(StepCode::CloudInvalid, message).at("group"));
        }
        let delay_s = self.delay.as_ref().map(pawl_definition::Duration::as_seconds);
        Ok(StepDecision::perform(Activity::CallCloud(CloudCall {
            id: ids::step_message_id(&at.execution.id, &at.step.id, at.state.visit),
            began_at: at.state.started_at,
            request: CloudRequest::SendMessage { to, body, group, delay_s },
            timeout: at.timeout(CLOUD_CALL_S),
        })))
    }
}

fn resolved(template: &Template, key: &str, scope: &StepScope<'_>) -> Result<Value, StepError> {
    template.resolve(scope).map_err(|error| StepError::from(error).at(key))
}

fn target(step: &SendMessage, scope: &StepScope<'_>) -> Result<MessageTarget, StepError> {
    let named = |template: &Template, key: &str, fits: fn(&str) -> bool, what: &str| {
        let name = template.resolve_text(scope).map_err(|error| StepError::from(error).at(key))?;
        if fits(&name) {
            return Ok(name);
        }
        Err(StepError::new(StepCode::CloudInvalid, format!("expected {what}, found {name:?}")).at(key))
    };
    match (&step.queue, &step.topic) {
        (Some(queue), _) => named(queue, "queue", is_queue, "the ARN or URL of a queue").map(MessageTarget::Queue),
        (None, Some(topic)) => named(topic, "topic", is_topic, "the ARN of a topic").map(MessageTarget::Topic),
        (None, None) => Err(StepError::new(StepCode::CloudInvalid, "expected a queue or a topic, found neither")),
    }
}

fn group_of(group: &Template, scope: &StepScope<'_>) -> Result<String, StepError> {
    let found = resolved(group, "group", scope)?;
    let text = value::text_of(&found);
    if is_message_group(&text) {
        return Ok(text);
    }
    let message = "expected a group of 1 to 128 visible characters of ASCII, found another text";
    Err(StepError::new(StepCode::CloudInvalid, message).at("group"))
}
