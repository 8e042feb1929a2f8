//! Takes in what people do on pages and elsewhere, as other systems post it: page views and interactions of any name.

use std::sync::Arc;

use async_recursion::async_recursion as boxed;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use pawl_definition::json::{self, Bounds};
use pawl_definition::trigger::is_interaction_kind;
use pawl_definition::{ARCHIVED_AT, Object, check_url};
use pawl_engine::{EventType, PostedInteraction, Record, RecordQuery, ResolvedTest, Subject, coerce, fields};
use serde_json::{Map, Value, json};

use crate::bus::NAME_MOST;
use crate::{Accepted, Error, Identity, Ingest, RecordError, Records, offload};

/// Takes interactions in.
pub struct Interactions {
    pub(crate) ingest: Arc<Ingest>,
    pub(crate) records: Arc<Records>,
}

/// An interaction as its sender posts it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewInteraction {
    /// Id, by which a repeat is recognised; without one each is a new one.
    pub id: Option<String>,
    /// What the person did: `page_view`, or a name of one's own.
    pub kind: String,
    /// Address of the page.
    pub url: Option<String>,
    /// Record type of the person.
    pub object: String,
    /// Which record.
    pub record: WhoseInteraction,
    /// When, RFC 3339; now if absent.
    pub time: Option<String>,
    /// What else is said of it.
    pub data: Map<String, Value>,
}

/// Which record an interaction is about.
#[derive(Debug, Clone, PartialEq)]
pub enum WhoseInteraction {
    /// The one with this id.
    Id(String),
    /// The one with this value in a unique or indexed field.
    Having {
        /// The field.
        field: String,
        /// The value.
        value: Value,
    },
}

/// Why an interaction is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum InteractionError {
    /// A key of it is not as it must be.
    #[error("{reason}")]
    Invalid {
        /// The key.
        key: &'static str,
        /// What was expected.
        reason: String,
    },
    /// The field is neither unique nor indexed, or takes no such value.
    #[error("{0}")]
    BadMatch(String),
    /// The value by which the record is found is blank.
    #[error("expected a value by which a record of {0:?} is found, found a blank one")]
    BlankMatch(String),
    /// No record has the value.
    #[error("expected a record of {object:?} with this {field}, found none")]
    NoMatch {
        /// Record type.
        object: String,
        /// The field.
        field: String,
    },
    /// Several records have the value.
    #[error("expected one record of {object:?} with this {field}, found several")]
    Ambiguous {
        /// Record type.
        object: String,
        /// The field.
        field: String,
    },
    /// The record is in the archive.
    #[error("the record {0} is in the archive, and takes no interactions")]
    Archived(Subject),
    /// The record cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Infrastructure failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl Interactions {
    /// Takes one in; once it returns, the event is durable. A repeat of an id gets the first answer, even if the record was
    /// archived or forgotten since.
    #[boxed]
    pub async fn accept(&self, new: NewInteraction) -> Result<Accepted, InteractionError> {
        let at = check(&new, self.ingest.now())?;
        let identity = identity(&new);
        let keys = EventType::Interaction.key_space().expect("interactions have keys of their own");
        if let Some(earlier) = self.ingest.earlier(keys, keys, &identity).await? {
            return Ok(earlier);
        }
        let record = self.record(&new.object, new.record).await?;
        let NewInteraction { id, kind, url, data, .. } = new;
        let posted = PostedInteraction { id, kind, url, at, data };
        let event = posted.event(record, self.ingest.now(), || self.ingest.fresh_id());
        Ok(self.ingest.accept_undecided(event, &identity).await?)
    }

    async fn record(&self, object: &str, whose: WhoseInteraction) -> Result<Subject, InteractionError> {
        let object = self.records.object(object).await?;
        match whose {
            WhoseInteraction::Id(id) => {
                let found = self.records.get(&Subject { object: object.id, id }).await?;
                if found.is_archived() { Err(InteractionError::Archived(found.subject())) } else { Ok(found.subject()) }
            }
            WhoseInteraction::Having { field, value } => self.having(&object, field, value).await,
        }
    }

    /// The one record that has a value in a field and is not in the archive.
    async fn having(&self, object: &Object, field: String, value: Value) -> Result<Subject, InteractionError> {
        let value = matched(object, &field, value)?;
        let test = |field: &str, operator, value| ResolvedTest { field: field.to_owned(), operator, value };
        let query = RecordQuery {
            any: [true, false].map(|blank| vec![test(ARCHIVED_AT, "blank", Value::Bool(blank))]).into(),
            ..RecordQuery::new(&object.id, vec![test(&field, "equals", value)], usize::MAX)
        };
        let found = self.records.find(&query).await?;
        let (archived, found): (Vec<_>, Vec<_>) = found.into_iter().partition(Record::is_archived);
        let (object, place) = (object.id.clone(), field);
        match (found.as_slice(), archived.first()) {
            ([one], _) => Ok(one.subject()),
            ([], Some(archived)) => Err(InteractionError::Archived(archived.subject())),
            ([], None) => Err(InteractionError::NoMatch { object, field: place }),
            _ => Err(InteractionError::Ambiguous { object, field: place }),
        }
    }
}

