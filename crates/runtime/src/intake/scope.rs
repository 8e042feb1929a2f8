//! What the expressions of a trigger see: the delivery, and the workflow.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pawl_definition::{Calendar, Definitions, ExpressionError, Group, Meter, Scope};
use pawl_engine::{Plan, context};
use serde_json::{Value, json};

/// What the expressions of a trigger see.
pub(super) struct IntakeScope<'a> {
    pub(super) plan: &'a Plan,
    /// `trigger`: the event so far.
    pub(super) trigger: &'a Value,
    /// Definitions of the installation, where the workflow asks for them.
    pub(super) definitions: &'a Definitions,
    pub(super) now: Timestamp,
    /// Bounds all evaluations of one event.
    pub(super) meter: Meter,
}

impl Scope for IntakeScope<'_> {
    fn root(&self, name: &str) -> Option<Value> {
        let workflow = &self.plan.workflow;
        match name {
            "trigger" => Some(self.trigger.clone()),
            "workflow" => Some(json!({
                "id": workflow.id,
                "name": workflow.display_name(),
                "owner": workflow.owner,
                "revision": self.plan.revision,
            })),
            _ => None,
        }
    }

    fn root_ref(&self, name: &str) -> Option<&Value> {
        (name == "trigger").then_some(self.trigger)
    }

    fn meter(&self) -> Option<&Meter> {
        Some(&self.meter)
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn timezone(&self) -> &TimeZone {
        &self.plan.timezone
    }

    fn calendar(&self) -> Result<&Calendar, ExpressionError> {
        context::calendar_of(self.plan, self.definitions)
    }

    fn group(&self, id: &str) -> Option<&Group> {
        self.definitions.groups.get(id)
    }
}
