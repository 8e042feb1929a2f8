//! `switch`: takes the first branch whose condition holds.

use pawl_definition::step::Switch;
use pawl_definition::value;
use serde_json::json;

use super::{StepContext, StepDecision, StepHandler, StepResult};
use crate::StepError;

impl StepHandler for Switch {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        let value = self.on.evaluate(&at.scope()).map_err(|error| StepError::from(error).at("on"))?;
        let branch = value::named(self.cases.keys(), &value).unwrap_or("default").to_owned();
        Ok(StepDecision::done(StepResult {
            input: json!({"on": value}),
            output: value,
            branch: Some(branch),
            ..StepResult::default()
        }))
    }
}
