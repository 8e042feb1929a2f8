//! `set_stage`: moves a record to a stage of its object.

use serde::Deserialize;

use super::targets::target_words;
use super::{Carried, FieldChange, SetFields, Shape, Step, TypeFacts};
use crate::describe::JsonSchema;
use crate::object::STAGE;
use crate::types::Type;
use crate::validate::Facts;
use crate::{Check, Template, code};

/// The step `set_stage`. It is [`SetFields`] of the one field `stage`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetStage {
    /// The stage: one of `stages` of the object.
    pub stage: Template,
    /// The records: absent for this record, the name of a relationship (`record.company`), or a template that gives a record
    /// (`{{ vars.ticket }}`: its id, or an object with `id` and `object`) or a list of records.
    #[serde(default)]
    pub target: Option<Template>,
    /// The object of the target, if `target` gives a bare id.
    #[serde(default)]
    pub object: Option<String>,
}

impl SetStage {
    /// The change of fields that it is.
    pub fn change(&self) -> SetFields {
        let set = FieldChange { set: Some(self.stage.clone()), ..FieldChange::default() };
        SetFields::one(STAGE, set, self.target.clone(), self.object.clone())
    }
}

impl Shape for SetStage {
    fn words(&self, _: &Step) -> String {
        format!("moves {} to the stage {}", target_words(self.target.as_ref()), self.stage.words())
    }

    fn facts() -> TypeFacts {
        SetFields::facts()
    }

    fn carries(&self, meant: &dyn Fn(&Template) -> bool) -> Carried<'_> {
        let fields = if self.target.is_none() && meant(&self.stage) { vec![STAGE] } else { Vec::new() };
        Carried { fields, ..Carried::default() }
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
        let Some(object) = self.change().targets().check(cx) else { return };
        if object.stages.is_empty() {
            let message = format!("expected an object with `stages`, found {:?}, which has none", object.id);
            cx.error(code::UNKNOWN_FIELD, &cx.key(STAGE), message);
            return;
        }
        cx.field_value(object, STAGE, self.stage.literal(), &cx.key(STAGE));
        cx.field_takes_of(object, STAGE, &self.stage, &cx.key(STAGE));
    }
}
