//! What Amazon SES publishes on the event bus, source `aws.ses`, as events.
//!
//! <https://docs.aws.amazon.com/ses/latest/dg/monitoring-eventbridge.html>, whose detail has the shape of
//! <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>. Only AWS can send under this source.

use std::collections::BTreeMap;

use jiff::Timestamp;
use pawl_definition::trigger::{BounceKind, MailEventKind};
use pawl_engine::{Bounce, Event, MailEvent};
use serde::Deserialize;
use serde_json::Value;

use super::TEXT_MOST;
use crate::bus::BusError;
use crate::items::misshapen;

/// The source of its events.
const SOURCE: &str = "aws.ses";

/// The tag of a message that names its template: SES tells the template of no message that it sent.
const TEMPLATE_TAG: &str = "template";

#[derive(Deserialize)]
struct Envelope {
    id: String,
    time: Timestamp,
    detail: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    event_type: String,
    mail: Mail,
    bounce: Option<NotDelivered>,
    complaint: Option<Complaint>,
    delivery: Option<Delivery>,
    open: Option<Seen>,
    click: Option<Seen>,
    subscription: Option<Subscription>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mail {
    message_id: String,
    #[serde(default)]
    destination: Vec<String>,
    #[serde(default)]
    tags: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NotDelivered {
    bounce_type: String,
    bounce_sub_type: Option<String>,
    bounced_recipients: Vec<Recipient>,
    timestamp: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    email_address: String,
    diagnostic_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    complained_recipients: Vec<Recipient>,
    timestamp: Timestamp,
}

#[derive(Deserialize)]
struct Delivery {
    recipients: Vec<String>,
    timestamp: Timestamp,
}

/// A message was opened, or a link of it was followed.
#[derive(Deserialize)]
struct Seen {
    timestamp: Timestamp,
    link: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscription {
    timestamp: Timestamp,
    new_topic_preferences: Preferences,
    #[serde(default)]
    old_topic_preferences: Preferences,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Preferences {
    unsubscribe_all: bool,
    topic_subscription_status: Vec<Topic>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Topic {
    topic_name: String,
    subscription_status: String,
}

/// What happened to some recipients of a message.
struct Told {
    kind: MailEventKind,
    at: Timestamp,
    to: Vec<(String, Option<Bounce>)>,
    link: Option<String>,
}

/// The events that an event of the bus is, one for each recipient; none of one that tells nothing of a message to a recipient.
///
/// # Errors
/// It comes from SES, and has not the shape of its events.
pub fn events(event: &Value) -> Result<Vec<Event>, BusError> {
    let is_of_message = event["source"] == SOURCE && event["detail"]["eventType"].is_string();
    if !is_of_message {
        return Ok(Vec::new());
    }
    let id = || event["id"].as_str().unwrap_or("without id").to_owned();
    let unreadable = |error: serde_json::Error| BusError { id: id(), reason: misshapen(&error) };
    let Envelope { id: own, time, detail } = Envelope::deserialize(event).map_err(unreadable)?;
    let detail = Detail::deserialize(&detail).map_err(unreadable)?;
    let (mail, told) = told(detail);
    let Some(Told { kind, at, to, link }) = told else { return Ok(Vec::new()) };
    let template = mail.tags.get(TEMPLATE_TAG).and_then(|values| values.first());
    let event = |(to, bounce): (String, Option<Bounce>)| {
        let (template, link) = (template.cloned(), link.clone());
        let told =
            MailEvent { id: own.clone(), kind, to, message_id: mail.message_id.clone(), template, link, bounce, at };
        super::event(told, time).map_err(|error| BusError { id: id(), reason: error.to_string() })
    };
    to.into_iter().filter(|(to, _)| is_address(to)).map(event).collect()
}

fn is_address(text: &str) -> bool {
    pawl_definition::value::email(text).is_some()
}

fn told(detail: Detail) -> (Mail, Option<Told>) {
    let Detail { event_type, mail, bounce, complaint, delivery, open, click, subscription } = detail;
    let told = match event_type.as_str() {
        "Bounce" => bounce.map(NotDelivered::told),
        "Complaint" => complaint.map(Complaint::told),
        "Delivery" => delivery.map(|Delivery { recipients, timestamp }| Told {
            kind: MailEventKind::Delivered,
            at: timestamp,
            to: plain(recipients),
            link: None,
        }),
        "Open" => open.map(|seen| seen.told(MailEventKind::Opened, &mail)),
        "Click" => click.map(|seen| seen.told(MailEventKind::Clicked, &mail)),
        "Subscription" => subscription.filter(Subscription::leaves).map(|Subscription { timestamp, .. }| {
            let to = plain(mail.destination.clone());
            Told { kind: MailEventKind::Unsubscribed, at: timestamp, to: alone(to), link: None }
        }),
        _ => None,
    };
    (mail, told)
}

/// Recipients without the names beside their addresses.
fn plain(recipients: impl IntoIterator<Item = String>) -> Vec<(String, Option<Bounce>)> {
    recipients.into_iter().map(|recipient| (mailbox(&recipient), None)).collect()
}

/// The one recipient; none of several, since SES does not tell which of them it was.
fn alone(to: Vec<(String, Option<Bounce>)>) -> Vec<(String, Option<Bounce>)> {
    if to.len() == 1 { to } else { Vec::new() }
}

/// The address of `Ada <ada@example.com>`.
fn mailbox(recipient: &str) -> String {
    let inside = recipient.trim().strip_suffix('>').and_then(|text| text.rsplit_once('<'));
    inside.map_or(recipient, |(_, address)| address).to_owned()
}

impl NotDelivered {
    fn told(self) -> Told {
        let Self { bounce_type, bounce_sub_type, bounced_recipients, timestamp } = self;
        // `Undetermined` may pass as well.
        let kind = if bounce_type == "Permanent" { BounceKind::Permanent } else { BounceKind::Transient };
        let of = |Recipient { email_address, diagnostic_code }: Recipient| {
            let reason = diagnostic_code
                .or_else(|| bounce_sub_type.clone())
                .map(|reason| cut(&reason))
                .filter(|reason| !reason.is_empty());
            (mailbox(&email_address), Some(Bounce { kind, reason }))
        };
        let to = bounced_recipients.into_iter().map(of).collect();
        Told { kind: MailEventKind::Bounced, at: timestamp, to, link: None }
    }
}

fn cut(reason: &str) -> String {
    let reason = reason.trim();
    reason[..reason.floor_char_boundary(TEXT_MOST)].to_owned()
}

impl Complaint {
    fn told(self) -> Told {
        let recipients = self.complained_recipients.into_iter().map(|recipient| recipient.email_address);
        Told { kind: MailEventKind::Complained, at: self.timestamp, to: plain(recipients), link: None }
    }
}

impl Seen {
    fn told(self, kind: MailEventKind, mail: &Mail) -> Told {
        let link = self.link.filter(|link| kind == MailEventKind::Clicked && link.len() <= TEXT_MOST);
        Told { kind, at: self.timestamp, to: alone(plain(mail.destination.clone())), link }
    }
}

impl Subscription {
    /// Whether the recipient leaves all topics, or one that the recipient had.
    fn leaves(&self) -> bool {
        let left = |preferences: &Preferences| {
            let out = |topic: &&Topic| topic.subscription_status == "OptOut";
            preferences
                .topic_subscription_status
                .iter()
                .filter(out)
                .map(|topic| topic.topic_name.clone())
                .collect::<Vec<_>>()
        };
        let before = left(&self.old_topic_preferences);
        self.new_topic_preferences.unsubscribe_all
            || left(&self.new_topic_preferences).iter().any(|topic| !before.contains(topic))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fixture(text: &str) -> Vec<Event> {
        events(&serde_json::from_str(text).expect("a fixture is JSON")).expect("it can be read")
    }

    fn said(kind: &str, key: &str, inside: &Value, destination: &[&str]) -> Value {
        json!({
            "id": "e-1", "source": "aws.ses", "detail-type": "Email", "time": "2026-01-01T00:00:01Z",
            "detail": {"eventType": kind, "mail": {"messageId": "m-1", "destination": destination}, key: inside},
        })
    }

    fn told(said: &Value) -> Vec<Value> {
        events(said).expect("it can be read").into_iter().map(|event| event.data["email"].clone()).collect()
    }

    const AT: &str = "2026-01-01T00:00:00.5Z";

    #[test]
    fn a_bounce_tells_each_recipient_why() {
        let events = fixture(include_str!("../../../../events/trigger-evaluator/ses-bounced.json"));
        assert_eq!(events.len(), 1);
        assert_eq!(
            events[0].data["email"],
            json!({
                "event": "bounced", "message_id": "0107019a2b3c4d5e-6f708192-a3b4-c5d6-e7f8-091a2b3c4d5e-000000",
                "to": "ada@example.com", "template": "welcome", "link": null,
                "bounce": {"type": "permanent", "reason": "smtp; 550 5.1.1 user unknown"}, "at": "2026-11-30T09:15:02.118Z",
            })
        );
    }

    #[test]
    fn a_click_has_its_link() {
        let events = fixture(include_str!("../../../../events/trigger-evaluator/ses-clicked.json"));
        assert_eq!(events[0].data["email"]["link"], "https://example.com/offer?utm_source=mail");
        assert_eq!(events[0].mail_address(), Some("ada@example.com"));
    }

    #[test]
    fn a_bounce_of_which_nothing_is_known_may_pass() {
        for (kind, expected) in [("Permanent", "permanent"), ("Transient", "transient"), ("Undetermined", "transient")]
        {
            let inside = json!({"bounceType": kind, "bounceSubType": "General", "timestamp": AT,
                "bouncedRecipients": [{"emailAddress": "Ada <Ada@Example.com>"}, {"emailAddress": "bob@example.com"}]});
            let told = told(&said("Bounce", "bounce", &inside, &[]));
            let to: Vec<_> = told.iter().map(|told| told["to"].clone()).collect();
            assert_eq!(to, ["ada@example.com", "bob@example.com"]);
            assert_eq!(told[0]["bounce"], json!({"type": expected, "reason": "General"}));
        }
    }

    #[test]
    fn what_one_of_several_recipients_did_is_told_of_nobody() {
        let open =
            |to: &[&str]| told(&said("Open", "open", &json!({"timestamp": AT, "ipAddress": "192.0.2.1"}), to)).len();
        assert_eq!((open(&["ada@example.com"]), open(&["ada@example.com", "bob@example.com"])), (1, 0));
        let delivery = json!({"timestamp": AT, "recipients": ["ada@example.com", "bob@example.com"]});
        assert_eq!(told(&said("Delivery", "delivery", &delivery, &[])).len(), 2);
    }

    #[test]
    fn only_who_leaves_a_topic_unsubscribes() {
        let to = |all: bool, before: &str, now: &str| {
            let topics = |status: &str| json!([{"topicName": "news", "subscriptionStatus": status}]);
            let inside = json!({"timestamp": AT, "source": "UnsubscribeHeader",
                "newTopicPreferences": {"unsubscribeAll": all, "topicSubscriptionStatus": topics(now)},
                "oldTopicPreferences": {"unsubscribeAll": false, "topicSubscriptionStatus": topics(before)}});
            told(&said("Subscription", "subscription", &inside, &["ada@example.com"])).len()
        };
        assert_eq!([to(true, "OptIn", "OptIn"), to(false, "OptIn", "OptOut")], [1, 1]);
        assert_eq!([to(false, "OptOut", "OptIn"), to(false, "OptOut", "OptOut")], [0, 0]);
    }

    #[test]
    fn what_tells_of_no_recipient_is_no_event() {
        assert!(told(&said("Send", "send", &json!({}), &["ada@example.com"])).is_empty());
        assert!(told(&json!({"source": "aws.ses", "detail": {"version": "1.0.0"}})).is_empty());
        assert!(told(&json!({"source": "aws.s3", "detail": {"eventType": "Open"}})).is_empty());
        let wrong = said("Open", "open", &json!({"timestamp": "s3cret"}), &["ada@example.com"]);
        let error = events(&wrong).expect_err("a timestamp is a time");
        assert_eq!(error.to_string(), "the event e-1 of the bus cannot be read: not of the expected shape");
    }
}
