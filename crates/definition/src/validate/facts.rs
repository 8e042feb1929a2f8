//! What the passes after the walk know of the whole file.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use serde_json::Value;

use super::found::{Found, TriggerSite};
use crate::{Around, FieldType, Object, TriggerKind, VariableType, WorkflowCalendar};

/// The file's names, and the objects around it.
#[derive(Debug)]
pub struct Facts<'a> {
    /// Every object; empty if what needs their schemas is not checked.
    pub(crate) objects: &'a BTreeMap<String, Object>,
    /// Objects that exist and are not right, by id: nothing is known of them, and that is told where they stand.
    pub(crate) broken: &'a BTreeSet<String>,
    /// What stands around the file, these objects among it.
    pub(crate) around: Around<'a>,
    /// Id of the workflow.
    pub(crate) workflow_id: Option<&'a str>,
    /// Id of the object that the workflow runs against.
    pub(crate) object_id: Option<&'a str>,
    /// Types of steps by id; `None` for a type this version does not have.
    pub(crate) steps: BTreeMap<&'a str, Option<&'static str>>,
    /// Declared variables in their order: name, type, and whether it is a list.
    pub(crate) declared: Vec<(&'a str, Option<VariableType>, bool)>,
    /// Every name under `vars` that something sets.
    pub(crate) variables: BTreeSet<&'a str>,
    /// The names of values that deliveries on webhooks bring.
    pub(crate) delivered: BTreeSet<&'a str>,
    /// Its calendar.
    pub(crate) calendar: WorkflowCalendar,
    /// The name of its time zone.
    pub(crate) zone: Option<&'a str>,
}

impl<'a> Facts<'a> {
    pub(crate) fn gather(file: &'a Value, found: &Found<'a>, around: Around<'a>) -> Self {
        let declared = declared(file);
        let mut variables: BTreeSet<_> = declared.iter().map(|(name, ..)| *name).collect();
        for step in &found.steps {
            variables.extend(step.keys.get("save_as").and_then(Value::as_str));
            variables.extend(step.sets());
        }
        let brings = |trigger: &TriggerSite<'a>| TriggerKind::brings(trigger.tag.unwrap_or_default(), trigger.keys);
        let delivered: BTreeSet<_> = found.triggers.iter().flat_map(brings).collect();
        variables.extend(&delivered);
        let steps = found.steps.iter().filter_map(|step| Some((step.id?, step.tag))).collect();
        Self {
            objects: around.objects,
            broken: around.broken,
            around,
            workflow_id: file.get("workflow").and_then(Value::as_str),
            object_id: file.get("object").and_then(Value::as_str),
            steps,
            declared,
            variables,
            delivered,
            calendar: file
                .get("calendar")
                .cloned()
                .and_then(|written| serde_json::from_value(written).ok())
                .unwrap_or_default(),
            zone: file.get("timezone").and_then(Value::as_str),
        }
    }

    /// Its time zone; UTC without one, or with one that is not known.
    pub(crate) fn timezone(&self) -> TimeZone {
        self.zone.and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC)
    }

    /// The object that the workflow runs against, if it is known.
    pub(crate) fn object(&self) -> Option<&'a Object> {
        self.objects.get(self.object_id?)
    }

    /// The type of a declared variable, and whether it is a list.
    pub(crate) fn variable(&self, name: &str) -> Option<(VariableType, bool)> {
        let (_, kind, many) = self.declared.iter().find(|(known, ..)| *known == name)?;
        kind.map(|kind| (kind, *many))
    }
}

fn declared(file: &Value) -> Vec<(&str, Option<VariableType>, bool)> {
    let variables = file.get("variables").and_then(Value::as_array).into_iter().flatten();
    let read = |variable: &'_ Value| -> Option<(Option<VariableType>, bool)> {
        let kind = serde_json::from_value(variable.get("type").cloned().unwrap_or_default()).ok();
        Some((kind, variable.get("many").and_then(Value::as_bool).unwrap_or_default()))
    };
    variables
        .filter_map(|variable| {
            let name = variable.get("name")?.as_str()?;
            let (kind, many) = read(variable)?;
            Some((name, kind, many))
        })
        .collect()
}

/// The field type whose values a variable's type takes.
pub(crate) fn field_type(kind: VariableType) -> FieldType {
    match kind {
        VariableType::Text | VariableType::Record => FieldType::Text,
        VariableType::Number => FieldType::Number,
        VariableType::Boolean => FieldType::Boolean,
        VariableType::Date => FieldType::Date,
        VariableType::Datetime => FieldType::Datetime,
        VariableType::Uuid => FieldType::Uuid,
        VariableType::Phone => FieldType::Phone,
        VariableType::Member => FieldType::Member,
        VariableType::Object => FieldType::Object,
    }
}
