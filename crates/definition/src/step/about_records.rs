//! What steps say of an activity that they make: its type, the records that it is about, its values.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::expression::listed;
use crate::kind::check_activity;
use crate::path::Path;
use crate::types::{Kinds, Type};
use crate::validate::Facts;
use crate::validate::words::{self, found};
use crate::who::Who;
use crate::{Activity, Check, Field, FieldType, Template, code, led_to};

/// The keys that `create_activity` and `log_activity` share.
#[derive(Debug, Clone, Copy)]
pub struct NewActivity<'a> {
    /// Its type.
    pub activity: &'a str,
    /// Who does it, or did it.
    pub assignee: Option<&'a Who>,
    /// What people read of it.
    pub note: Option<&'a Template>,
    /// Values of the fields of its type.
    pub fields: &'a BTreeMap<String, Template>,
    /// The records that it is about, by object, beside the record of the execution.
    pub records: &'a BTreeMap<String, Template>,
}

/// The type of an activity, as steps and events have it.
pub(crate) fn of_activity(activity: Option<&Activity>) -> Type {
    let fields = activity.map_or_else(
        || Type::of(Kinds::OBJECT),
        |activity| Type::object(activity.fields.iter().map(|(name, field)| (name.as_str(), Type::of_field(field)))),
    );
    let text = || Type::text().or_null();
    Type::object([
        ("id", Type::text()),
        ("activity", Type::text()),
        ("status", Type::words(["open", "logged", "canceled"])),
        ("due", text()),
        ("assignee", text()),
        ("logged_at", text()),
        ("logged_by", text()),
        ("note", text()),
        ("fields", fields),
        ("records", Type::of(Kinds::OBJECT)),
        ("created_at", Type::text()),
    ])
}

impl NewActivity<'_> {
    /// Its output.
    pub(super) fn output(&self, facts: &Facts<'_>) -> Type {
        of_activity(facts.around.definitions.and_then(|all| all.activity_types.get(self.activity)))
    }

    /// What it says beside its type, in words.
    pub(super) fn words(&self, verb: &str) -> String {
        let who = self.assignee.map_or(String::new(), |who| format!(" {verb} {}", who.words()));
        let about: Vec<_> = self.records.keys().map(|object| format!("a record of {object}")).collect();
        let about = if about.is_empty() { String::new() } else { format!(", also about {}", listed(about, "and")) };
        let note = self.note.map_or(String::new(), |note| format!(": {}", note.words()));
        format!("{who}{about}{note}")
    }

    /// Checks the keys.
    pub(super) fn check(&self, cx: &mut Check<'_, '_>) {
        check_activity(cx.report, cx.facts.around, self.activity, &cx.key("activity"));
        let activity = cx.facts.around.definitions.and_then(|all| all.activity_types.get(self.activity));
        if let Some(assignee) = self.assignee {
            assignee.check(&cx.key("assignee"), cx);
        }
        if let Some(note) = self.note {
            cx.field_takes(&Field::of(FieldType::Text), note, &cx.key("note"));
        }
        if let Some(activity) = activity {
            self.check_fields(activity, cx);
        }
        self.check_records(activity, cx);
    }

    fn check_fields(&self, activity: &Activity, cx: &mut Check<'_, '_>) {
        for (name, value) in self.fields {
            let path = cx.key("fields").key(name);
            let Some(field) = activity.fields.get(name) else {
                let known = || activity.fields.keys().map(String::as_str);
                let message =
                    format!("activity {:?} has no field {name:?}; it has {}", activity.id, words::all_of(known()));
                cx.error_at_key(code::UNKNOWN_FIELD, &path, message).suggest(words::did_you_mean(name, known()));
                continue;
            };
            match value.literal() {
                Some(literal) => cx.value_of(field, literal, &path),
                None => cx.field_takes(field, value, &path),
            }
        }
        if cx.has_problem("fields") {
            return;
        }
        let required = activity.fields.iter().filter(|(_, field)| field.required && field.default.is_none());
        for (name, _) in required.filter(|(name, _)| !cx.written_at(&["fields", name])).collect::<Vec<_>>() {
            let message = format!("missing field {name:?}: activity {:?} requires it", activity.id);
            let path = if cx.written("fields") { cx.key("fields") } else { cx.path.clone() };
            cx.error(code::MISSING_KEY, &path, message);
        }
    }

    fn check_records(&self, activity: Option<&Activity>, cx: &mut Check<'_, '_>) {
        let own = cx.facts.object_id.filter(|own| activity.is_none_or(|activity| activity.is_about(own)));
        if own.is_none() && self.records.is_empty() && !cx.has_problem("records") {
            let message = match cx.facts.object_id {
                None => {
                    "expected `records`, found none: this workflow is global and has no record of its own".to_owned()
                }
                Some(own) => format!("expected `records`, found none: this activity is not about records of {own:?}"),
            };
            cx.error(code::NO_RECORD, &cx.path.clone(), message);
        }
        for (object, record) in self.records {
            let path = cx.key("records").key(object);
            if cx.object(object, &path).is_none() && !cx.facts.objects.is_empty() {
                continue;
            }
            if let Some(activity) = activity.filter(|activity| !activity.is_about(object)) {
                let about = activity.objects.iter().flatten().map(String::as_str);
                let message = format!(
                    "activity {:?} is about records of {}, found {object:?}",
                    activity.id,
                    words::any_of(about)
                );
                cx.error_at_key(code::NOT_ALLOWED, &path, message);
                continue;
            }
            check_record(object, record, &path, cx);
        }
    }
}

/// The relationship that a value names, or a chain of them.
pub fn relationship(record: &Template) -> Option<&str> {
    record.literal()?.as_str()?.strip_prefix("record.")
}

/// What is given for a record must be one, and of its object.
fn check_record(object: &str, record: &Template, path: &Path, cx: &mut Check<'_, '_>) {
    if let Some(chain) = relationship(record) {
        let Some(own) = cx.facts.object() else { return };
        if cx.chain(own, chain, path).is_none() {
            return;
        }
        let Some(to) = led_to(own, cx.facts.objects, chain) else { return };
        if to.object != object || to.many {
            let leads = if to.many { "many records" } else { to.object.as_str() };
            let message = format!("expected a relationship with one record of {object:?}, found one with {leads:?}");
            cx.error(code::INVALID_VALUE, path, message);
        }
        return;
    }
    let Some(literal) = record.literal() else {
        let given = cx.type_of(record);
        if !given.kinds.present().meets(Kinds::TEXT.or(Kinds::OBJECT).or(Kinds::NULL)) {
            let message = format!("expected a record or its id, found {}", given.kinds.present());
            cx.error(code::WRONG_TYPE, path, message);
        }
        return;
    };
    match literal {
        Value::String(text) if text.trim().is_empty() => {
            cx.error(code::BLANK_VALUE, path, "expected the id of a record, found an empty text");
        }
        Value::String(_) => {}
        other => {
            cx.error(code::WRONG_TYPE, path, format!("expected a record or its id, found {}", found(other)));
        }
    }
}
