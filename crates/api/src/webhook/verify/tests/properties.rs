//! Whatever a signer signs is accepted; with one bit changed in body, time, id or signature it is not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use pawl_definition::trigger::{HmacAlgorithm, Verify};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;

use super::super::mac as sign;
use crate::webhook::sent::{hex, rule, secrets};
use crate::webhook::{Delivery, verify};

const NOW_S: i64 = 1_795_251_600;
const KEY: &[u8] = b"a key of whatever bytes";

/// A kind of `verify` and what its sender does: headers for a body.
struct Signer {
    rule: Verify,
    headers: fn(&[u8]) -> Vec<(&'static str, String)>,
}

fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    sign(HmacAlgorithm::Sha256, KEY, parts)
}

fn timed(before: &str, after: &str, body: &[u8]) -> Vec<u8> {
    sha256(&[format!("{before}{NOW_S}{after}").as_bytes(), body])
}

fn signers() -> Vec<Signer> {
    let preset = |name: &str| rule(json!({ name: {"secret": "key"} }));
    let timed_hmac =
        json!({"hmac": {"secret": "key", "header": "x-sig", "timestamp_header": "x-ts", "algorithm": "sha512"}});
    vec![
        Signer {
            rule: preset("github"),
            headers: |body| vec![("x-hub-signature-256", format!("sha256={}", hex(&sha256(&[body]))))],
        },
        Signer {
            rule: preset("shopify"),
            headers: |body| vec![("x-shopify-hmac-sha256", BASE64.encode(sha256(&[body])))],
        },
        Signer {
            rule: preset("stripe"),
            headers: |body| vec![("stripe-signature", format!("t={NOW_S},v1={}", hex(&timed("", ".", body))))],
        },
        Signer {
            rule: preset("slack"),
            headers: |body| {
                let signature = format!("v0={}", hex(&timed("v0:", ":", body)));
                vec![("x-slack-signature", signature), ("x-slack-request-timestamp", NOW_S.to_string())]
            },
        },
        Signer {
            rule: rule(json!({"standard-webhooks": {"secret": "encoded"}})),
            headers: |body| {
                let signature = format!("v1,{}", BASE64.encode(timed("msg_1.", ".", body)));
                let time = NOW_S.to_string();
                vec![("webhook-id", "msg_1".to_owned()), ("webhook-timestamp", time), ("webhook-signature", signature)]
            },
        },
        Signer {
            rule: rule(timed_hmac),
            headers: |body| {
                let message = [format!("{NOW_S}.").as_bytes(), body].concat();
                let signature = hex(&sign(HmacAlgorithm::Sha512, KEY, &[&message]));
                vec![("x-sig", signature), ("x-ts", NOW_S.to_string())]
            },
        },
    ]
}

fn accepts(rule: &Verify, headers: &[(&'static str, Vec<u8>)], body: &[u8]) -> bool {
    let value = |bytes: &Vec<u8>| HeaderValue::from_bytes(bytes).ok();
    let Some(headers) = headers
        .iter()
        .map(|(name, bytes)| Some((HeaderName::from_static(name), value(bytes)?)))
        .collect::<Option<http::HeaderMap>>()
    else {
        return false; // Such a header cannot be received.
    };
    let key = str::from_utf8(KEY).expect("the key is text");
    let encoded = format!("whsec_{}", BASE64.encode(KEY));
    let now = Timestamp::from_second(NOW_S).expect("a time of this century");
    let delivery = Delivery { method: &Method::POST, headers: &headers, query: &[], body };
    verify(rule, &secrets([("key", key), ("encoded", encoded.as_str())]), &delivery, now).is_ok()
}

fn bytes_of(headers: Vec<(&'static str, String)>) -> Vec<(&'static str, Vec<u8>)> {
    headers.into_iter().map(|(name, value)| (name, value.into_bytes())).collect()
}

/// Hexadecimal means the same in both cases: only that change of a header changes nothing.
fn same_meaning(one: &[u8], other: &[u8]) -> bool {
    let hexadecimal = |bytes: &[u8]| bytes.rsplit(|byte| *byte == b'=').next().map(<[u8]>::to_ascii_lowercase);
    one.eq_ignore_ascii_case(other)
        && hexadecimal(one).is_some_and(|digits| digits.len() >= 64 && digits.iter().all(u8::is_ascii_hexdigit))
        && one.iter().zip(other).all(|(one, other)| one == other || one.is_ascii_hexdigit())
}

proptest! {
    #[test]
    fn what_a_signer_signs_is_accepted(body in prop::collection::vec(any::<u8>(), 0..300)) {
        for signer in signers() {
            prop_assert!(accepts(&signer.rule, &bytes_of((signer.headers)(&body)), &body), "{:?}", signer.rule);
        }
    }

    #[test]
    fn a_changed_body_is_refused(body in prop::collection::vec(any::<u8>(), 1..300), at in any::<Index>(), bit in 0..8_u32) {
        for signer in signers() {
            let mut changed = body.clone();
            changed[at.index(body.len())] ^= 1_u8 << bit;
            prop_assert!(!accepts(&signer.rule, &bytes_of((signer.headers)(&body)), &changed), "{:?}", signer.rule);
        }
    }

    #[test]
    fn a_longer_or_shorter_body_is_refused(body in prop::collection::vec(any::<u8>(), 1..300), more in any::<u8>()) {
        for signer in signers() {
            let headers = bytes_of((signer.headers)(&body));
            prop_assert!(!accepts(&signer.rule, &headers, &body[1..]), "{:?}", signer.rule);
            prop_assert!(!accepts(&signer.rule, &headers, &[body.as_slice(), &[more]].concat()), "{:?}", signer.rule);
        }
    }

    #[test]
    fn a_changed_header_is_refused(
        body in prop::collection::vec(any::<u8>(), 0..300), which in any::<Index>(), at in any::<Index>(), bit in 0..8_u32,
    ) {
        for signer in signers() {
            let mut headers = bytes_of((signer.headers)(&body));
            let which = which.index(headers.len());
            let header = &mut headers[which].1;
            let at = at.index(header.len());
            let before = header.clone();
            header[at] ^= 1_u8 << bit;
            if header.trim_ascii() == before.as_slice() || same_meaning(&before, header) {
                continue;
            }
            prop_assert!(!accepts(&signer.rule, &headers, &body), "{:?} {headers:?}", signer.rule);
        }
    }

    #[test]
    fn nothing_sent_makes_it_panic(header in prop::collection::vec(32_u8..=255, 0..120), body in any::<Vec<u8>>()) {
        for signer in signers() {
            let mut headers = bytes_of((signer.headers)(&body));
            headers[0].1.clone_from(&header);
            accepts(&signer.rule, &headers, &body);
        }
    }
}
