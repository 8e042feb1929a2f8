//! The result of an execution: what the workflow's `output` says when it completes.

use std::rc::Rc;

use pawl_definition::Meter;
use serde_json::{Map, Value};

use crate::context::StepScope;
use crate::draft::Draft;
use crate::{Context, Decision, Execution, RowKind, Status, StepError};

/// Ends an execution that has come to the end of its workflow. A result that cannot be computed fails it.
pub(crate) fn of(cx: &Context<'_>, execution: &Execution) -> Decision {
    let mut draft = Draft::new(cx, execution, RowKind::Step);
    match computed(cx, execution) {
        Ok(output) => {
            draft.row.output = output.clone();
            draft.execution.output = output;
            draft.end(Status::Completed, None).commit()
        }
        Err(error) => draft.end_failed(error).commit(),
    }
}

fn computed(cx: &Context<'_>, execution: &Execution) -> Result<Value, StepError> {
    let output = &cx.plan.workflow.output;
    if output.is_empty() {
        return Ok(Value::Null);
    }
    let scope = StepScope { cx, execution, secrets: false, meter: Rc::new(Meter::default()) };
    let mut values = Map::new();
    for (name, expression) in output {
        let value = expression.evaluate(&scope);
        values.insert(name.clone(), value.map_err(|error| StepError::from(error).at(&format!("output.{name}")))?);
    }
    Ok(Value::Object(values))
}
