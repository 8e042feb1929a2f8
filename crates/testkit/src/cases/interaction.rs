//! An interaction of a person, as a case tells it.

use pawl_engine::Subject;
use pawl_runtime::{NewInteraction, WhoseInteraction};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::cases::describe::JsonSchema;

/// An interaction that is posted, with the keys of the API.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PostedInteraction {
    /// Id, by which a repeat is recognised; absent: a fresh one.
    #[serde(default)]
    id: Option<String>,
    /// What the person did, such as `page_view`.
    kind: String,
    /// Address of the page.
    #[serde(default)]
    url: Option<String>,
    /// The record, `<object>/<id>`, or `<object>` if it has one only; or `object` and `match`.
    #[serde(default)]
    pub(super) record: Option<String>,
    /// Record type of the record that `match` finds.
    #[serde(default)]
    pub(super) object: Option<String>,
    /// One unique or indexed field and the value that the record has there.
    #[serde(default)]
    pub(super) r#match: Option<Map<String, Value>>,
    /// When it happened, RFC 3339; absent: now.
    #[serde(default)]
    time: Option<String>,
    /// What else is said of it.
    #[serde(default)]
    data: Map<String, Value>,
}

impl PostedInteraction {
    /// What is wrong with its keys: a record is named in one way.
    pub(super) fn wrong(&self) -> Option<&'static str> {
        match (&self.record, &self.object, &self.r#match) {
            (Some(_), None, None) => None,
            (None, Some(_), Some(having)) if having.len() == 1 => None,
            (None, Some(_), Some(_)) => Some("expected one field with its value in `match`"),
            _ => Some("expected either `record`, or `object` and `match`"),
        }
    }

    /// What is posted; the record is the one that `record` names.
    pub(super) fn posted(&self, record: Option<Subject>) -> NewInteraction {
        let Self { id, kind, url, object, r#match, time, data, .. } = self.clone();
        let (object, record) = if let Some(Subject { object, id }) = record {
            (object, WhoseInteraction::Id(id))
        } else {
            let (field, value) = r#match.unwrap_or_default().into_iter().next().unwrap_or_default();
            (object.unwrap_or_default(), WhoseInteraction::Having { field, value })
        };
        NewInteraction { id, kind, url, object, record, time, data }
    }
}
