//! What became of a message: told to each record that has its address.

use jiff::{SignedDuration, Timestamp};
use pawl_definition::Object;
use pawl_definition::trigger::address_field;
use pawl_engine::{Event, RecordQuery, ResolvedTest};

use super::Evaluator;
use crate::message::EventMessage;
use crate::ports::{Message, QueueName};
use crate::{Error, Finder, TopicReads};

/// Records with one address that are told at once. More are told in messages of their own, each of which can fail alone.
const AT_ONCE: usize = 8;

impl Evaluator {
    /// Evaluates the event of a message for each record that has its address, of each object that says in which field its records have
    /// one. Nobody is told of an address that no record has. Doing it again starts nothing twice: the event about a record has an id of
    /// the message's event and the record.
    pub(super) async fn mail(
        &self,
        (event, address): (&Event, &str),
        deadline: Option<Timestamp>,
    ) -> Result<(), Error> {
        let installation = self.catalog.read_installation().await?;
        let objects = self.catalog.objects(installation.objects_revision).await?;
        objects.require_objects()?;
        let mut events = Vec::new();
        for object in objects.values() {
            let Some(field) = address_field(object) else { continue };
            events.extend(self.of_records(event, object, (field, address)).await?);
        }
        if events.is_empty() {
            tracing::debug!(event_id = %event.id, "no record has the address of event {}", event.id);
        }
        if events.len() > AT_ONCE {
            let messages = events.into_iter().map(message).collect();
            return Ok(self.events.send(QueueName::Events, messages).await?);
        }
        let mut result = Ok(());
        for event in events {
            result = result.and(self.evaluate_with(event, &TopicReads::default(), deadline).await);
        }
        result
    }

    /// The event about each record of an object that has an address in a field, archived ones aside.
    async fn of_records(
        &self,
        event: &Event,
        object: &Object,
        (field, address): (&str, &str),
    ) -> Result<Vec<Event>, Error> {
        let finder = Finder::new(self.tables.clone(), self.catalog.shared_unreadable()).strict();
        let test = ResolvedTest { field: field.to_owned(), operator: "equals", value: address.into() };
        let found = finder.find(&RecordQuery::new(&object.id, vec![test], usize::MAX), Some(object)).await?;
        if let Some(error) = found.refused {
            return Err(Error::Poison(format!(
                "too many records of {:?} have the address of a message: {error}",
                object.id
            )));
        }
        Ok(found.records.iter().map(|record| event.about(&record.subject())).collect())
    }
}

fn message(event: Event) -> Message {
    let group = event.subject.as_ref().map(ToString::to_string).unwrap_or_default();
    let body = serde_json::to_string(&EventMessage::Event(Box::new(event))).expect("an event is JSON");
    Message { body, delay: SignedDuration::ZERO, group }
}
