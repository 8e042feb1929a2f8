//! What workflows and goals that listen for events from outside have in common, and how such events are told.

use serde_json::Value;

use super::{Action, Script, What};
use crate::chance::Chance;

/// Gives some workflows a trigger, also in most of their edits, and some of them a goal among the steps.
pub(super) fn listen(
    chance: &Chance,
    script: &mut Script,
    listens: impl Fn(&Value) -> bool,
    trigger: impl Fn(&Value) -> Value,
    goal: impl Fn() -> Value,
) {
    for workflow in script.workflows.iter_mut().filter(|workflow| listens(workflow)) {
        let trigger = trigger(workflow);
        put(workflow, &trigger);
        for action in &mut script.actions {
            if let What::Save(edited) = &mut action.what
                && edited["workflow"] == workflow["workflow"]
                && chance.percent(75)
            {
                put(edited, &trigger);
            }
        }
        if chance.percent(30)
            && let Some(steps) = workflow["steps"].as_array_mut()
        {
            let goal = goal();
            let at = chance.below(steps.len() + 1);
            steps.insert(at, goal);
        }
    }
}

fn put(workflow: &mut Value, trigger: &Value) {
    if let Some(triggers) = workflow["triggers"].as_array_mut() {
        triggers.push(trigger.clone());
    }
}

/// Tells so many events, the first of them after so many milliseconds, and some of them again under the same id.
pub(super) fn tell(chance: &Chance, script: &mut Script, (count, first): (usize, i64), what: impl Fn(usize) -> What) {
    for number in 0..count {
        let at = chance.millis(first, *chance.pick(&[200_000, 900_000, 4_000_000]));
        let what = what(number);
        if chance.percent(50) {
            let again = at + chance.millis(0, 90_000);
            script.actions.push(Action { at: again, what: what.clone() });
        }
        script.actions.push(Action { at, what });
    }
    script.actions.sort_by_key(|action| action.at);
}
