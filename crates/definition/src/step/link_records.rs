//! `link_records`: links a record with others by a relationship, or ends such links.

use serde::Deserialize;

use super::targets::{self, Targets, target_words};
use super::{Carried, SetFields, Shape, Step, TypeFacts};
use crate::describe::JsonSchema;
use crate::expression::listed;
use crate::types::Type;
use crate::validate::Facts;
use crate::{Check, Field, FieldType, Template};

/// The step `link_records`. Of a relationship to one record, `add` takes the place of what is there.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkRecords {
    /// The relationship.
    pub relationship: String,
    /// Records to link with: their ids, or the records.
    #[serde(default)]
    pub add: Option<Template>,
    /// Records whose links end: their ids, or the records.
    #[serde(default)]
    pub remove: Option<Template>,
    /// The records that are linked with these: absent for this record, the name of a relationship (`record.company`), or a
    /// template that gives a record (`{{ vars.ticket }}`: its id, or an object with `id` and `object`) or a list of records.
    #[serde(default)]
    pub target: Option<Template>,
    /// The object of the target, if `target` gives a bare id.
    #[serde(default)]
    pub object: Option<String>,
}

impl LinkRecords {
    fn targets(&self) -> Targets<'_> {
        Targets { target: self.target.as_ref(), object: self.object.as_deref() }
    }
}

impl Shape for LinkRecords {
    fn words(&self, _: &Step) -> String {
        let parts = [("takes away", &self.remove), ("adds", &self.add)];
        let parts = parts.iter().filter_map(|(word, records)| Some(format!("{word} {}", records.as_ref()?.words())));
        format!("{} in the {} of {}", listed(parts, "and"), self.relationship, target_words(self.target.as_ref()))
    }

    fn facts() -> TypeFacts {
        SetFields::facts()
    }

    fn carries(&self, meant: &dyn Fn(&Template) -> bool) -> Carried<'_> {
        let takes = self.target.is_none() && self.add.as_ref().is_some_and(meant);
        Carried { fields: if takes { vec![self.relationship.as_str()] } else { Vec::new() }, ..Carried::default() }
    }

    fn object(&self) -> Option<&str> {
        self.object.as_deref()
    }

    fn changes_own_record(&self) -> bool {
        self.target.is_none()
    }

    fn output(&self, facts: &Facts<'_>) -> Type {
        self.targets().output(facts)
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        targets::check_written(cx);
        let Some(object) = self.targets().check(cx) else { return };
        cx.relationship(object, &self.relationship, &cx.key("relationship"));
        let Some(relationship) = object.relationships.get(&self.relationship) else { return };
        let ids = Field { many: relationship.many, ..Field::of(FieldType::Text) };
        targets::check_parts(cx, &ids, [&self.add, &self.remove]);
    }
}
