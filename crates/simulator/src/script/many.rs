//! Tracked actions: what people do to many executions or records at once.
//!
//! Only some worlds have them, and everything about them is chosen apart from all else. Whom they reach depends on what
//! overtakes what.

use pawl_definition::Take;
use pawl_engine::Status;
use pawl_runtime::{ActionLimits, Controls, Selection, StartRecords, Starts, Task, Verb};
use serde_json::{Map, Value};

use super::{Action, Script, What};
use crate::chance::Chance;

/// How many seeds of a hundred have actions, of those whose outcome may vary.
const SHARE: u32 = 40;

/// Gives some worlds one to three actions. Each is asked for twice in some of them, by the same key.
pub(super) fn act(seed: u64, script: &mut Script) {
    let chance = &Chance::new(seed, "many");
    if script.confluent || !chance.percent(SHARE) {
        return;
    }
    for number in 0..=chance.below(3) {
        let starts_many = chance.percent(30);
        let task = if starts_many { starts(chance, &script.workflows) } else { controls(chance, &script.workflows) };
        let limits = ActionLimits { rate: *chance.pick(&[1, 2, 50]), concurrency: *chance.pick(&[1, 3, 8]) };
        let what = What::Begin { task, limits, key: format!("action {number}") };
        let at = chance.millis(0, *chance.pick(&[20_000, 300_000, 8_000_000]));
        if chance.percent(20) {
            script.actions.push(Action { at: at + chance.millis(0, 90_000), what: what.clone() });
        }
        script.actions.push(Action { at, what });
    }
    script.actions.sort_by_key(|action| action.at);
}

fn name(workflow: &Value) -> String {
    workflow["workflow"].as_str().unwrap_or_default().to_owned()
}

fn controls(chance: &Chance, workflows: &[Value]) -> Task {
    let verbs =
        [Verb::Retry, Verb::Retry, Verb::Resume, Verb::Cancel, Verb::Skip { take: Some(Take::Yes) }, Verb::Redrive];
    let verb = *chance.pick(&verbs);
    let selection = match chance.below(3) {
        0 => Selection { states: [Status::Paused, Status::Waiting].into(), ..Selection::default() },
        1 => Selection { since: Some(jiff::Timestamp::UNIX_EPOCH), ..Selection::default() },
        _ => Selection { workflow: Some(name(chance.pick(workflows))), ..Selection::default() },
    };
    Task::Control(Controls { verb, selection })
}

fn starts(chance: &Chance, workflows: &[Value]) -> Task {
    let on_tickets: Vec<_> = workflows.iter().filter(|workflow| workflow["object"] == "ticket").collect();
    if on_tickets.is_empty() {
        return controls(chance, workflows);
    }
    let workflow: &&Value = chance.pick(&on_tickets);
    let (workflow, object) = (name(workflow), "ticket".to_owned());
    Task::Start(Starts { workflow, object, records: StartRecords::Where("true".to_owned()), values: Map::new() })
}
