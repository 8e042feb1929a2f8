//! An object: the schema of one record type.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::describe::JsonSchema;

/// The field that holds the stage of a record, if its object has stages.
pub const STAGE: &str = "stage";

/// The field that holds the member who owns a record.
pub const OWNER: &str = "owner";

/// The field that holds the tags of a record: texts, each once.
pub const TAGS: &str = "tags";

/// When a record was put into the archive; null while it is not there.
pub const ARCHIVED_AT: &str = "archived_at";

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// Text.
    Text,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A date, `2026-11-21`.
    Date,
    /// A point in time, RFC 3339.
    Datetime,
    /// A UUID.
    Uuid,
    /// A telephone number.
    Phone,
    /// An e-mail address.
    Email,
    /// One of `options`.
    Option,
    /// The address of a member.
    Member,
    /// Any JSON object.
    Object,
    /// An address of the web, `https://example.com`.
    Url,
    /// An amount with its currency, `{amount: 12.5, currency: EUR}`.
    Money,
    /// A file that was uploaded: `{id, name, media_type, size, pages}`.
    File,
}

/// One field of an object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own in the file")]
pub struct Field {
    /// Type of its value, or of each of its values.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Allowed values of an `option` field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// A list of values.
    #[serde(default)]
    pub many: bool,
    /// A record without it is refused.
    #[serde(default)]
    pub required: bool,
    /// No two records of the object share a value.
    #[serde(default)]
    pub unique: bool,
    /// Records can be found by this field without reading all of them; implied by `unique`.
    #[serde(default)]
    pub indexed: bool,
    /// Value of a new record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
}

impl Field {
    /// A field of a type, with nothing else said of it.
    pub fn of(kind: FieldType) -> Self {
        Self {
            kind,
            name: None,
            options: Vec::new(),
            many: false,
            required: false,
            unique: false,
            indexed: false,
            default: None,
        }
    }
}

/// A relationship: a field that holds the id of a record of another object (or a list of ids).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Relationship {
    /// The other object.
    pub object: String,
    /// A list of records.
    #[serde(default)]
    pub many: bool,
}

/// The schema of a record type, as written in an `*.object.yaml` file.
///
/// Every record also has `id`, `created_at`, `updated_at`, `archived_at`, `owner`, `tags` and, if the object has stages,
/// `stage`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// Id, `[a-z0-9_]{1,64}`.
    #[serde(rename = "object")]
    #[schemars(regex(pattern = r"^[a-z0-9_]{1,64}$"))]
    pub id: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Fields by name.
    #[serde(default)]
    pub fields: BTreeMap<String, Field>,
    /// Stages of its pipeline, in order; a new record has the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<String>,
    /// Relationships by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub relationships: BTreeMap<String, Relationship>,
    /// The field that people see as the name of a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// How a record can be written to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
}

/// The fields by which a record can be written to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// A field of the type `email`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// A field of the type `phone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

impl Object {
    /// What every record has beside the fields of its object, and no step writes as a field.
    pub const BUILT_IN: &'static [&'static str] = &["id", "object", "created_at", "updated_at", ARCHIVED_AT];

    /// What every record has beside the fields of its object, and is written as they are.
    pub const GIVEN: &'static [&'static str] = &[OWNER, TAGS];

    /// Whether every record has this name, so that no object can give it to a field of its own.
    pub fn is_taken(name: &str) -> bool {
        name == STAGE || Self::BUILT_IN.contains(&name) || Self::GIVEN.contains(&name)
    }

    /// A field by name: as written, or the stage, or what every record has; `None` for a relationship.
    pub fn field(&self, name: &str) -> Option<Cow<'_, Field>> {
        let given = || match name {
            STAGE if !self.stages.is_empty() => {
                Some(Field { options: self.stages.clone(), ..Field::of(FieldType::Option) })
            }
            "id" | "object" => Some(Field::of(FieldType::Text)),
            OWNER => Some(Field::of(FieldType::Member)),
            TAGS => Some(Field { many: true, ..Field::of(FieldType::Text) }),
            "created_at" | "updated_at" | ARCHIVED_AT => Some(Field::of(FieldType::Datetime)),
            _ => None,
        };
        self.fields.get(name).map(Cow::Borrowed).or_else(|| given().map(Cow::Owned))
    }

    /// The names of the unique fields: a value of one of them names at most one record.
    pub fn unique_names(&self) -> Vec<&str> {
        self.fields.iter().filter(|(_, field)| field.unique).map(|(name, _)| name.as_str()).collect()
    }

    /// Every name that may follow `record.`: fields, relationships, the stage, and what every record has.
    pub fn names(&self) -> Vec<&str> {
        let own = self.fields.keys().chain(self.relationships.keys()).map(String::as_str);
        let stage = (!self.stages.is_empty()).then_some(STAGE);
        own.chain(stage).chain(Self::GIVEN.iter().copied()).chain(Self::BUILT_IN.iter().copied()).collect()
    }
}
