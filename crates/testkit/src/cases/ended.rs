//! The end of an execution of another workflow, as an event of a case.

use pawl_engine::{Event, Plan, Status, StepError, Subject};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::children::ChildEnd;
use crate::cases::describe::JsonSchema;
use crate::scenario::{World, manual, start};

/// The end of an execution of another workflow.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ended {
    /// The workflow.
    pub(super) workflow: String,
    /// How it ended; absent: completed.
    #[serde(default)]
    pub(super) status: ChildEnd,
    /// The record that it ran on, `<object>/<id>`, or `<object>` if it has one only.
    #[serde(default)]
    pub(super) record: Option<String>,
    /// Its result, by name.
    #[serde(default)]
    pub(super) output: Map<String, Value>,
    /// Why it ended.
    #[serde(default)]
    pub(super) reason: Option<String>,
    /// What it failed with.
    #[serde(default)]
    pub(super) error: Option<EndError>,
}

/// What an execution failed with.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EndError {
    /// Its code.
    pub(super) code: String,
    /// In words.
    #[serde(default)]
    pub(super) message: String,
}

impl Ended {
    /// The event of an execution that has just ended so.
    ///
    /// # Errors
    /// There is no such code.
    pub(super) fn event(&self, world: &World, record: Option<Subject>) -> Result<Event, String> {
        let Self { workflow, status, output, reason, error, record: _ } = self;
        let object = record.as_ref().map(|record| &record.object);
        let source = json!({"workflow": workflow, "owner": "cases@example.com", "object": object, "steps": []});
        let read = serde_json::from_value(source).map_err(|error| error.to_string())?;
        let plan = Plan::new(std::sync::Arc::new(read), 1);
        let began = Event { subject: record, ..start(world, manual(workflow)) };
        let (mut execution, _) = pawl_engine::create(&plan, &began, world.now(), None);
        execution.status = match status {
            ChildEnd::Completed => Status::Completed,
            ChildEnd::Canceled => Status::Canceled,
            ChildEnd::Failed => Status::Failed,
        };
        (execution.started_at, execution.ended_at) = (Some(world.now()), Some(world.now()));
        execution.reason.clone_from(reason);
        if !output.is_empty() {
            execution.output = Value::Object(output.clone());
        }
        if let Some(EndError { code, message }) = error {
            let read: Option<StepError> = serde_json::from_value(json!({"code": code, "message": message})).ok();
            let known = read.filter(|error| error.code.as_str() == code);
            execution.error = Some(known.ok_or_else(|| format!("expected a code of a failure, found {code:?}"))?);
        }
        Ok(pawl_engine::ended(&execution).expect("it has ended, and is no part of another"))
    }
}
