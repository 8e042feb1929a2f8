//! What becomes of messages that were sent: delivered, opened, clicked, bounced, complained, unsubscribed.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use jiff::Timestamp;
use pawl_definition::trigger::{BounceKind, MailEventKind};
use pawl_engine::{Bounce, Event};
use pawl_runtime::mail;
use pawl_runtime::{Accepted, Identity, Repeat, offload};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use crate::body::Json;
use crate::describe::{ToSchema, operation};
use crate::problem::Sent;
use crate::state::Api;
use crate::surface::Surface;
use crate::{Code, Problem};

/// Most events of one request.
const MOST: usize = 100;

/// The routes.
pub(crate) fn routes<S: Surface>(surface: S) -> S {
    surface.on::<__path_post, _, _>(post)
}

/// What became of a message, to one recipient.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MailEvent {
    /// Id, 1 to 255 bytes, which tells a repeat.
    id: String,
    /// `delivered`, `opened`, `clicked`, `bounced`, `complained` or `unsubscribed`.
    event: String,
    /// The address that the message was sent to.
    to: String,
    /// The id of the message.
    message_id: String,
    /// Its template, as its sender names it.
    template: Option<String>,
    /// With `clicked`, the link that was followed.
    link: Option<String>,
    /// With `bounced`, why it could not be delivered.
    bounce: Option<MailBounce>,
    /// When it happened, RFC 3339; absent: now.
    time: Option<String>,
}

/// Why a message could not be delivered.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MailBounce {
    /// `permanent` (the address takes no mail) or `transient` (another attempt may succeed).
    #[serde(rename = "type")]
    kind: String,
    /// What the mail server said.
    reason: Option<String>,
}

/// One event, or up to 100.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum MailEvents {
    /// One.
    One(Box<MailEvent>),
    /// Several.
    Many(Vec<MailEvent>),
}

/// The error of the one that was meant is told, and not that it is neither.
impl<'de> Deserialize<'de> for MailEvents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let body = Value::deserialize(deserializer)?;
        let read = match body {
            Value::Array(list) if list.is_empty() => {
                return Err(serde::de::Error::custom("expected at least one event, found an empty list"));
            }
            Value::Array(_) => serde_json::from_value(body).map(Self::Many),
            one => serde_json::from_value(one).map(Self::One),
        };
        read.map_err(serde::de::Error::custom)
    }
}

/// The answer to accepted events.
#[derive(Debug, Serialize, ToSchema)]
struct AcceptedMailEvents {
    /// Each of them, in their order.
    events: Vec<AcceptedMailEvent>,
}

/// The answer to one of them.
#[derive(Debug, Serialize, ToSchema)]
struct AcceptedMailEvent {
    /// The id under which it was sent.
    id: String,
    /// The event that it became.
    event_id: String,
    /// It was accepted before, and starts nothing again.
    repeated: bool,
}

/// Takes in what became of messages. Each active workflow with a trigger `email` that matches starts once for each record that has the
/// address; an address that no record has starts nothing. An event whose id was accepted before starts nothing again. If one of
/// several has a mistake, none is accepted.
#[operation(
    post, path = "/v1/mail-events", tag = "events", operation_id = "post_mail_events",
    request_body(content = MailEvents),
    responses(
        (status = 202, description = "Accepted, durably", body = AcceptedMailEvents),
        (status = 409, body = Sent), (status = 413, body = Sent), (status = 422, body = Sent), (status = 503, body = Sent)
    )
)]
async fn post(State(api): State<Arc<Api>>, Json(body): Json<MailEvents>) -> Result<Response, Problem> {
    let ingest = &api.core.ingest;
    let now = ingest.now();
    let told = told(body, now)?;
    let mut earlier = Vec::new();
    for (at, one) in told.iter().enumerate() {
        let keys = pawl_engine::MailEvent::KEYS;
        let found = ingest.earlier(keys, keys, &one.identity).await?;
        earlier.push(same(found, at)?);
    }
    let mut events = Vec::new();
    for (at, (Told { id, event, identity }, earlier)) in told.into_iter().zip(earlier).enumerate() {
        let accepted = if let Some(earlier) = earlier {
            earlier
        } else {
            let accepted = ingest.accept_undecided(event, &identity).await?;
            same(Some(accepted), at)?.expect("it is there")
        };
        events.push(AcceptedMailEvent { id, event_id: accepted.event_id, repeated: accepted.repeat.is_some() });
    }
    Ok((StatusCode::ACCEPTED, axum::Json(AcceptedMailEvents { events })).into_response())
}

