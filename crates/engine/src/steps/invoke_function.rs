//! `invoke_function`: a claimed call.

use pawl_definition::step::{InvokeFunction, is_function};
use serde_json::json;

use super::{StepContext, StepDecision, StepHandler};
use crate::{Activity, CLOUD_CALL_S, CLOUD_VALUE_MOST, CloudCall, CloudRequest, StepCode, StepError, ids};

/// Most bytes of the input of a function whose answer is waited for.
const INPUT_MOST: usize = 6 * 1024 * 1024;

impl StepHandler for InvokeFunction {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        let scope = at.scope();
        let function = self.function.resolve_text(&scope).map_err(|error| StepError::from(error).at("function"))?;
        if !is_function(&function) {
            let message = format!("expected the name or the ARN of a function, found {function:?}");
            return Err(StepError::new(StepCode::CloudInvalid, message).at("function"));
        }
        let input = self.input.as_ref().map(|input| input.resolve(&scope)).transpose();
        let input = input.map_err(|error| StepError::from(error).at("input"))?.filter(|input| !input.is_null());
        let input = input.unwrap_or_else(|| json!({}));
        let (size, most) = (input.to_string().len(), if self.wait { INPUT_MOST } else { CLOUD_VALUE_MOST });
        if size > most {
            let message = format!("expected an input of at most {most} bytes, found {size}");
            return Err(StepError::new(StepCode::CloudInvalid, message).at("input"));
        }
        Ok(StepDecision::perform(Activity::CallCloud(CloudCall {
            id: ids::step_message_id(&at.execution.id, &at.step.id, at.state.visit),
            began_at: at.state.started_at,
            request: CloudRequest::InvokeFunction { function, input, wait: self.wait },
            timeout: at.timeout(CLOUD_CALL_S),
        })))
    }
}
