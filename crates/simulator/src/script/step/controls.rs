//! Generated steps that pause, resume and cancel others.

use serde_json::{Value, json};

use super::Maker;
use crate::script::workflow;

impl Maker<'_> {
    /// A control of others. In a confluent world it means nobody: whom it finds depends on what overtakes what.
    pub(super) fn control_workflow(&mut self) -> Value {
        let chance = self.plan.chance;
        let most = 1 + chance.below(self.plan.workflows);
        let mut workflows: Vec<_> = (0..self.plan.workflows).map(workflow::name).collect();
        while workflows.len() > most {
            workflows.remove(chance.below(workflows.len()));
        }
        let mut step = json!({
            "type": "control_workflow", "workflows": workflows, "do": chance.pick(&["pause", "resume", "resume", "cancel"]),
            "on_failure": self.policy(false),
        });
        if self.plan.confluent {
            step["on"] = json!("{{ ['nobody'] }}");
            return step;
        }
        match chance.below(5) {
            0 | 1 => step["on"] = json!("none"),
            2 => step["on"] = json!("{{ ['ticket-0', 'ticket-1', 'nobody'] }}"),
            _ => {}
        }
        if chance.percent(50) {
            step["reason"] = json!("n is {{ vars.n }}");
        }
        step
    }
}
