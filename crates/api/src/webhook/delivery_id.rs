//! The key under which a repeat of a delivery is recognised.

use std::fmt::Write as _;

use pawl_definition::trigger::Verify;
use pawl_runtime::Identity;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Delivery;
use super::verify::id_header;

/// Longest key, in bytes; a longer one is replaced by its hash.
pub const MAX_DELIVERY_ID: usize = 255;

/// The header whose value a sender chooses for one request.
const CHOSEN: &str = "idempotency-key";

/// Headers that stay the same when a delivery is sent again, in the order of preference.
///
/// `X-Request-Id` and its like are not among them: most senders give each attempt its own.
const HEADERS: [&str; 8] = [
    CHOSEN,
    "webhook-id",
    "svix-id",
    "x-github-delivery",
    "x-atlassian-webhook-identifier",
    "linear-delivery",
    "i-twilio-idempotency-token",
    "x-amz-sns-message-id",
];

/// Gives the key under which a repeat of a delivery is recognised: `<where it stands>:<value>`, at most
/// [`MAX_DELIVERY_ID`] bytes; `None` if the sender gives none, and then every delivery is a new one.
///
/// `body` is the decoded one. What the rule's signature covers comes first: whoever repeats a signed delivery cannot
/// make it a new one by another header. The forms of the key are stored, do not change them.
pub fn delivery_id(rule: &Verify, delivery: &Delivery<'_>, body: &Value) -> Option<String> {
    signed_id(rule, delivery, body)
        .or_else(|| HEADERS.iter().find_map(|name| header(delivery, name)))
        .or_else(|| shopify(delivery))
        .or_else(|| cloud_event(delivery))
        .or_else(|| delivery.header("stripe-signature").and_then(|_| stripe(body)))
        .or_else(|| delivery.header("x-slack-request-timestamp").and_then(|_| slack(body)))
        .map(bounded)
}

/// Gives all by which a repeat of a delivery is recognised.
///
/// - A key that its sender chose (`Idempotency-Key`) stands for one request: with another body it is refused.
/// - Where the signature does not cover the key, what was signed counts as well: an attacker who captured a delivery
///   and lacks the secret cannot make it a new one by another key. A sender who gives no keys at all has no repeats.
pub fn identity(rule: &Verify, delivery: &Delivery<'_>, body: &Value) -> Identity {
    let key = delivery_id(rule, delivery, body);
    let is_chosen = key.is_some() && key == header(delivery, CHOSEN).map(bounded);
    let content = is_chosen.then(|| hash(delivery.body));
    let signed = signed_id(rule, delivery, body).is_none().then(|| signed_bytes(rule, delivery)).flatten();
    Identity { key, content, signed }
}

/// The id that a rule's signature covers.
fn signed_id(rule: &Verify, delivery: &Delivery<'_>, body: &Value) -> Option<String> {
    match rule {
        Verify::Stripe { .. } => stripe(body),
        Verify::Slack { .. } => slack(body),
        Verify::StandardWebhooks { .. } => header(delivery, id_header(delivery)),
        _ => None,
    }
}

/// Digest of what a rule's signature covers: the time of sending, if it is signed, and the body.
fn signed_bytes(rule: &Verify, delivery: &Delivery<'_>) -> Option<String> {
    let time = match rule {
        Verify::Hmac(shape) => shape.timestamp_header.as_deref().and_then(|name| delivery.header(name)),
        Verify::Slack { .. } => delivery.header("x-slack-request-timestamp"),
        Verify::Stripe { .. } => delivery
            .header("stripe-signature")
            .and_then(|written| written.split(',').find_map(|item| item.trim().strip_prefix("t="))),
        Verify::Github { .. } | Verify::Shopify { .. } => None,
        Verify::None | Verify::Token { .. } | Verify::Basic { .. } | Verify::StandardWebhooks { .. } => return None,
    };
    Some(hash(&[time.unwrap_or_default().as_bytes(), b".", delivery.body].concat()))
}

fn header(delivery: &Delivery<'_>, name: &str) -> Option<String> {
    let value = delivery.header_bytes(name)?;
    match str::from_utf8(value) {
        Ok(text) => Some(format!("{name}:{text}")),
        Err(_) => Some(format!("{name}:sha256:{}", hash(value))),
    }
}

/// The id of an event, `evt_…`.
fn stripe(body: &Value) -> Option<String> {
    let id = body.get("id")?.as_str()?;
    id.starts_with("evt_").then(|| format!("stripe:{id}"))
}

/// The id of an event of the Events API, the same in each of the three retries.
fn slack(body: &Value) -> Option<String> {
    let id = body.get("event_id")?.as_str().filter(|id| !id.is_empty())?;
    Some(format!("slack:{id}"))
}

/// The id by which Shopify tells duplicates, with the topic: one event may be told under several.
fn shopify(delivery: &Delivery<'_>) -> Option<String> {
    let event = delivery.header("x-shopify-event-id").map(|id| {
        let topic = delivery.header("x-shopify-topic").unwrap_or_default();
        format!("x-shopify-event-id:{topic}:{id}")
    });
    event.or_else(|| header(delivery, "x-shopify-webhook-id"))
}

