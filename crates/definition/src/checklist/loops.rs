//! Loops: a jump back must pass a wait or a decision.

use super::{ChecklistItem, ChecklistStatus, item};
use crate::{Step, StepKind, Workflow};

const CODE: &str = "loops_bounded";
const TITLE: &str = "Loops are bounded";

pub(super) fn check(workflow: &Workflow, steps: &[&Step]) -> Vec<ChecklistItem> {
    let place = |id: &str| steps.iter().position(|step| step.id == id);
    let mut loops = 0;
    let mut failures = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let StepKind::GoTo(jump) = &step.kind else { continue };
        let Some(target) = place(&jump.step).filter(|target| *target <= at) else { continue };
        loops += 1;
        let waits = |kind: &StepKind| match kind {
            StepKind::Delay(_) => true,
            StepKind::RunStateMachine(run) => run.wait,
            _ => false,
        };
        let ends = |step: &&Step| !step.skip && (step.kind.shape().decides() || waits(&step.kind));
        if !steps[target..at].iter().any(ends) {
            let most = workflow.limits.visits;
            let detail = format!(
                "it goes back to {:?} without a wait or a decision: only `limits.visits` ({most}) ends it",
                jump.step
            );
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
