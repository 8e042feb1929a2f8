//! `switch`.

use pawl_definition::step::Switch;
use serde_json::{Value, json};

use super::{Decide, Done, Next, StepContext};
use crate::StepError;

impl Decide for Switch {
    fn enter(&self, at: &StepContext<'_>) -> Result<Next, StepError> {
        let value = self.on.evaluate(&at.scope()).map_err(|error| StepError::from(error).at("on"))?;
        let case = match &value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let branch = if self.cases.contains_key(&case) { case } else { "default".to_owned() };
        Next::done(Done { input: json!({"on": value}), output: value, branch: Some(branch), ..Done::default() })
    }
}
