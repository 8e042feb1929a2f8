//! A site or an app posts what people do there.

use pawl_runtime::{Accepted, InteractionError, NewInteraction, RecordError, Repeat, WhoseInteraction};
use serde_json::{Map, Value};

use super::{Happening, HappeningError, World, at_once};

/// A person whom a record stands for does something: `interaction("page_view", "lead", "ada")`.
pub fn interaction(kind: &str, object: &str, id: &str) -> NewInteraction {
    NewInteraction {
        id: None,
        kind: kind.to_owned(),
        url: None,
        object: object.to_owned(),
        record: WhoseInteraction::Id(id.to_owned()),
        time: None,
        data: Map::new(),
    }
}

/// A person views a page.
pub fn page_view(url: &str, object: &str, id: &str) -> NewInteraction {
    NewInteraction { url: Some(url.to_owned()), ..interaction("page_view", object, id) }
}

/// The record is the one with this value in a field.
pub fn whose(field: &str, value: Value) -> WhoseInteraction {
    WhoseInteraction::Having { field: field.to_owned(), value }
}

impl From<NewInteraction> for Happening {
    fn from(posted: NewInteraction) -> Self {
        Self::Interaction(posted)
    }
}

impl World {
    /// Posts an interaction, and says what its sender is answered.
    pub fn post_interaction(&self, posted: NewInteraction) -> Result<Accepted, HappeningError> {
        let accepted = at_once(self.system.interactions.accept(posted));
        let accepted = accepted.map_err(|error| HappeningError::new(word(&error), error.to_string()))?;
        if accepted.repeat == Some(Repeat::OtherContent) {
            let message = "expected the same interaction as the first with this id, found another one";
            return Err(HappeningError::new("idempotency_key_reused", message));
        }
        Ok(accepted)
    }
}

/// The code that the API answers.
fn word(error: &InteractionError) -> &'static str {
    match error {
        InteractionError::Invalid { .. } => "invalid_event",
        InteractionError::BadMatch(_) => "bad_filter",
        InteractionError::BlankMatch(_) => "blank_match",
        InteractionError::Ambiguous { .. } => "ambiguous_record",
        InteractionError::Archived(_) => "record_archived",
        InteractionError::NoMatch { .. } | InteractionError::Record(RecordError::NotFound(_)) => "no_record",
        InteractionError::Record(RecordError::UnknownObject(_)) => "no_object",
        InteractionError::Record(RecordError::Forgotten(..)) => "record_forgotten",
        InteractionError::Record(_) | InteractionError::Failed(_) => "failed",
    }
}
