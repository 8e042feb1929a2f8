//! What becomes of messages, as the API takes it in.

use pawl_definition::trigger::{BounceKind, MailEventKind};
use pawl_engine::{Bounce, MailEvent};
use pawl_runtime::{Accepted, Identity};

use super::{HappeningError, World, at_once};

/// What became of a message: `mail(MailEventKind::Bounced, "ada@example.com").bounce(BounceKind::Permanent, "user unknown")`.
#[derive(Debug, Clone, PartialEq)]
pub struct Mail {
    id: Option<String>,
    kind: MailEventKind,
    to: String,
    message_id: String,
    template: Option<String>,
    link: Option<String>,
    bounce: Option<Bounce>,
}

/// What became of a message to an address.
pub fn mail(kind: MailEventKind, to: &str) -> Mail {
    let message_id = "message".to_owned();
    Mail { id: None, kind, to: to.to_owned(), message_id, template: None, link: None, bounce: None }
}

impl Mail {
    /// With this id, which tells a repeat; a fresh one without.
    #[must_use]
    pub fn id(self, id: &str) -> Self {
        Self { id: Some(id.to_owned()), ..self }
    }

    /// Of this message.
    #[must_use]
    pub fn message_id(self, message_id: &str) -> Self {
        Self { message_id: message_id.to_owned(), ..self }
    }

    /// Of this template.
    #[must_use]
    pub fn template(self, template: &str) -> Self {
        Self { template: Some(template.to_owned()), ..self }
    }

    /// This link was followed.
    #[must_use]
    pub fn link(self, link: &str) -> Self {
        Self { link: Some(link.to_owned()), ..self }
    }

    /// Why it could not be delivered.
    #[must_use]
    pub fn bounce(self, kind: BounceKind, reason: Option<&str>) -> Self {
        Self { bounce: Some(Bounce { kind, reason: reason.map(str::to_owned) }), ..self }
    }
}

impl World {
    /// A provider tells what became of a message.
    pub fn hear_of_mail(&self, mail: Mail) -> Result<Accepted, HappeningError> {
        let ingest = &self.system.ingest;
        let Mail { id, kind, to, message_id, template, link, bounce } = mail;
        let id = id.unwrap_or_else(|| ingest.fresh_id());
        let identity = Identity::of(Some(&id));
        let at = self.now();
        let event = pawl_runtime::mail::event(MailEvent { id, kind, to, message_id, template, link, bounce, at }, at);
        let event = event.map_err(|error| HappeningError::new("invalid_event", error.to_string()))?;
        let accepted = match at_once(ingest.earlier(MailEvent::KEYS, MailEvent::KEYS, &identity)) {
            Ok(None) => at_once(ingest.accept_undecided(event, &identity)),
            earlier => earlier.map(|earlier| earlier.expect("it is there")),
        };
        accepted.map_err(|error| HappeningError::new("failed", error.to_string()))
    }
}
