//! Deliveries of webhooks. The first part of an input are headers, a line each; the second is the body.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use pawl_api::webhook::{self, Delivery};
use pawl_definition::json::{self, Bounds};
use pawl_definition::trigger::Verify;
use serde::Deserialize;
use serde_json::json;

use super::{PART, parts};
use crate::Random;
use crate::make::json as values;

/// Headers that mean something.
const HEADERS: [&str; 21] = [
    "content-type: application/json",
    "content-type: application/x-www-form-urlencoded",
    "content-type: text/plain; charset=\"utf-8\"",
    "content-type: application/json; charset=latin1",
    "content-type: text/csv; charset=shift_jis",
    "content-type: application/x-www-form-urlencoded; charset=utf-16le",
    "content-type: application/xml; charset=gb18030",
    "content-type: text/plain; charset=klingon",
    "content-encoding: deflate",
    "content-type: multipart/form-data; boundary=x",
    "content-encoding: gzip",
    "x-hub-signature-256: sha256=00",
    "x-hub-signature-256: sha256=",
    "stripe-signature: t=1,v1=00,v1=,t=x",
    "x-slack-request-timestamp: 1795249800",
    "x-slack-signature: v0=00",
    "webhook-id: 1",
    "webhook-timestamp: 99999999999999999999",
    "webhook-signature: v1,AAAA v1, v2,x",
    "authorization: Basic eDp5",
    "x-shopify-hmac-sha256: AAAA",
];

pub(super) fn make(random: &mut Random) -> Vec<u8> {
    let headers: Vec<&str> = (0..random.below(6)).map(|_| random.pick(&HEADERS)).collect();
    let body = match random.below(3) {
        0 => format!("a=1&payload={}&{}", values::hostile(random), "x=%C3%A9&".repeat(random.size(3_000))),
        _ => values::hostile(random),
    };
    [headers.join("\n").as_bytes(), PART, body.as_bytes()].concat()
}

fn headers(text: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in text.split(|byte| *byte == b'\n').take(50) {
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let value = line.get(colon + 1..).unwrap_or_default().trim_ascii();
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    headers
}

/// A body that is decoded stays within the bounds of all values from outside.
pub(super) fn decode(input: &[u8]) {
    let (head, body) = parts(input);
    let headers = headers(head);
    match webhook::decode(&headers, body) {
        Ok(value) => json::check(&value, &Bounds::OUTSIDE).expect("what is decoded is within bounds"),
        Err(error) => assert!(error.to_string().len() < 1_000, "an error repeats little"),
    }
}

/// No delivery passes a rule without the secret, and none takes the process.
pub(super) fn verify(input: &[u8]) {
    let (head, body) = parts(input);
    let (headers, query) = (headers(head), webhook::query_pairs(&String::from_utf8_lossy(head)));
    let delivery = Delivery { method: &Method::POST, headers: &headers, query: &query, body };
    let secrets = BTreeMap::from([("s".to_owned(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned())]);
    let now = Timestamp::constant(1_795_249_800, 0);
    for rule in ["github", "stripe", "slack", "shopify", "standard-webhooks"] {
        let rule = Verify::deserialize(json!({rule: {"secret": "s"}})).expect("the rule is one");
        assert!(webhook::verify(&rule, &secrets, &delivery, now).is_err(), "nobody knows the secret");
        let value = webhook::decode(&headers, body).unwrap_or_default();
        let id = webhook::delivery_id(&rule, &delivery, &value);
        assert!(id.is_none_or(|id| id.len() <= webhook::MAX_DELIVERY_ID), "ids of deliveries are bounded");
        let _ = webhook::visible(&rule, &delivery);
    }
}
