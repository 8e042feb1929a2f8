//! `assign_owner`: gives a record an owner.

use serde::Deserialize;

use super::targets::{Targets, target_words};
use super::{Carried, Shape, Step, TypeFacts};
use crate::describe::JsonSchema;
use crate::object::OWNER;
use crate::types::Type;
use crate::validate::Facts;
use crate::who::Who;
use crate::{Check, Template};

/// The step `assign_owner`. Output and change are those of `set_fields` on the field `owner`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignOwner {
    /// Who becomes the owner.
    pub to: Who,
    /// The records: absent for this record, the name of a relationship (`record.company`), or a template that gives a record
    /// (`{{ vars.ticket }}`: its id, or an object with `id` and `object`) or a list of records, which get the same owner.
    #[serde(default)]
    pub target: Option<Template>,
    /// The object of the target, if `target` gives a bare id.
    #[serde(default)]
    pub object: Option<String>,
    /// Only a record that has no owner gets one.
    #[serde(default)]
    pub if_blank: bool,
}

impl AssignOwner {
    fn targets(&self) -> Targets<'_> {
        Targets { target: self.target.as_ref(), object: self.object.as_deref() }
    }
}

impl Shape for AssignOwner {
    fn words(&self, _: &Step) -> String {
        let only = if self.if_blank { ", if there is no owner yet" } else { "" };
        format!("makes {} the owner of {}{only}", self.to.words(), target_words(self.target.as_ref()))
    }

    fn facts() -> TypeFacts {
        TypeFacts { reads_record: true, ..TypeFacts::PLAIN }
    }

    fn carries(&self, meant: &dyn Fn(&Template) -> bool) -> Carried<'_> {
        let takes = self.target.is_none() && matches!(&self.to, Who::Value(value) if meant(value));
        Carried { fields: if takes { vec![OWNER] } else { Vec::new() }, ..Carried::default() }
    }

    fn object(&self) -> Option<&str> {
        self.object.as_deref()
    }

    fn changes_own_record(&self) -> bool {
        self.target.is_none()
    }

    fn reads_definitions(&self) -> bool {
        true
    }

    fn reads_owner(&self) -> bool {
        self.to.reads_owner()
    }

    fn output(&self, facts: &Facts<'_>) -> Type {
        self.targets().output(facts)
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        self.targets().check(cx);
        self.to.check(&cx.key("to"), cx);
    }
}
