//! The records that a step changes, as its keys `target` and `object` say.

use serde_json::Value;

use crate::source::TextPlaces;
use crate::types::{Kinds, Type};
use crate::validate::Facts;
use crate::validate::words::found;
use crate::{Check, Field, Object, Template, code, led_to};

/// The keys `target` and `object` of a step: absent for the record of the execution, the name of a relationship
/// (`record.company`), or a template that gives a record or a list of records.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Targets<'a> {
    pub(super) target: Option<&'a Template>,
    /// The object of a target that is an id.
    pub(super) object: Option<&'a str>,
}

impl Targets<'_> {
    /// The object of the records that a step of these keys changes, before they are checked.
    pub(super) fn object_of<'f>(keys: &Value, file: &TextPlaces<'f>) -> Option<&'f Object> {
        if keys.get("target").is_some() { file.object(keys.get("object")) } else { file.own_object() }
    }

    /// The relationship that it names, or a chain of them.
    fn relationship(&self) -> Option<&str> {
        self.target?.literal()?.as_str()?.strip_prefix("record.")
    }

    /// The type of the output: the changes of one record, or what came of each.
    pub(super) fn output(&self, facts: &Facts<'_>) -> Type {
        let (changes, records) = (Type::of(Kinds::OBJECT), Type::list(Type::of(Kinds::OBJECT)));
        let is_many = self.relationship().map(|name| {
            let object = facts.object();
            object.and_then(|object| led_to(object, facts.objects, name)).is_some_and(|relationship| relationship.many)
        });
        match (self.target, is_many) {
            (None, _) | (Some(_), Some(false)) => Type::object([("changes", changes)]),
            (Some(_), Some(true)) => Type::object([("records", records)]),
            (Some(_), None) => Type::object([("changes", changes.or_null()), ("records", records.or_null())]),
        }
    }

    /// Checks the keys; gives the object of the records, if it can be told.
    pub(super) fn check<'a>(&self, cx: &mut Check<'_, 'a>) -> Option<&'a Object> {
        if let Some(id) = self.object {
            return cx.object(id, &cx.key("object"));
        }
        let Some(target) = self.target else {
            if cx.facts.object_id.is_none() && !cx.written("target") {
                let message = "expected a `target`, found none: this workflow is global and has no record of its own";
                cx.error(code::NO_RECORD, &cx.path.clone(), message);
            }
            return if cx.written("target") { None } else { cx.facts.object() };
        };
        let Some(literal) = target.literal() else {
            return object_of_value(target, cx);
        };
        if let Some(name) = self.relationship() {
            return cx.chain(cx.facts.object()?, name, &cx.key("target"));
        }
        let expected = "expected `record.<relationship>` or a template that gives a record";
        cx.error(code::INVALID_VALUE, &cx.key("target"), format!("{expected}, found {}", found(literal)));
        None
    }
}

/// Checks that a step says what it adds or removes.
pub(super) fn check_written(cx: &mut Check<'_, '_>) {
    if !cx.written("add") && !cx.written("remove") {
        cx.error(code::MISSING_KEY, &cx.path.clone(), "expected `add` or `remove`, found neither: nothing changes");
    }
}

/// Checks that a field takes what a step adds and removes.
pub(super) fn check_parts(cx: &mut Check<'_, '_>, field: &Field, [add, remove]: [&Option<Template>; 2]) {
    for (key, part) in [("add", add), ("remove", remove)] {
        let Some(part) = part else { continue };
        match part.literal() {
            Some(value) => cx.value_of(field, value, &cx.key(key)),
            None => cx.field_takes(field, part, &cx.key(key)),
        }
    }
}

/// The object of the records that a template gives, if it can be told; what gives no record is refused.
fn object_of_value<'a>(target: &Template, cx: &mut Check<'_, 'a>) -> Option<&'a Object> {
    let given = cx.type_of(target);
    let is_list = given.kinds.present() == Kinds::LIST;
    let one = if is_list { given.item() } else { given };
    let kinds = one.kinds.present();
    let may_be_record = kinds.meets(Kinds::OBJECT | Kinds::TEXT) || (is_list && kinds.is_empty());
    if kinds == Kinds::TEXT && (is_list || target.whole().is_some()) {
        let message = "expected `object` beside `target`, found none: the target is an id, which does not say whose";
        cx.error(code::MISSING_KEY, &cx.path.clone(), message);
    } else if !may_be_record {
        cx.error(code::WRONG_TYPE, &cx.key("target"), format!("expected a record, found {kinds}"));
    }
    let (id, _) = one.shape.as_ref().filter(|_| kinds == Kinds::OBJECT)?.object.as_ref()?;
    cx.facts.objects.get(id)
}

/// The records that a step changes, in words.
pub(super) fn target_words(target: Option<&Template>) -> String {
    let chain =
        target.and_then(Template::literal).and_then(Value::as_str).and_then(|text| text.strip_prefix("record."));
    match (target, chain) {
        (None, _) => "the record".to_owned(),
        (Some(_), Some(chain)) => format!("the {} of the record", chain.replace('.', "'s ")),
        (Some(target), None) => target.words(),
    }
}
