//! What `sign` signs is verified, under every kind of rule.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use pawl_definition::trigger::Verify;
use proptest::prelude::*;
use serde_json::json;

use crate::webhook::sent::{rule, secrets};
use crate::webhook::{Delivery, Signed, sign, verify};

const NOW_S: i64 = 1_795_251_600;

fn rules() -> Vec<Verify> {
    let preset = |name: &str| rule(json!({ name: {"secret": ["unset", "key"]} }));
    let hmac = |more: serde_json::Value| {
        let mut shape = json!({"secret": "key", "header": "X-Sig"});
        shape.as_object_mut().expect("it is one").extend(more.as_object().expect("it is one").clone());
        rule(json!({"hmac": shape}))
    };
    vec![
        rule(json!("none")),
        rule(json!({"token": {"in": {"header": "X-Token"}, "secret": "key"}})),
        rule(json!({"token": {"in": {"header": "Authorization"}, "secret": "key"}})),
        rule(json!({"token": {"in": {"query": "token"}, "secret": "key"}})),
        rule(json!({"basic": {"user": "ada", "secret": "key"}})),
        hmac(json!({"encoding": "base64"})),
        hmac(json!({"prefix": "sha512=", "algorithm": "sha512"})),
        hmac(json!({"timestamp_header": "X-Time", "algorithm": "sha1"})),
        preset("github"),
        preset("stripe"),
        preset("slack"),
        preset("shopify"),
        rule(json!({"standard-webhooks": {"secret": "encoded"}})),
    ]
}

fn accepts(rule: &Verify, signed: &Signed, body: &[u8], now: Timestamp) -> bool {
    let header = |(name, value): &(String, String)| {
        let name = HeaderName::try_from(name.as_str()).expect("rules name headers");
        (name, HeaderValue::try_from(value.as_str()).expect("signatures can be sent"))
    };
    let headers: HeaderMap = signed.headers.iter().map(header).collect();
    let delivery = Delivery { method: &Method::POST, headers: &headers, query: &signed.query, body };
    verify(rule, &keys(), &delivery, now).is_ok()
}

fn keys() -> std::collections::BTreeMap<String, String> {
    secrets([("key", "a key of any bytes"), ("encoded", "whsec_c2VjcmV0IGtleQ==")])
}

proptest! {
    #[test]
    fn what_is_signed_is_verified_and_nothing_else(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let now = Timestamp::from_second(NOW_S).expect("a constant time is one");
        for rule in rules() {
            let signed = sign(&rule, &keys(), "msg_1", &body, now).expect("every secret has a value");
            prop_assert!(accepts(&rule, &signed, &body, now), "{:?}", rule);
            let carries_a_signature = !matches!(rule, Verify::None | Verify::Token { .. } | Verify::Basic { .. });
            let other = [body.as_slice(), b"!"].concat();
            prop_assert_eq!(accepts(&rule, &signed, &other, now), !carries_a_signature);
        }
    }
}

#[test]
fn nothing_is_signed_without_a_secret() {
    let now = Timestamp::from_second(NOW_S).expect("a constant time is one");
    for rule in rules().into_iter().skip(1) {
        let refused = sign(&rule, &secrets([]), "msg_1", b"{}", now).err().expect("no secret has a value");
        assert_eq!(refused.code(), "secret_missing");
    }
}
