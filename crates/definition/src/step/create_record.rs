//! `create_record`: makes a record.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::set_fields::{self, FieldChange, changes_words};
use super::{Shape, Step};
use crate::describe::JsonSchema;
use crate::object::{OWNER, STAGE};
use crate::source::TextPlaces;
use crate::types::Type;
use crate::validate::Facts;
use crate::who::Who;
use crate::{Check, Object, Template, code};

/// What to do if a unique field already has the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnDuplicate {
    /// The record that is there becomes the output.
    Use,
    /// A number is added to the value, ` (2)`.
    Suffix,
    /// The step fails.
    #[default]
    Error,
    /// The record that is there comes back from the archive and becomes the output.
    Unarchive,
    /// The record that is there takes the values, and becomes the output.
    Update,
}

/// What to do if the record that already has the value of a unique field is in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnArchived {
    /// It comes back as it is, and becomes the output.
    Unarchive,
    /// It comes back, takes the values, and becomes the output.
    Overwrite,
    /// A number is added to the value, ` (2)`.
    Suffix,
    /// The step fails.
    Error,
}

/// The relationship of this record that is to lead to the new one, with how it is changed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkTo {
    /// The relationship.
    pub relationship: String,
    /// Only if it leads to no record yet.
    #[serde(default)]
    pub if_blank: bool,
    /// Added to the records that are there, which a relationship to many does anyway.
    #[serde(default)]
    pub add: bool,
}

/// A link as written: the relationship alone, or [`LinkTo`].
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum WrittenLink {
    Name(String),
    Link(LinkTo),
}

fn link<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<LinkTo>, D::Error> {
    Ok(Some(match WrittenLink::deserialize(deserializer)? {
        WrittenLink::Name(relationship) => LinkTo { relationship, if_blank: false, add: false },
        WrittenLink::Link(link) => link,
    }))
}

/// The step `create_record`. Output: the record.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateRecord {
    /// Record type.
    pub object: String,
    /// Values by field: a value, or a change as in `set_fields`, of a field that is blank.
    #[serde(default, deserialize_with = "set_fields::fields")]
    #[schemars(with = "BTreeMap<String, set_fields::Written>")]
    pub fields: BTreeMap<String, FieldChange>,
    /// Relationship of the new record that is to point to this record.
    #[serde(default)]
    pub link_back: Option<String>,
    /// Relationship of this record that is to lead to the new record.
    #[serde(default, deserialize_with = "link")]
    #[schemars(with = "Option<WrittenLink>")]
    pub link: Option<LinkTo>,
    /// Its owner.
    #[serde(default)]
    pub owner: Option<Who>,
    /// Its stage; the first of the object if absent.
    #[serde(default)]
    pub stage: Option<Template>,
    /// What to do if a unique field already has the value.
    #[serde(default)]
    pub on_duplicate: OnDuplicate,
    /// What to do if the record that has the value is in the archive; as `on_duplicate` says if absent.
    #[serde(default)]
    pub on_archived: Option<OnArchived>,
}

impl CreateRecord {
    /// The changes by field, with the stage and without `owner`.
    pub fn changes(&self) -> impl Iterator<Item = (&str, FieldChange)> {
        let set = |value| (STAGE, FieldChange { set: Some(value), ..FieldChange::default() });
        let stage = self.stage.clone().map(set);
        self.fields.iter().map(|(name, change)| (name.as_str(), change.clone())).chain(stage)
    }
}

impl Shape for CreateRecord {
    fn words(&self, _: &Step) -> String {
        let fields = if self.fields.is_empty() { String::new() } else { format!(": {}", changes_words(&self.fields)) };
        let again = match self.on_duplicate {
            OnDuplicate::Error => "",
            OnDuplicate::Use => ", or uses the one that is there already",
            OnDuplicate::Update => ", or changes the one that is there already",
            OnDuplicate::Suffix => ", with a number behind a name that is taken",
            OnDuplicate::Unarchive => ", or takes the one that is there out of the archive",
        };
        let owner = self.owner.as_ref().map_or(String::new(), |owner| format!(", owned by {}", owner.words()));
        let stage = self.stage.as_ref().map_or(String::new(), |stage| format!(", in the stage {}", stage.words()));
        format!("creates a record of {}{again}{owner}{stage}{fields}", self.object)
    }

