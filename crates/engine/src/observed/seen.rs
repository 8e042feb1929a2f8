//! A record as a decision saw it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use pawl_definition::{Object, value};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Record, Subject};

/// A record, as far as a decision may have read it. A field that is absent here was absent, or not read. Stored, do not
/// rename.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Seen {
    /// Its object; left out of the record of the execution.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Its id; left out of the record of the execution.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its version; 0 if there was no record.
    #[serde(rename = "v")]
    pub version: u64,
    /// The fields that may have been read.
    #[serde(rename = "f", default, skip_serializing_if = "Map::is_empty")]
    pub fields: Map<String, Value>,
    /// When it was made, if that may have been read.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it last changed, if that may have been read.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// When it was put into the archive, if it was there.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<Timestamp>,
    /// When its values were forgotten, if they were.
    #[serde(rename = "g", default, skip_serializing_if = "Option::is_none")]
    pub forgotten: Option<Timestamp>,
}

/// What of a record may be read.
pub(super) enum Part {
    /// All of it.
    Whole,
    /// These names.
    Names(BTreeSet<String>),
}

impl Part {
    fn has(&self, name: &str) -> bool {
        match self {
            Self::Whole => true,
            Self::Names(names) => names.contains(name),
        }
    }
}

impl Seen {
    /// A part of the record of the execution.
    pub(super) fn own(record: &Record, part: &Part) -> Self {
        let fields = record.fields.iter().filter(|(name, _)| part.has(name));
        Self {
            object: None,
            id: None,
            version: record.version,
            fields: fields.map(|(name, value)| (name.clone(), value.clone())).collect(),
            created_at: part.has("created_at").then_some(record.created_at),
            updated_at: part.has("updated_at").then_some(record.updated_at),
            archived_at: record.archived_at,
            forgotten: record.forgotten,
        }
    }

    /// A part of another record.
    pub(super) fn other(record: &Record, part: &Part) -> Self {
        Self { object: Some(record.object.clone()), id: Some(record.id.clone()), ..Self::own(record, part) }
    }

    /// The record, as far as it is known; `own` names the record of the execution. `None` if there was no record.
    pub(crate) fn record(&self, own: Option<&Subject>) -> Option<Record> {
        let never = Timestamp::UNIX_EPOCH;
        (self.version > 0).then_some(Record {
            object: self.object.clone().or_else(|| own.map(|own| own.object.clone()))?,
            id: self.id.clone().or_else(|| own.map(|own| own.id.clone()))?,
            version: self.version,
            fields: self.fields.clone(),
            created_at: self.created_at.unwrap_or(never),
            updated_at: self.updated_at.unwrap_or(never),
            archived_at: self.archived_at,
            forgotten: self.forgotten,
            cause: None,
        })
    }

    /// The record that an output shows whole.
    pub(crate) fn shown(view: &Value) -> Option<Record> {
        let mut fields = view.as_object()?.clone();
        let mut text = |key: &str| fields.remove(key)?.as_str().map(str::to_owned);
        let (id, object) = (text("id")?, text("object")?);
        let (created_at, updated_at) = (text("created_at")?.parse().ok()?, text("updated_at")?.parse().ok()?);
        let archived_at = fields.remove("archived_at").and_then(|at| at.as_str()?.parse().ok());
        fields.retain(|name, value| !Object::GIVEN.contains(&name.as_str()) || !value::is_blank(value));
        Some(Record {
            object,
            id,
            version: 1,
            fields,
            created_at,
            updated_at,
            archived_at,
            forgotten: None,
            cause: None,
        })
    }
}