/// Source and id of a `CloudEvent` in binary mode, which together are unique (`CloudEvents` 1.0, section 3.1).
fn cloud_event(delivery: &Delivery<'_>) -> Option<String> {
    let (source, id) = (delivery.header("ce-source")?, delivery.header("ce-id")?);
    Some(format!("cloudevents:{source}:{id}"))
}

fn bounded(key: String) -> String {
    if key.len() <= MAX_DELIVERY_ID { key } else { format!("sha256:{}", hash(key.as_bytes())) }
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes all that is written");
        hex
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{HEADERS, MAX_DELIVERY_ID, Value, delivery_id};
    use crate::webhook::sent::{Sent, post, rule};

    fn key(rule_name: &str, sent: &Sent, body: &Value) -> Option<String> {
        let written = if rule_name == "none" { json!("none") } else { json!({ rule_name: {"secret": "s"} }) };
        delivery_id(&rule(written), &sent.delivery(), body)
    }

    #[test]
    fn headers_that_stay_the_same_give_the_key() {
        let sent = post("").header("x-github-delivery", "72d3162e").header("x-request-id", "1");
        assert_eq!(key("github", &sent, &Value::Null).as_deref(), Some("x-github-delivery:72d3162e"));
        let sent = sent.header("idempotency-key", " mine ");
        assert_eq!(key("github", &sent, &Value::Null).as_deref(), Some("idempotency-key:mine"));
        assert_eq!(key("none", &post("").header("x-request-id", "1").header("webhook-id", " "), &Value::Null), None);
    }

    #[test]
    fn what_is_signed_comes_first() {
        let sent = post("").header("idempotency-key", "other").header("webhook-id", "msg_1");
        let stripe = json!({"id": "evt_1", "object": "event"});
        let slack = json!({"event_id": "Ev08MFMKH6", "type": "event_callback"});
        assert_eq!(key("stripe", &sent, &stripe).as_deref(), Some("stripe:evt_1"));
        assert_eq!(key("slack", &sent, &slack).as_deref(), Some("slack:Ev08MFMKH6"));
        assert_eq!(key("standard-webhooks", &sent, &stripe).as_deref(), Some("webhook-id:msg_1"));
        assert_eq!(key("none", &sent, &stripe).as_deref(), Some("idempotency-key:other"));
        let svix = sent.header("svix-id", "msg_2").header("svix-signature", "v1,AAAA");
        assert_eq!(
            key("standard-webhooks", &svix, &stripe).as_deref(),
            Some("svix-id:msg_2"),
            "the other is not signed"
        );
    }

    #[test]
    fn bodies_are_looked_into_only_for_those_who_send_such() {
        let stripe = json!({"id": "evt_1"});
        assert_eq!(key("none", &post("").header("stripe-signature", "t=1"), &stripe).as_deref(), Some("stripe:evt_1"));
        assert_eq!(key("none", &post(""), &stripe), None);
        assert_eq!(key("none", &post("").header("stripe-signature", "t=1"), &json!({"id": "cus_1"})), None);
        let slack = json!({"event_id": "Ev1"});
        let sent = post("").header("x-slack-request-timestamp", "1");
        assert_eq!(key("none", &sent, &slack).as_deref(), Some("slack:Ev1"));
    }

    #[test]
    fn shopify_tells_one_event_under_several_topics() {
        let sent = post("").header("x-shopify-event-id", "e1").header("x-shopify-webhook-id", "w1");
        let paid = sent.header("x-shopify-topic", "orders/paid");
        assert_eq!(key("shopify", &paid, &Value::Null).as_deref(), Some("x-shopify-event-id:orders/paid:e1"));
        let old = post("").header("x-shopify-webhook-id", "w1");
        assert_eq!(key("shopify", &old, &Value::Null).as_deref(), Some("x-shopify-webhook-id:w1"));
    }

    #[test]
    fn a_cloud_event_is_told_by_source_and_id() {
        let sent = post("").header("ce-id", "1").header("ce-source", "/orders");
        assert_eq!(key("none", &sent, &Value::Null).as_deref(), Some("cloudevents:/orders:1"));
    }

    #[test]
    fn long_and_strange_keys_are_hashed() {
        let long = key("none", &post("").header("idempotency-key", "x".repeat(300)), &Value::Null);
        let other = key("none", &post("").header("idempotency-key", "x".repeat(301)), &Value::Null);
        assert_eq!(long.as_ref().map(String::len), Some("sha256:".len() + 64));
        assert_ne!(long, other);
        let strange = key("none", &post("").header("idempotency-key", b"\xff"), &Value::Null);
        assert!(strange.is_some_and(|key| key.starts_with("idempotency-key:sha256:")));
    }

    proptest! {
        #[test]
        fn keys_are_bounded_and_repeatable(
            which in prop::sample::select(HEADERS.to_vec()),
            value in prop::collection::vec(prop_oneof![32_u8..127, 128_u8..=255], 0..600),
            body_id in ".{0,400}",
        ) {
            let body = json!({"id": format!("evt_{body_id}"), "event_id": body_id});
            for rule_name in ["none", "stripe", "slack", "standard-webhooks"] {
                let first = key(rule_name, &post("").header(which, &value), &body);
                prop_assert!(first.as_ref().is_none_or(|key| key.len() <= MAX_DELIVERY_ID));
                prop_assert_eq!(first, key(rule_name, &post("").header(which, &value), &body));
            }
        }
    }
}
