//! Forks: each begins with what its original had come to before the step, makes nothing of it again, and writes nothing to it.

use std::collections::BTreeMap;

use pawl_engine::{Execution, Row, RowKind, StepStatus};

use super::{Broken, Monitor};

/// What a commit of a fork breaks.
pub(super) fn check(monitor: &Monitor, after: &Execution, rows: &[Row], broken: &mut Vec<Broken>) {
    let Some(fork) = &after.fork else { return };
    let Some(at) = &fork.at else { return };
    if !monitor.heads.contains_key(&after.id) {
        begins(monitor, after, broken);
    }
    // The first step that a fork carries out is the one that it was forked at.
    let known = monitor.rows.get(&after.id).map_or(&[][..], Vec::as_slice);
    let first = known.iter().chain(rows).find(|row| matches!(row.kind, RowKind::Step | RowKind::Moved));
    if let Some(first) = first.filter(|first| first.step.as_ref() != Some(at)) {
        broken.push((4, format!("was forked at {at}, and begins with {:?}", first.step)));
    }
}

/// It has the results of the steps that its original had carried out by then, as the rows of the original tell, and no others.
fn begins(monitor: &Monitor, after: &Execution, broken: &mut Vec<Broken>) {
    let visits = visits(monitor, after);
    for (step, state) in &after.steps {
        if !visits.contains_key(&(step.clone(), state.visit)) {
            let visit = state.visit;
            broken.push((4, format!("has the result of visit {visit} of {step}, of which its original has no row")));
        }
    }
    // What ended with an item of a loop is counted, and has no result any more.
    let counted = |step: &String| after.visits.get(step).copied().or(after.steps.get(step).map(|state| state.visit));
    for ((step, visit), _) in visits.iter().filter(|(_, status)| status.has_ended()) {
        if counted(step) < Some(*visit) {
            broken.push((4, format!("has lost visit {visit} of {step}, which its original had carried out")));
        }
    }
}

/// The visits of steps, and what became of them before the original stood before the step, by its rows and those of whose fork
/// it is.
fn visits(monitor: &Monitor, fork: &Execution) -> BTreeMap<(String, u32), StepStatus> {
    let mut visits = BTreeMap::new();
    let mut link = fork.fork.clone();
    while let Some(of) = link {
        let Some(rows) = monitor.rows.get(&of.execution) else { break };
        let by_then = rows.iter().filter(|row| row.seq <= of.seq);
        visits.extend(by_then.filter_map(|row| Some(((row.step.clone()?, row.visit?), row.status?))));
        let original = monitor.heads.get(&of.execution);
        link = original.and_then(|head| head.fork.clone()).filter(|link| link.at.is_some());
    }
    visits
}
