//! `change_tags`: adds tags to a record, or takes tags away.

use serde::Deserialize;
use serde_json::Value;

use super::targets::target_words;
use super::{Carried, FieldChange, SetFields, Shape, Step, TypeFacts, targets};
use crate::describe::JsonSchema;
use crate::expression::listed;
use crate::object::TAGS;
use crate::source::TextPlaces;
use crate::types::Type;
use crate::validate::Facts;
use crate::{Check, Field, FieldType, Template};

/// The step `change_tags`. It is [`SetFields`] of the one field `tags`. What is both removed and added is there afterwards.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeTags {
    /// A tag to add, or a list of tags.
    #[serde(default)]
    pub add: Option<Template>,
    /// A tag to remove, or a list of tags.
    #[serde(default)]
    pub remove: Option<Template>,
    /// The records: absent for this record, the name of a relationship (`record.company`), or a template that gives a record
    /// (`{{ vars.ticket }}`: its id, or an object with `id` and `object`) or a list of records.
    #[serde(default)]
    pub target: Option<Template>,
    /// The object of the target, if `target` gives a bare id.
    #[serde(default)]
    pub object: Option<String>,
}

impl ChangeTags {
    /// The change of fields that it is.
    pub fn change(&self) -> SetFields {
        let change = FieldChange { add: self.add.clone(), remove: self.remove.clone(), ..FieldChange::default() };
        SetFields::one(TAGS, change, self.target.clone(), self.object.clone())
    }
}

impl Shape for ChangeTags {
    fn words(&self, _: &Step) -> String {
        let parts = [("removes", &self.remove), ("adds", &self.add)];
        let parts = parts.iter().filter_map(|(word, tags)| Some(format!("{word} the tags {}", tags.as_ref()?.words())));
        format!("{}, of {}", listed(parts, "and"), target_words(self.target.as_ref()))
    }

    fn facts() -> TypeFacts {
        SetFields::facts()
    }

    fn wants_text(_: &Value, place: &[&str], _: &TextPlaces<'_>) -> bool {
        matches!(place, ["add" | "remove", ..])
    }

    fn carries(&self, meant: &dyn Fn(&Template) -> bool) -> Carried<'_> {
        let takes = self.target.is_none() && self.add.as_ref().is_some_and(meant);
        Carried { fields: if takes { vec![TAGS] } else { Vec::new() }, ..Carried::default() }
    }

    fn object(&self) -> Option<&str> {
        self.object.as_deref()
    }

    fn changes_own_record(&self) -> bool {
        self.target.is_none()
    }

    fn output(&self, facts: &Facts<'_>) -> Type {
        self.change().output(facts)
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        self.change().targets().check(cx);
        targets::check_written(cx);
        let tags = Field { many: true, ..Field::of(FieldType::Text) };
        targets::check_parts(cx, &tags, [&self.add, &self.remove]);
    }
}