/// An event that has no mistakes.
struct Told {
    id: String,
    event: Event,
    identity: Identity,
}

fn told(body: MailEvents, now: Timestamp) -> Result<Vec<Told>, Problem> {
    let (all, is_list) = match body {
        MailEvents::One(one) => (vec![*one], false),
        MailEvents::Many(many) => (many, true),
    };
    if !(1..=MOST).contains(&all.len()) {
        let detail = format!("expected 1 to {MOST} events, found {}", all.len());
        return Err(Problem::new(Code::InvalidEvent, detail));
    }
    let mut ids = BTreeSet::new();
    let one = |(at, one): (usize, MailEvent)| {
        let wrong = |key: &str, message: String| {
            let place = if is_list { format!("[{at}].{key}") } else { key.to_owned() };
            Problem::new(Code::InvalidEvent, format!("`{place}`: {message}")).at(place)
        };
        if !ids.insert(one.id.clone()) {
            return Err(wrong("id", format!("expected each id once, found {:?} again", one.id)));
        }
        let content = offload::sha256(json!(one).to_string().as_bytes());
        let identity = Identity { content: Some(content), ..Identity::of(Some(&one.id)) };
        let id = one.id.clone();
        let event = one.read(now).map_err(|(key, message)| wrong(key, message))?;
        Ok(Told { id, event, identity })
    };
    all.into_iter().enumerate().map(one).collect()
}

impl MailEvent {
    /// The event that it is, or which key is wrong, and why.
    fn read(self, now: Timestamp) -> Result<Event, (&'static str, String)> {
        let Self { id, event, to, message_id, template, link, bounce, time } = self;
        let words = MailEventKind::OF_SENT.map(MailEventKind::word).join(", ");
        let kind = MailEventKind::of(&event).ok_or(("event", format!("expected one of {words}, found {event:?}")))?;
        let at = time.map_or(Ok(now), |time| time.parse::<Timestamp>());
        let at = at.map_err(|_| ("time", "expected a date and time such as 2026-03-02T09:00:00Z".to_owned()))?;
        let bounce = bounce.map(MailBounce::read).transpose()?;
        let told = pawl_engine::MailEvent { id, kind, to, message_id, template, link, bounce, at };
        // What was told late happened now for those who listen since then.
        mail::event(told, now).map_err(|error| (error.key, error.message))
    }
}

impl MailBounce {
    fn read(self) -> Result<Bounce, (&'static str, String)> {
        let wrong = || ("bounce.type", format!("expected permanent or transient, found {:?}", self.kind));
        let kind = BounceKind::ALL.into_iter().find(|kind| kind.word() == self.kind).ok_or_else(wrong)?;
        Ok(Bounce { kind, reason: self.reason })
    }
}

/// The answer to an earlier event of the same id and content; an error for other content.
fn same(accepted: Option<Accepted>, at: usize) -> Result<Option<Accepted>, Problem> {
    if accepted.as_ref().is_some_and(|accepted| accepted.repeat == Some(Repeat::OtherContent)) {
        let detail = format!("expected the same event as the first with the id of event {at}, found another one");
        return Err(Problem::new(Code::IdempotencyKeyReused, detail));
    }
    Ok(accepted)
}
