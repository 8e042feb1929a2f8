//! `publish_event`: a claimed call. The event's id follows from the visit.

use pawl_definition::step::{EVENT_NAME_MOST, PublishEvent, is_event_name, is_event_source};
use serde_json::{Map, Value};

use super::{StepContext, StepDecision, StepHandler};
use crate::{Activity, CLOUD_CALL_S, CLOUD_VALUE_MOST, CloudCall, CloudRequest, StepCode, StepError, coerce, ids};

impl StepHandler for PublishEvent {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        let scope = at.scope();
        let name = |key: &str, template: &pawl_definition::Template, fits: fn(&str) -> bool| {
            let name = template.resolve_text(&scope).map_err(|error| StepError::from(error).at(key))?;
            if fits(&name) {
                return Ok(name);
            }
            let but = if key == "source" { " that does not begin with `aws.` or `pawl.`" } else { "" };
            let message = format!("expected a text of 1 to {EVENT_NAME_MOST} bytes{but}, found {name:?}");
            Err(StepError::new(StepCode::WrongType, message).at(key))
        };
        let source = name("source", &self.source, is_event_source)?;
        let detail_type = name("detail_type", &self.detail_type, is_event_name)?;
        let detail = self.detail.as_ref().map(|detail| detail.resolve(&scope)).transpose();
        let detail = match detail.map_err(|error| StepError::from(error).at("detail"))? {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(detail)) => detail,
            Some(other) => {
                let message = format!("expected a mapping, found {}", coerce::short(&other));
                return Err(StepError::new(StepCode::WrongType, message).at("detail"));
            }
        };
        let size = source.len() + detail_type.len() + Value::Object(detail.clone()).to_string().len();
        if size > CLOUD_VALUE_MOST {
            let message = format!("expected an event of at most {CLOUD_VALUE_MOST} bytes, found {size}");
            return Err(StepError::new(StepCode::CloudInvalid, message).at("detail"));
        }
        Ok(StepDecision::perform(Activity::CallCloud(CloudCall {
            id: ids::step_message_id(&at.execution.id, &at.step.id, at.state.visit),
            began_at: at.state.started_at,
            request: CloudRequest::PublishEvent { source, detail_type, detail },
            timeout: at.timeout(CLOUD_CALL_S),
        })))
    }
}
