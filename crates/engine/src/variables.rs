//! Variables at start: section 4 of the language.

use std::rc::Rc;

use pawl_definition::{ExpressionError, Meter, Variable};
use serde_json::Value;

use crate::context::StepScope;
use crate::{Context, Execution, Plan, StepCode, StepError, coerce};

/// Evaluates the variables top to bottom into the execution; each sees those above it.
pub(crate) fn evaluate(cx: &Context<'_>, execution: &mut Execution) -> Result<(), StepError> {
    let meter = Rc::new(Meter::default());
    for variable in &cx.plan.workflow.variables {
        let scope = StepScope { cx, execution, secrets: false, meter: meter.clone(), answer: None };
        let value = first_value(variable, &scope).map_err(|error| error.at(&format!("variables.{}", variable.name)))?;
        if variable.required && coerce::is_blank(&value) {
            let message = format!("variable {:?} is required and every source is blank", variable.name);
            return Err(StepError::new(StepCode::RequiredVariable, message));
        }
        execution.variables.insert(variable.name.clone(), value);
    }
    // What the start gave beyond the declared variables, such as the values of a webhook, is kept as it came.
    for (name, value) in execution.overrides.clone() {
        execution.variables.entry(name).or_insert(value);
    }
    Ok(())
}

/// The value that a step gives a variable: a declared one keeps its type.
pub(crate) fn typed(plan: &Plan, name: &str, value: Value) -> Result<Value, StepError> {
    let declared = plan.workflow.variables.iter().find(|variable| variable.name == name);
    let Some(Variable { kind, many, .. }) = declared else { return Ok(value) };
    coerce::variable(value, *kind, *many, &plan.timezone).map_err(|error| error.at(name))
}

/// The override of the start, else the first source that is not blank, else the default, else null, or of a list the
/// empty list.
fn first_value(variable: &Variable, scope: &StepScope<'_>) -> Result<Value, StepError> {
    let StepScope { cx, execution, .. } = scope;
    let typed = |value: Value| coerce::variable(value, variable.kind, variable.many, &cx.plan.timezone);
    if let Some(given) = execution.overrides.get(&variable.name).filter(|given| !coerce::is_blank(given)) {
        return typed(given.clone());
    }
    for source in &variable.from {
        match source.evaluate(scope) {
            Ok(value) if coerce::is_blank(&value) => {}
            Ok(value) => return typed(value),
            // What the event does not have is as good as blank, as it is to `coalesce`.
            Err(ExpressionError::Missing { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    match &variable.default {
        Some(default) => typed(default.resolve(scope)?),
        None => typed(Value::Null),
    }
}
