//! Steps and triggers: the type decides the shape.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::found::{Owner, StepSite, TriggerSite};
use super::walk::Walker;
use super::words;
use crate::path::Path;
use crate::problem::code;
use crate::{StepKind, step, trigger};

/// One of the two kinds of typed nodes.
struct Kind {
    noun: &'static str,
    shapes: &'static BTreeMap<&'static str, Value>,
    any: &'static Map<String, Value>,
    not_available: &'static [&'static str],
    common: &'static [&'static str],
}

impl Kind {
    fn types(&self) -> Vec<&'static str> {
        self.shapes.keys().chain(self.not_available).copied().collect()
    }

    /// The types that have an own key.
    fn owners(&self, key: &str) -> Vec<&'static str> {
        let has = |shape: &Value| shape["properties"].get(key).is_some() && !self.common.contains(&key);
        self.shapes.iter().filter(|(_, shape)| has(shape)).map(|(tag, _)| *tag).collect()
    }
}

impl<'a> Walker<'a, '_> {
    pub(super) fn step(&mut self, value: &'a Value, path: &Path) {
        let kind = Kind {
            noun: "step",
            shapes: &self.shapes.steps,
            any: &self.shapes.any_step,
            not_available: step::NOT_AVAILABLE,
            common: step::COMMON_KEYS,
        };
        let Value::Object(keys) = value else {
            let message = format!("expected a step: a mapping with `id` and `type`, found {}", words::found(value));
            self.report.error(code::WRONG_TYPE, path, message);
            return;
        };
        let tag = self.tag(&kind, keys, path);
        let id = keys.get("id").and_then(Value::as_str);
        self.found.steps.push(StepSite { path: path.clone(), keys, id, tag, branches: Vec::new() });
        let outer = std::mem::replace(&mut self.owner, Owner::Step(self.found.steps.len() - 1));
        self.node(&kind, tag, keys, path);
        self.owner = outer;
    }

    pub(super) fn trigger(&mut self, value: &'a Value, path: &Path) {
        let kind = Kind {
            noun: "trigger",
            shapes: &self.shapes.triggers,
            any: &self.shapes.any_trigger,
            not_available: trigger::NOT_AVAILABLE,
            common: trigger::COMMON_KEYS,
        };
        let Value::Object(keys) = value else {
            let message = format!("expected a trigger: a mapping with `type`, found {}", words::found(value));
            self.report.error(code::WRONG_TYPE, path, message);
            return;
        };
        let tag = self.tag(&kind, keys, path);
        let waits = self.owner != Owner::Workflow;
        self.found.triggers.push(TriggerSite { path: path.clone(), keys, tag, waits });
        let outer = self.owner;
        if !waits {
            self.owner = Owner::Trigger(self.found.triggers.len() - 1);
        }
        self.node(&kind, tag, keys, path);
        self.owner = outer;
    }

    fn node(&mut self, kind: &Kind, tag: Option<&str>, keys: &'a Map<String, Value>, path: &Path) {
        if let Some(shape) = tag.and_then(|tag| kind.shapes.get(tag)) {
            let known: Vec<_> = shape["properties"].as_object().into_iter().flat_map(Map::keys).collect();
            let hint = |key: &str, value: &Value| {
                let span = words::as_duration(key, value).filter(|_| known.iter().any(|known| *known == "for"));
                let near = words::did_you_mean(key, known.iter().map(|key| key.as_str()));
                let owners = kind.owners(key);
                let belongs = || {
                    (!owners.is_empty()).then(|| format!("{} belongs to {}", words::quoted(key), words::any_of(owners)))
                };
                span.map(|span| format!("write `for: {span}`")).or(near).or_else(belongs)
            };
            let listed = |key: &str| kind.noun != "step" || StepKind::takes_common(tag.unwrap_or_default(), key);
            self.entries(shape, keys, path, (listed, hint));
            self.missing_keys(shape, keys, path);
            return;
        }
        // The type is unknown: only what every node has can be held against a shape.
        let known = kind.any;
        for (key, value) in keys.iter().filter(|(key, _)| *key != "type") {
            match known.get(key) {
                Some(shape) => self.value(shape, value, &path.key(key)),
                None => self.nested_steps(value, &path.key(key)),
            }
        }
        if kind.noun == "step" && !keys.contains_key("id") {
            self.report.error(code::MISSING_KEY, path, "missing key \"id\": id, unique in the workflow");
        }
    }

    /// Finds steps below a key of unknown meaning, so that their ids are known.
    fn nested_steps(&mut self, value: &'a Value, path: &Path) {
        match value {
            Value::Array(values) if !values.is_empty() && values.iter().all(is_step) => {
                values.iter().enumerate().for_each(|(at, value)| self.step(value, &path.index(at)));
            }
            Value::Object(keys) => keys.iter().for_each(|(key, value)| self.nested_steps(value, &path.key(key))),
            _ => {}
        }
    }

    /// The type of a node, if this version has it; else the problem is noted.
    fn tag(&mut self, kind: &Kind, keys: &Map<String, Value>, path: &Path) -> Option<&'static str> {
        let noun = kind.noun;
        let at = path.key("type");
        match keys.get("type") {
            Some(Value::String(tag)) => {
                if let Some((tag, _)) = kind.shapes.get_key_value(tag.as_str()) {
                    return Some(tag);
                }
                if kind.not_available.contains(&tag.as_str()) {
                    let message = format!(
                        "{noun} type {tag:?} is not available in this version; expected one of {}",
                        words::any_of(kind.shapes.keys().copied())
                    );
                    self.report.error(code::NOT_AVAILABLE, &at, message);
                } else {
                    let message = format!(
                        "unknown {noun} type {}; expected one of {}",
                        words::quoted(tag),
                        words::any_of(kind.shapes.keys().copied())
                    );
                    let near = words::did_you_mean(tag, kind.types());
                    self.report.error(code::UNKNOWN_TYPE, &at, message).suggest(near);
                }
            }
            Some(other) => {
                let message = format!("expected the type of the {noun}, found {}", words::found(other));
                self.report.error(code::WRONG_TYPE, &at, message);
            }
            None => {
                let meant = kind.types().into_iter().find(|tag| keys.contains_key(*tag));
                let message = format!(
                    "missing key \"type\": the type of the {noun}, one of {}",
                    words::any_of(kind.shapes.keys().copied())
                );
                self.report
                    .error(code::MISSING_KEY, path, message)
                    .suggest(meant.map(|tag| format!("did you mean `type: {tag}`?")));
            }
        }
        None
    }
}

fn is_step(value: &Value) -> bool {
    value.get("type").is_some_and(Value::is_string)
}
