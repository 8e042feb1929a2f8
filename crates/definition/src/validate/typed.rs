//! A step or trigger on its own, read into its type without what is wrong with it and what is nested in it.

use serde_json::{Map, Value};

use super::found::{StepSite, TriggerSite};
use super::report::Report;
use crate::path::Path;
use crate::{StepKind, TriggerKind, step, trigger};

/// Reads a step's own keys; `None` if what is wrong leaves too little.
pub(super) fn step_kind(site: &StepSite<'_>, report: &Report<'_>) -> Option<StepKind> {
    let mut own = own_keys(site.keys, step::COMMON_KEYS);
    for (key, value) in &mut own {
        let path = site.path.key(key);
        if site.branches.iter().any(|branch| branch.is_within(&path)) {
            empty(value);
        }
    }
    prune(&mut own, &site.path, report);
    StepKind::from_keys(site.tag?, Value::Object(own))?.ok()
}

/// Reads a trigger's own keys; `None` if what is wrong leaves too little.
pub(super) fn trigger_kind(site: &TriggerSite<'_>, report: &Report<'_>) -> Option<TriggerKind> {
    let mut own = own_keys(site.keys, trigger::COMMON_KEYS);
    prune(&mut own, &site.path, report);
    TriggerKind::from_keys(site.tag?, Value::Object(own))?.ok()
}

fn own_keys(keys: &Map<String, Value>, common: &[&str]) -> Map<String, Value> {
    keys.iter()
        .filter(|(key, _)| !common.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// Takes the steps out of a list of steps, or out of a mapping of such lists.
fn empty(value: &mut Value) {
    match value {
        Value::Array(steps) => steps.clear(),
        Value::Object(cases) => cases.values_mut().for_each(empty),
        _ => {}
    }
}

/// Takes out the entries that have problems: of a mapping only those, else the whole key.
fn prune(own: &mut Map<String, Value>, path: &Path, report: &Report<'_>) {
    own.retain(|key, value| {
        let path = path.key(key);
        if !report.has_error_within(&path) {
            return true;
        }
        match value {
            Value::Object(entries) => {
                entries.retain(|name, _| !report.has_error_within(&path.key(name)));
                !entries.is_empty()
            }
            Value::Array(values) => values.is_empty(),
            _ => false,
        }
    });
}
