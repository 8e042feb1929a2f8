//! Loops: a jump back must pass a wait or a decision.

use super::{ChecklistItem, ChecklistStatus, item};
use crate::step::Onward;
use crate::{Step, Workflow};

const CODE: &str = "loops_bounded";
const TITLE: &str = "Loops are bounded";

pub(super) fn check(workflow: &Workflow, steps: &[&Step]) -> Vec<ChecklistItem> {
    let place = |id: &str| steps.iter().position(|step| step.id == id);
    let mut loops = 0;
    let mut failures = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let Onward::Jump(id) = step.kind.shape().onward() else { continue };
        let Some(target) = place(id).filter(|target| *target <= at) else { continue };
        loops += 1;
        let ends = |step: &&Step| !step.skip && (step.kind.shape().decides() || step.kind.shape().waits().is_some());
        if !steps[target..at].iter().any(ends) {
            let most = workflow.limits.visits;
            let detail =
                format!("it goes back to {id:?} without a wait or a decision: only `limits.visits` ({most}) ends it");
            failures.push(ChecklistItem {
                step: Some(step.id.clone()),
                ..item(CODE, TITLE, ChecklistStatus::Fail, detail)
            });
        }
    }
    match (loops, failures.is_empty()) {
        (0, _) => vec![item(CODE, TITLE, ChecklistStatus::NotApplicable, "there are none")],
        (_, true) => vec![item(CODE, TITLE, ChecklistStatus::Pass, "each waits or decides, and `limits.visits` holds")],
        _ => failures,
    }
}
