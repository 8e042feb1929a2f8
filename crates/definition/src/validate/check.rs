//! What the type of a step or trigger looks at when it checks itself.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::facts::{Facts, field_type};
use super::report::Report;
use super::typing::View;
use super::{literal, words};
use crate::kind::{check_dates, check_known, check_member};
use crate::path::Path;
use crate::problem::{Problem, code};
use crate::{
    Calendar, DefinitionKind, Definitions, Duration, Field, HOPS_MOST, OWNER, Object, Template, WaitLength,
    WorkflowCalendar,
};

/// One step or trigger under check: its keys as written, its place, and what is around it.
///
/// The types' own checks run after the walk, which has already refused unknown and missing keys and wrong types, and
/// has taken the entries with problems out: `written` tells a key that is absent from one that was taken out.
#[derive(Debug)]
pub struct Check<'c, 'a> {
    pub(crate) report: &'c mut Report<'a>,
    pub(crate) facts: &'c Facts<'a>,
    pub(crate) keys: &'a Map<String, Value>,
    pub(crate) path: Path,
    /// What its expressions see.
    pub(crate) view: View<'c, 'c, 'a>,
    /// A step waits on this trigger; it starts nothing.
    pub(crate) waits: bool,
}

impl<'a> Check<'_, 'a> {
    /// Whether a key was written, with a value.
    pub(crate) fn written(&self, key: &str) -> bool {
        self.keys.get(key).is_some_and(|value| !value.is_null())
    }

    /// Whether a key was written below others.
    pub(crate) fn written_at(&self, keys: &[&str]) -> bool {
        let [first, rest @ ..] = keys else { return true };
        let first = self.keys.get(*first);
        rest.iter().fold(first, |value, key| value.and_then(|value| value.get(*key))).is_some()
    }

    /// Whether an own key has a problem already.
    pub(crate) fn has_problem(&self, key: &str) -> bool {
        self.report.has_error_within(&self.key(key))
    }

    /// The place of an own key.
    pub(crate) fn key(&self, key: &str) -> Path {
        self.path.key(key)
    }

    /// Notes an error about the value at a place.
    pub(crate) fn error(&mut self, code: &str, path: &Path, message: impl Into<String>) -> &mut Problem {
        self.report.error(code, path, message)
    }

    /// Notes an error about the key at the end of a place.
    pub(crate) fn error_at_key(&mut self, code: &str, path: &Path, message: impl Into<String>) -> &mut Problem {
        self.report.error_at_key(code, path, message)
    }

    /// Notes a warning about the value at a place.
    pub(crate) fn warning(&mut self, code: &str, path: &Path, message: impl Into<String>) -> &mut Problem {
        self.report.warning(code, path, message)
    }

    /// Demands that the workflow runs against an object.
    pub(crate) fn needs_record(&mut self) {
        if self.facts.object_id.is_none() {
            let message = "expected a workflow with an `object`, found a global one: this trigger is about a record";
            let path = self.key("type");
            self.report.error(code::NO_RECORD, &path, message);
        }
    }

    /// Demands that one of several keys is written, and no other of them.
    pub(crate) fn exactly_one(&mut self, keys: &[&str]) {
        let found: Vec<_> = keys.iter().copied().filter(|key| self.written(key)).collect();
        // A key that was taken out has a problem of its own, which may be the cause.
        let wrong = found.is_empty() && self.keys.keys().any(|key| self.has_problem(key));
        if found.len() != 1 && !wrong {
            let found = if found.is_empty() { "none".to_owned() } else { found.join(" and ") };
            let message = format!("expected exactly one of {}, found {found}", words::any_of(keys.iter().copied()));
            let path = self.path.clone();
            self.report.error(code::EXACTLY_ONE, &path, message);
        }
    }

    /// Demands that a template without expressions is a duration.
    pub(crate) fn duration(&mut self, template: &Template, path: &Path) {
        if let Some(value) = template.literal().filter(|value| Duration::from_value(value).is_err()) {
            let message = format!("expected a duration such as `2d 3h`, found {}", words::found(value));
            let template = value
                .as_str()
                .filter(|text| text.contains('.'))
                .map(|text| format!("an expression is written `{{{{ {text} }}}}`"))
                .or_else(|| words::mapping_as_duration(value));
            self.report.error(code::INVALID_TIME, path, message).suggest(template);
        }
    }

    /// Demands that a template without expressions is a duration or a number of business days.
    pub(crate) fn wait_length(&mut self, template: &Template, path: &Path) {
        if !template.literal().and_then(WaitLength::from_value).is_some_and(WaitLength::is_business_days) {
            self.duration(template, path);
        }
    }

    /// Demands that a calendar is there, and that something is counted by it.
    pub(crate) fn calendar_of_days(&mut self, calendar: Option<&WorkflowCalendar>, counts: bool) {
        let path = self.key("calendar");
        match calendar {
            Some(WorkflowCalendar::Named(id)) => {
                check_known(self.report, self.facts.around, (DefinitionKind::Calendar, id), (&path, 0));
            }
            Some(WorkflowCalendar::Holidays(_)) => {
                let days = self.keys.get("calendar").and_then(Value::as_array);
                check_dates(days.map(Vec::as_slice).unwrap_or_default(), &path, self.report);
            }
            None => return,
        }
        if !counts && !self.has_problem("calendar") {
            let message = "`calendar` says nothing here: no business days are counted";
            self.warning(code::SUSPICIOUS, &path, message);
        }
    }

    /// The business days by which something is counted: of a calendar of its own, else of the workflow. `None` if they are not known.
    pub(crate) fn business_days(&self, own: Option<&WorkflowCalendar>) -> Option<Calendar> {
        let calendar = own.unwrap_or(&self.facts.calendar);
        let none = Definitions::default();
        calendar.resolve(self.facts.around.definitions.unwrap_or(&none)).map(Cow::into_owned)
    }

    /// The object of an id, which must be there if objects are known at all.
    pub(crate) fn object(&mut self, id: &str, path: &Path) -> Option<&'a Object> {
        let object = self.facts.objects.get(id);
        if object.is_none() && !self.facts.objects.is_empty() && !self.facts.broken.contains(id) {
            let known = || self.facts.objects.keys().map(String::as_str);
            let message = format!(
                "expected an object that exists, found {}; there are {}",
                words::quoted(id),
                words::all_of(known())
            );
            self.report.error(code::UNKNOWN_OBJECT, path, message).suggest(words::did_you_mean(id, known()));
        }
        object
    }

    /// Demands that a group is there and has records of an object.
    pub(crate) fn group_of(&mut self, id: &str, object: &str, path: &Path) {
        check_known(self.report, self.facts.around, (DefinitionKind::Group, id), (path, 0));
        let group = self.facts.around.definitions.and_then(|definitions| definitions.groups.get(id));
        if let Some(group) = group.filter(|group| group.object != object) {
            let message = format!("expected a group of {object:?}, found one of {:?}", group.object);
            self.report.error(code::INVALID_VALUE, path, message);
        }
    }

    /// Demands that a field, relationship or stage of an object exists. `path` is its place.
    pub(crate) fn field_name(&mut self, object: &Object, name: &str, path: &Path) -> bool {
        let known = object.names();
        if known.contains(&name) {
            return true;
        }
        let message =
            format!("object {:?} has no field {name:?}; it has {}", object.id, words::all_of(known.iter().copied()));
        self.report.error_at_key(code::UNKNOWN_FIELD, path, message).suggest(words::did_you_mean(name, known));
        false
    }

    /// Demands that a chain of relationships leads from an object to another, which it gives.
    pub(crate) fn chain(&mut self, object: &'a Object, chain: &str, path: &Path) -> Option<&'a Object> {
        let mut names = chain.split('.');
        let last = names.next_back().unwrap_or_default();
        let mut at = object;
        let mut length = 1;
        for name in names {
            let to = self.relationship(at, name, path)?;
            if at.relationships.get(name).is_some_and(|relationship| relationship.many) {
                let message = format!("expected a chain that ends with {name:?}, since it leads to many records");
                self.error(code::INVALID_VALUE, path, message);
                return None;
            }
            (at, length) = (to, length + 1);
        }
        if length > HOPS_MOST {
            let message = format!("expected at most {HOPS_MOST} relationships in a row, found {length}");
            self.error(code::INVALID_VALUE, path, message);
            return None;
        }
        self.relationship(at, last, path)
    }

    /// Demands that an object has a relationship; gives the object that it leads to.
    pub(crate) fn relationship(&mut self, object: &Object, name: &str, path: &Path) -> Option<&'a Object> {
        let Some(relationship) = object.relationships.get(name) else {
            let known = || object.relationships.keys().map(String::as_str);
            let message =
                format!("object {:?} has no relationship {name:?}; it has {}", object.id, words::all_of(known()));
            self.report.error(code::UNKNOWN_RELATIONSHIP, path, message).suggest(words::did_you_mean(name, known()));
            return None;
        };
        self.facts.objects.get(&relationship.object)
    }

    /// Demands that a field of an object can be written, and takes a value that is written out.
    pub(crate) fn field_value(&mut self, object: &Object, name: &str, value: Option<&Value>, path: &Path) {
        if Object::BUILT_IN.contains(&name) {
            let message = format!("{name:?} is set by the system and cannot be written");
            self.report.error_at_key(code::NOT_ALLOWED, path, message);
            return;
        }
        if !self.field_name(object, name, path) {
            return;
        }
        if let (Some(value), Some(field)) = (value, object.field(name)) {
            self.value_of(&field, value, path);
        }
        if let (OWNER, Some(Value::String(id))) = (name, value) {
            check_member(self.report, self.facts.around, id, path);
        }
    }

    /// Demands that a field takes a value that is written out.
    pub(crate) fn value_of(&mut self, field: &Field, value: &Value, path: &Path) {
        let values = match value {
            Value::Array(values) if field.many => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        for value in values.iter().filter(|value| !literal::takes(field.kind, &field.options, value)) {
            let expected = literal::expected(field.kind, &field.options);
            let message = format!("expected {expected}, found {}", words::found(value));
            let near =
                value.as_str().and_then(|found| words::did_you_mean(found, field.options.iter().map(String::as_str)));
            self.report.error(code::INVALID_VALUE, path, message).suggest(near);
        }
    }

    /// Demands that a declared variable takes a value that is written out.
    pub(crate) fn variable_value(&mut self, name: &str, value: &Value, path: &Path) {
        let Some((kind, many)) = self.facts.variable(name) else { return };
        let field = Field { many, ..Field::of(field_type(kind)) };
        self.value_of(&field, value, path);
    }
}
