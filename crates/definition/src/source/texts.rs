//! Texts as they are written: `1.10` is a number to YAML, and a text where one is wanted.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Source, problem};
use crate::path::{Path, Segment};
use crate::problem::{MOST_PROBLEMS, Problem, code};
use crate::{FieldType, Object, StepKind, TriggerKind, VariableType};

/// What says of a place in a workflow file whether a text is wanted there.
#[derive(Debug, Clone, Copy)]
pub struct TextPlaces<'a> {
    workflow: &'a Value,
    objects: &'a BTreeMap<String, Object>,
}

impl<'a> TextPlaces<'a> {
    /// The object of this id, if it is known.
    pub(crate) fn object(&self, id: Option<&Value>) -> Option<&'a Object> {
        self.objects.get(id?.as_str()?)
    }

    /// The object that the workflow runs against, if it is known.
    pub(crate) fn own_object(&self) -> Option<&'a Object> {
        self.object(self.workflow.get("object"))
    }

    /// Whether a variable of this name takes a text.
    pub(crate) fn variable(&self, name: &str) -> bool {
        variable_takes_text(self.workflow, name)
    }
}

impl Source {
    /// The same file in which numbers at some places are the texts that were written: `1.10`, not `1.1`. `wants` says of
    /// a place in the file whether a text is wanted there.
    #[must_use]
    pub fn with_texts(&self, wants: &dyn Fn(&Value, &[Segment]) -> bool) -> Self {
        let mut source = self.clone();
        for (path, text) in self.places.written() {
            if wants(&self.value, path.segments())
                && let Some(value) = at_mut(&mut source.value, &path)
                && value.is_number()
            {
                *value = text.into();
            }
        }
        for (place, path) in self.places.too_large() {
            if wants(&self.value, path.segments()) {
                source.places.is_text(place);
            }
        }
        source
    }

    /// Errors about numbers that are too large to be held, where no text is wanted.
    pub fn too_large_numbers(&self) -> Vec<Problem> {
        let found = self.places.too_large().take(MOST_PROBLEMS).map(|(_, path)| {
            let written = self.text(&path).unwrap_or_default();
            let message = format!(
                "expected a whole number of at most 64 bits, or one that a double holds, found {}",
                super::shortened(written)
            );
            let problem =
                problem(&self.name, code::NUMBER_OUT_OF_RANGE, self.value_position(&path), &path.to_string(), message);
            Problem { suggestion: Some("quote it if it is a text".to_owned()), ..problem }
        });
        found.collect()
    }

    /// The same workflow file in which numbers are the texts that were written where fields, variables, headers and
    /// parameters take texts.
    #[must_use]
    pub fn for_workflow(&self, objects: &BTreeMap<String, Object>) -> Self {
        self.with_texts(&|root, path| {
            let Some((owner, rest)) = nearest(root, path, is_entry) else { return false };
            let file = TextPlaces { workflow: root, objects };
            let tag = owner.get("type").and_then(Value::as_str).unwrap_or_default();
            let place = keys(rest);
            StepKind::wants_text(tag, owner, &place, &file)
                || TriggerKind::wants_text(tag, owner, &place, &file)
                || matches!(place.as_slice(), ["default"] if is_text_variable(tag))
        })
    }

    /// The same definition file in which defaults of fields are the texts that were written where fields take texts.
    #[must_use]
    pub fn for_definition(&self) -> Self {
        of_object(self)
    }

    /// Whether a variable that this workflow file declares takes a text.
    pub fn variable_takes_text(&self, name: &str) -> bool {
        variable_takes_text(&self.value, name)
    }
}

fn at_mut<'a>(root: &'a mut Value, path: &Path) -> Option<&'a mut Value> {
    path.segments().iter().try_fold(root, |value, segment| match segment {
        Segment::Key(key) => value.get_mut(&**key),
        Segment::Index(index) => value.get_mut(index),
    })
}

/// The texts of an object file: defaults of its fields.
pub(crate) fn of_object(source: &Source) -> Source {
    source.with_texts(&|root, path| match keys(path).as_slice() {
        ["fields", name, "default"] => {
            let kind = root.pointer("/fields").and_then(|fields| fields.get(name)?.get("type"));
            kind.and_then(|kind| serde_json::from_value(kind.clone()).ok()).is_some_and(is_text)
        }
        _ => false,
    })
}

/// Whether a variable that a workflow file declares takes a text.
fn variable_takes_text(workflow: &Value, name: &str) -> bool {
    let declared = workflow.get("variables").and_then(Value::as_array).into_iter().flatten();
    let mut declared = declared.filter(|variable| variable.get("name").and_then(Value::as_str) == Some(name));
    let kind = declared.next().and_then(|variable| variable.get("type")?.as_str());
    kind.is_some_and(is_text_variable)
}

fn is_text_variable(kind: &str) -> bool {
    let kind: Option<VariableType> = serde_json::from_value(kind.into()).ok();
    kind.is_some_and(|kind| !matches!(kind, VariableType::Number | VariableType::Boolean | VariableType::Object))
}

fn is_text(kind: FieldType) -> bool {
    use FieldType::{Boolean, File, Money, Number, Object};
    !matches!(kind, Number | Boolean | Object | Money | File)
}

impl Object {
    /// Whether a field or relationship of its takes texts: it holds neither numbers nor booleans nor objects.
    pub fn takes_text(&self, name: &str) -> bool {
        self.field(name).map_or_else(|| self.relationships.contains_key(name), |field| is_text(field.kind))
    }
}

/// The innermost mapping around a place that is one of those meant, and the way from it to the place.
fn nearest<'v, 'p>(
    root: &'v Value,
    path: &'p [Segment],
    meant: fn(&Value, &[Segment]) -> bool,
) -> Option<(&'v Value, &'p [Segment])> {
    let mut value = root;
    let mut found = None;
    for (depth, segment) in path.iter().enumerate() {
        value = match segment {
            Segment::Key(key) => value.get(&**key)?,
            Segment::Index(index) => value.get(index)?,
        };
        if meant(value, &path[..=depth]) {
            found = Some((value, &path[depth + 1..]));
        }
    }
    found
}

/// A step, trigger or variable: an entry of a list with a type.
fn is_entry(value: &Value, path: &[Segment]) -> bool {
    value.get("type").is_some_and(Value::is_string) && matches!(path.last(), Some(Segment::Index(_)))
}

/// The keys of a way, as far as it goes by keys; places in lists at its end are left out.
fn keys(path: &[Segment]) -> Vec<&str> {
    let mut keys = Vec::new();
    for segment in path {
        match segment {
            Segment::Key(key) => keys.push(&**key),
            Segment::Index(_) => break,
        }
    }
    keys
}
