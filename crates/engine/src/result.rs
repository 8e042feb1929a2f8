//! The result of an execution, what the workflow's `output` says when it completes, and whether it reached the `outcome`.

use std::rc::Rc;

use pawl_definition::{Meter, Outcome};
use serde_json::{Map, Value};

use crate::context::StepScope;
use crate::draft::Draft;
use crate::{Context, Decision, Execution, OutcomeStatus, RowKind, Status, StepError};

/// Ends an execution that has come to the end of its workflow. A result that cannot be computed fails it. An outcome that
/// cannot be computed is unknown: nobody waits for it, and what the execution did stands.
pub(crate) fn of(cx: &Context<'_>, execution: &Execution) -> Decision {
    let mut draft = Draft::new(cx, execution, RowKind::Step);
    match computed(cx, execution) {
        Ok(output) => {
            draft.row.output = output.clone();
            draft.execution.output = output;
            if let Some(outcome) = &cx.plan.workflow.outcome {
                let (status, note) = reached(cx, execution, outcome);
                draft.execution.outcome = Some(status);
                draft.row.note = Some(note);
            }
            draft.end(Status::Completed, None).commit()
        }
        Err(error) => draft.end_failed(error).commit(),
    }
}

fn scope<'a>(cx: &'a Context<'a>, execution: &'a Execution) -> StepScope<'a> {
    StepScope { cx, execution, secrets: false, meter: Rc::new(Meter::default()), answer: None }
}

fn computed(cx: &Context<'_>, execution: &Execution) -> Result<Value, StepError> {
    let output = &cx.plan.workflow.output;
    if output.is_empty() {
        return Ok(Value::Null);
    }
    let scope = scope(cx, execution);
    let mut values = Map::new();
    for (name, expression) in output {
        let value = expression.evaluate(&scope);
        values.insert(name.clone(), value.map_err(|error| StepError::from(error).at(&format!("output.{name}")))?);
    }
    Ok(Value::Object(values))
}

/// Whether the outcome is reached, and in words.
fn reached(cx: &Context<'_>, execution: &Execution, outcome: &Outcome) -> (OutcomeStatus, String) {
    let name = &outcome.name;
    match outcome.reached.test(&scope(cx, execution)) {
        Ok(true) => (OutcomeStatus::Reached, format!("outcome {name:?}: reached")),
        Ok(false) => (OutcomeStatus::NotReached, format!("outcome {name:?}: not reached")),
        Err(error) => {
            let error = StepError::from(error).at("outcome.reached");
            (OutcomeStatus::Unknown, format!("outcome {name:?}: unknown: {} ({})", error.message, error.code))
        }
    }
}
