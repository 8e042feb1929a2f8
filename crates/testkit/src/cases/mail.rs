//! What becomes of a message, as a case tells it.

use pawl_definition::trigger::{BounceKind, MailEventKind};
use pawl_definition::{Source, value};
use pawl_engine::Subject;
use serde::Deserialize;

use crate::cases::describe::JsonSchema;
use crate::scenario::{HappeningError, Mail, World, mail};

/// What became of a message to the address of a record.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MailTold {
    /// What became of it.
    event: MailEventKind,
    /// The record that the message was sent to, `<object>/<id>`, or `<object>` if it has one only. Either `record` or `to`.
    #[serde(default)]
    pub(super) record: Option<String>,
    /// The address that it was sent to. Either `record` or `to`.
    #[serde(default)]
    pub(super) to: Option<String>,
    /// The id of the event, which tells a repeat; absent: a fresh one.
    #[serde(default)]
    id: Option<String>,
    /// The id of the message; absent: `message`.
    #[serde(default)]
    message_id: Option<String>,
    /// The template of the message.
    #[serde(default)]
    template: Option<String>,
    /// With `clicked`, the link that was followed.
    #[serde(default)]
    link: Option<String>,
    /// With `bounced`, why it could not be delivered.
    #[serde(default)]
    bounce: Option<BounceTold>,
}

/// Why a message could not be delivered.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BounceTold {
    /// Whether another attempt may succeed.
    #[serde(rename = "type")]
    kind: BounceKind,
    /// What the mail server said.
    #[serde(default)]
    reason: Option<String>,
}

impl MailTold {
    /// As a provider tells it now; `subject` is the record that is written in `record`.
    ///
    /// # Errors
    /// The record has no address, or it is not there.
    pub(super) fn told(&self, world: (&World, &[Source]), subject: Option<&Subject>) -> Result<Mail, HappeningError> {
        let to = match (&self.to, subject) {
            (Some(to), _) => to.clone(),
            (None, record) => record.and_then(|record| address(world, record)).ok_or_else(|| {
                let record = self.record.as_deref().unwrap_or_default();
                let message =
                    format!("expected a record with a value in the field of `contact.email`, found none in {record}");
                HappeningError { code: "impossible".to_owned(), message }
            })?,
        };
        let mut told = mail(self.event, &to);
        if let Some(id) = &self.id {
            told = told.id(id);
        }
        if let Some(id) = &self.message_id {
            told = told.message_id(id);
        }
        if let Some(template) = &self.template {
            told = told.template(template);
        }
        if let Some(link) = &self.link {
            told = told.link(link);
        }
        if let Some(BounceTold { kind, reason }) = &self.bounce {
            told = told.bounce(*kind, reason.as_deref());
        }
        Ok(told)
    }
}

/// The address of a record, in the field that its object names.
fn address((world, objects): (&World, &[Source]), subject: &Subject) -> Option<String> {
    let object = objects.iter().find(|object| object.value["object"] == subject.object.as_str())?;
    let field = object.value.pointer("/contact/email")?.as_str()?;
    let record = world.records(&subject.object).into_iter().find(|record| record.subject() == *subject)?;
    let address = record.fields.get(field).filter(|address| !value::is_blank(address))?;
    address.as_str().map(str::to_owned)
}
