//! `switch`.

use pawl_definition::step::Switch;
use serde_json::{Value, json};

use super::{Decide, Done, Next, StepContext};
use crate::StepError;

impl Decide for Switch {
    fn enter(&self, at: &StepContext<'_>) -> Result<Next, StepError> {
        let value = self.on.evaluate(&at.scope()).map_err(|error| StepError::from(error).at("on"))?;
        let case = case_of(&value);
        let branch = if self.cases.contains_key(&case) { case } else { "default".to_owned() };
        Ok(Next::done(Done { input: json!({"on": value}), output: value, branch: Some(branch), ..Done::default() }))
    }
}

/// The case that a value asks for, as an author writes it: a whole number without its decimals.
fn case_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => {
            let text = number.to_string();
            text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
        }
        other => other.to_string(),
    }
}
