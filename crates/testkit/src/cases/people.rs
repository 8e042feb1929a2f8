//! The people of a case: who is not active, and whom steps chose last.

use std::collections::BTreeMap;

use pawl_definition::{DefinitionKind, Source, Workflow};
use serde_json::Value;

use crate::scenario::World;

/// The definitions of a case: those of the files, in which these members are not active.
pub(super) fn without(
    sources: &[(DefinitionKind, Source)],
    inactive: &[String],
) -> Result<Vec<(DefinitionKind, Source)>, String> {
    let mut sources = sources.to_vec();
    for id in inactive {
        let people = sources.iter_mut().filter(|(kind, _)| *kind == DefinitionKind::People);
        let mut members = people.filter_map(|(_, source)| source.value.get_mut("members")?.as_array_mut()).flatten();
        let member = members.find(|member| member.get("member").and_then(Value::as_str) == Some(id));
        member.ok_or_else(|| format!("inactive: there is no member {id:?}"))?["active"] = false.into();
    }
    Ok(sources)
}

/// Sets where the rounds of steps stand.
pub(super) fn place(world: &World, workflow: &Workflow, positions: &BTreeMap<String, String>) -> Result<(), String> {
    for (step, last) in positions {
        if workflow.step(step).is_none() {
            return Err(format!("positions: there is no step {step:?}"));
        }
        world.put_position(&workflow.id, step, last);
    }
    Ok(())
}
