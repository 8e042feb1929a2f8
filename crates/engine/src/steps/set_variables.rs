//! `set_variables`: evaluates expressions and assigns the results to variables.

use pawl_definition::step::SetVariables;
use serde_json::{Map, Value};

use super::{StepContext, StepDecision, StepHandler, StepResult};
use crate::{StepError, variables};

impl StepHandler for SetVariables {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        let scope = at.scope();
        let mut set = Map::new();
        for (name, template) in &self.values {
            let value = template.resolve(&scope).map_err(|error| StepError::from(error).at(name))?;
            let value = variables::typed(at.cx.plan, name, value)?;
            set.insert(name.clone(), value);
        }
        let output = Value::Object(set.clone());
        Ok(StepDecision::done(StepResult { output, variables: set, ..StepResult::default() }))
    }
}
