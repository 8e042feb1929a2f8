//! Ids and names that must be there once.

use std::collections::BTreeMap;

use serde_json::Value;

use super::found::Found;
use super::report::Report;
use crate::TriggerKind;
use crate::path::Path;
use crate::problem::code;

/// Refuses step ids, trigger ids and variable names that are used twice.
pub(super) fn check<'a>(report: &mut Report<'a>, found: &Found<'a>, file: &'a Value) {
    let steps = found.steps.iter().filter_map(|step| Some((step.id?, step.path.key("id"))));
    once(report, "step id", steps);
    // Webhooks share the addresses of the workflow; other triggers of a goal are its own.
    let has_address = |tag: Option<&'static str>| tag.is_some_and(|tag| TriggerKind::facts_of(tag).has_address);
    let workflows = found.triggers.iter().filter(|trigger| !trigger.waits || has_address(trigger.tag));
    once(report, "trigger id", workflows.filter_map(|trigger| Some((trigger.id()?, trigger.path.key("id")))));
    let variables = file.get("variables").and_then(Value::as_array).into_iter().flatten().enumerate();
    let names = variables.filter_map(|(at, variable)| {
        Some((variable.get("name")?.as_str()?, Path::root().key("variables").index(at).key("name")))
    });
    once(report, "variable", names);
}

fn once<'n>(report: &mut Report<'_>, noun: &str, names: impl Iterator<Item = (&'n str, Path)>) {
    let mut first: BTreeMap<&str, Path> = BTreeMap::new();
    for (name, path) in names {
        if let Some(before) = first.get(name) {
            let line = report.line(before).map_or_else(|| before.to_string(), |line| format!("line {line}"));
            let message = format!("expected each {noun} once, found {name:?} again; the first is in {line}");
            report.error(code::DUPLICATE_ID, &path, message);
        } else {
            first.insert(name, path);
        }
    }
}