    fn wants_text(keys: &Value, place: &[&str], file: &TextPlaces<'_>) -> bool {
        matches!(place, ["fields", name, ..] if file.object(keys.get("object")).is_some_and(|object| object.takes_text(name)))
    }

    fn object(&self) -> Option<&str> {
        Some(&self.object)
    }

    fn changes_own_record(&self) -> bool {
        self.link.is_some()
    }

    fn reads_definitions(&self) -> bool {
        self.owner.is_some() || self.fields.contains_key(OWNER)
    }

    fn reads_owner(&self) -> bool {
        self.owner.as_ref().is_some_and(Who::reads_owner)
    }

    fn output(&self, facts: &Facts<'_>) -> Type {
        facts.objects.get(&self.object).map_or_else(Type::any, Type::of_record)
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        for key in ["link_back", "link"] {
            if cx.facts.object_id.is_none() && cx.written(key) {
                let message =
                    "expected a workflow with an `object`, found a global one: there is no record to link with";
                cx.error(code::NO_RECORD, &cx.key(key), message);
            }
        }
        let Some(object) = cx.object(&self.object, &cx.key("object")) else { return };
        for (name, change) in &self.fields {
            let path = cx.key("fields").key(name);
            change.check(&path, cx);
            change.check_against(object, name, &path, cx);
        }
        for key in [OWNER, STAGE] {
            if cx.written(key) && self.fields.contains_key(key) {
                let message = format!("expected `{key}` once, found it here and in `fields`");
                cx.error(code::EXACTLY_ONE, &cx.key(key), message);
            }
        }
        if let Some(stage) = &self.stage {
            cx.field_value(object, STAGE, stage.literal(), &cx.key(STAGE));
            cx.field_takes_of(object, STAGE, stage, &cx.key(STAGE));
        }
        if let Some(owner) = &self.owner {
            owner.check(&cx.key(OWNER), cx);
        }
        check_required(object, cx);
        self.check_link(object, cx);
        if let Some(name) = &self.link_back {
            cx.relationship(object, name, &cx.key("link_back"));
        }
    }
}

impl CreateRecord {
    /// The relationship must lead to records of the new one's object.
    fn check_link(&self, object: &Object, cx: &mut Check<'_, '_>) {
        let (Some(link), Some(own)) = (&self.link, cx.facts.object()) else { return };
        let inner = cx.key("link").key("relationship");
        let path = if cx.written_at(&["link", "relationship"]) { inner } else { cx.key("link") };
        cx.relationship(own, &link.relationship, &path);
        let Some(relationship) = own.relationships.get(&link.relationship) else { return };
        if relationship.object != object.id {
            let message = format!(
                "expected a relationship with {:?}, found {:?}, which leads to {:?}",
                object.id, link.relationship, relationship.object
            );
            cx.error(code::INVALID_VALUE, &path, message);
        }
        let key = if link.add { "add" } else { "if_blank" };
        let is_wrong = (link.add && !relationship.many) || (link.if_blank && relationship.many);
        if is_wrong {
            let found = if relationship.many { "to many" } else { "to one record" };
            let message = format!("`{key}` has no place here: {:?} is a relationship {found}", link.relationship);
            cx.error(code::NOT_ALLOWED, &cx.key("link").key(key), message);
        }
    }
}

fn check_required(object: &Object, cx: &mut Check<'_, '_>) {
    let required = object.fields.iter().filter(|(_, field)| field.required && field.default.is_none());
    for (name, _) in required.filter(|(name, _)| !cx.written_at(&["fields", name])).collect::<Vec<_>>() {
        let message = format!("missing field {name:?}: object {:?} requires it", object.id);
        let path = if cx.written("fields") { cx.key("fields") } else { cx.path.clone() };
        cx.error(code::MISSING_KEY, &path, message);
    }
}