/// Checks what needs no storage, and returns when it happened.
fn check(new: &NewInteraction, now: Timestamp) -> Result<Timestamp, InteractionError> {
    let invalid = |key, reason: String| InteractionError::Invalid { key, reason };
    if new.id.as_ref().is_some_and(|id| !is_id(id)) {
        let reason = format!("expected an id of 1 to {NAME_MOST} bytes, and not blanks alone");
        return Err(invalid("id", reason));
    }
    if !is_interaction_kind(&new.kind) {
        let reason = "expected a kind such as page_view, of 1 to 128 bytes without control characters";
        return Err(invalid("kind", reason.to_owned()));
    }
    if let Some(Err(reason)) = new.url.as_deref().map(check_url) {
        return Err(invalid("url", reason));
    }
    json::check(&json!(new.data), &Bounds::OUTSIDE)
        .map_err(|bound| invalid("data", format!("the interaction has {bound}")))?;
    let time = new.time.as_deref().map_or(Ok(now), str::parse);
    time.map_err(|_| invalid("time", "expected a time such as 2027-03-02T09:00:00Z, found another text".to_owned()))
}

fn is_id(id: &str) -> bool {
    !pawl_definition::value::is_blank_text(id) && id.len() <= NAME_MOST
}

/// A repeat says the same.
fn identity(new: &NewInteraction) -> Identity {
    let NewInteraction { id, kind, url, object, record, time, data } = new;
    let record = match record {
        WhoseInteraction::Id(id) => json!({"id": id}),
        WhoseInteraction::Having { field, value } => json!({"match": {field: value}}),
    };
    let content = offload::sha256(json!([kind, url, object, record, time, data]).to_string().as_bytes());
    Identity { content: id.as_ref().map(|_| content), ..Identity::of(id.as_deref()) }
}

/// A value as the field has it, by which a record is found.
fn matched(object: &Object, field: &str, value: Value) -> Result<Value, InteractionError> {
    let found_by = object.fields.iter().filter(|(_, field)| field.unique || field.indexed);
    let names: Vec<_> = found_by.map(|(name, _)| name.as_str()).collect();
    if !names.contains(&field) {
        let expected = if names.is_empty() { "which has none".to_owned() } else { names.join(", ") };
        let message = format!("expected a unique or indexed field of {:?} ({expected}), found {field:?}", object.id);
        return Err(InteractionError::BadMatch(message));
    }
    if coerce::is_blank(&value) {
        return Err(InteractionError::BlankMatch(object.id.clone()));
    }
    let typed = fields::coerce_field(object, field, value, &TimeZone::UTC);
    typed.map_err(|error| InteractionError::BadMatch(error.message))
}
