//! `set_variables`.

use pawl_definition::step::SetVariables;
use serde_json::{Map, Value};

use super::{Decide, Done, Next, StepContext};
use crate::{StepError, coerce};

impl Decide for SetVariables {
    fn enter(&self, at: &StepContext<'_>) -> Result<Next, StepError> {
        let scope = at.scope();
        let mut variables = Map::new();
        for (name, template) in &self.values {
            let value = template.resolve(&scope).map_err(|error| StepError::from(error).at(name))?;
            let declared = at.cx.plan.workflow.variables.iter().find(|variable| &variable.name == name);
            let value = match declared {
                Some(declared) => {
                    coerce::variable(value, declared.kind, declared.many).map_err(|error| error.at(name))?
                }
                None => value,
            };
            variables.insert(name.clone(), value);
        }
        let output = Value::Object(variables.clone());
        Next::done(Done { output, variables, ..Done::default() })
    }
}
