//! A record as executions see it.

use jiff::Timestamp;
use pawl_definition::{ARCHIVED_AT, Object, TAGS};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::Cause;

/// One record of an object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Record type.
    pub object: String,
    /// Id, unique in its object.
    pub id: String,
    /// Counts its writes, from 1.
    pub version: u64,
    /// Values by field; an empty field is absent or null.
    pub fields: Map<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was put into the archive; it is there while this is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<Timestamp>,
    /// When its values were forgotten: it stands for a record that was, and takes no others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forgotten: Option<Timestamp>,
    /// What caused its last change, if an execution did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
}

impl Record {
    /// Its key in causes, waiters and guards: `<object>/<id>`.
    pub fn subject(&self) -> Subject {
        Subject { object: self.object.clone(), id: self.id.clone() }
    }

    /// Whether it is in the archive.
    pub fn is_archived(&self) -> bool {
        self.archived_at.is_some()
    }

    /// The next version of it, to be changed further.
    #[must_use]
    pub fn next(&self, now: Timestamp, cause: Option<Cause>) -> Self {
        Self { version: self.version + 1, updated_at: now, cause, ..self.clone() }
    }

    /// As expressions and people see it: its fields with what every record has.
    pub fn view(&self) -> Value {
        let mut view = self.fields.clone();
        for name in Object::GIVEN {
            let empty = if *name == TAGS { json!([]) } else { Value::Null };
            view.entry(*name).or_insert(empty);
        }
        view.insert("id".into(), self.id.clone().into());
        view.insert("object".into(), self.object.clone().into());
        view.insert("created_at".into(), self.created_at.to_string().into());
        view.insert("updated_at".into(), self.updated_at.to_string().into());
        view.insert(ARCHIVED_AT.into(), json!(self.archived_at));
        Value::Object(view)
    }
}

/// Names a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subject {
    /// Record type.
    pub object: String,
    /// Id.
    pub id: String,
}

impl Subject {
    /// The topic of its changes, on which goals wait.
    pub fn topic(&self) -> String {
        format!("record/{self}")
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.object, self.id)
    }
}

/// A change of one record, to be committed with the step that decided it.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordWrite {
    /// The record as it was read; `None` if it must not exist yet.
    pub before: Option<Record>,
    /// The record as it will be.
    pub after: Record,
}
