//! How deliveries are refused, and what the texts say.

use jiff::Timestamp;
use pawl_definition::trigger::HmacAlgorithm;
use serde_json::{Value, json};

use super::super::mac as sign;
use crate::webhook::sent::{Sent, hex, post, rule, secrets};
use crate::webhook::{Rejection, secret_names, verify};

const NOW_S: i64 = 1_795_251_600;

/// Verifies against the secrets `new` = "new-key" and `old` = "old-key".
fn check(written: Value, sent: &Sent) -> Result<(), Rejection> {
    let now = Timestamp::from_second(NOW_S).expect("a time of this century");
    verify(&rule(written), &secrets([("new", "new-key"), ("old", "old-key"), ("empty", "")]), &sent.delivery(), now)
}

fn refusal(written: Value, sent: &Sent) -> (&'static str, String) {
    let rejection = check(written, sent).expect_err("the delivery is refused");
    assert_eq!(rejection.status(), 401);
    assert_eq!(rejection.for_sender(), rejection.to_string());
    (rejection.code(), rejection.to_string())
}

fn signed(key: &str, message: &str) -> String {
    hex(&sign(HmacAlgorithm::Sha256, key.as_bytes(), &[message.as_bytes()]))
}

fn stripe(sent_s: i64, signatures: &[String]) -> Sent {
    post("{}").header("stripe-signature", format!("t={sent_s},v1={}", signatures.join(",v1=")))
}

fn preset(name: &str) -> Value {
    json!({ name: {"secret": ["new", "old"]} })
}

#[test]
fn every_secret_is_tried() {
    for key in ["new-key", "old-key"] {
        let sent = post("{}").header("x-hub-signature-256", format!("sha256={}", signed(key, "{}")));
        assert_eq!(check(preset("github"), &sent), Ok(()));
        let sent = post("{}").header("x-token", key);
        assert_eq!(check(json!({"token": {"in": {"header": "X-Token"}, "secret": ["new", "old"]}}), &sent), Ok(()));
    }
}

#[test]
fn a_preset_without_its_header_says_which_one() {
    let missing = |name| refusal(preset(name), &post("{}"));
    let expected = |header| ("signature_missing", format!("expected a signature in the header {header}, found none"));
    assert_eq!(missing("github"), expected("x-hub-signature-256"));
    assert_eq!(missing("stripe"), expected("stripe-signature"));
    assert_eq!(missing("slack"), expected("x-slack-signature"));
    assert_eq!(missing("shopify"), expected("x-shopify-hmac-sha256"));
    assert_eq!(missing("standard-webhooks"), expected("webhook-signature"));
}

#[test]
fn a_signature_of_another_form_is_told_from_a_wrong_one() {
    let github = |text: &str| refusal(preset("github"), &post("{}").header("x-hub-signature-256", text)).0;
    assert_eq!(github("sha1=00"), "signature_malformed");
    assert_eq!(github("sha256=xyz"), "signature_malformed");
    assert_eq!(github("sha256=00"), "signature_mismatch");
    assert_eq!(github(&format!("sha256={}", signed("other-key", "{}"))), "signature_mismatch");
    let (code, text) = refusal(preset("stripe"), &post("{}").header("stripe-signature", "t=1,v0=00"));
    assert_eq!(code, "signature_malformed");
    assert!(text.contains("`t=<time>,v1=<signature in hexadecimal>`"), "{text}");
}

#[test]
fn any_of_several_signatures_suffices() {
    let right = signed("old-key", &format!("{NOW_S}.{{}}"));
    assert_eq!(check(preset("stripe"), &stripe(NOW_S, &["00".repeat(32), right])), Ok(()));
}

#[test]
fn a_genuine_delivery_out_of_time_is_expired_and_a_forged_one_is_not() {
    let at = |sent_s: i64| check(preset("stripe"), &stripe(sent_s, &[signed("new-key", &format!("{sent_s}.{{}}"))]));
    assert_eq!(at(NOW_S - 300), Ok(()));
    assert_eq!(at(NOW_S + 300), Ok(()));
    let late = at(NOW_S - 301).expect_err("it is too old");
    assert_eq!(late.code(), "signature_expired");
    insta::assert_snapshot!(late, @"expected a time of sending within 300 s of the server's clock, found 301 s behind it in stripe-signature");
    let early = at(NOW_S + 600).expect_err("it is from the future");
    insta::assert_snapshot!(early, @"expected a time of sending within 300 s of the server's clock, found 600 s ahead of it in stripe-signature");
    let forged = check(preset("stripe"), &stripe(NOW_S - 301, &["00".repeat(32)])).expect_err("it is forged");
    assert_eq!(forged.code(), "signature_mismatch");
}

#[test]
fn times_are_whole_seconds() {
    let slack = |time: &str| {
        let signature = signed("new-key", &format!("v0:{time}:{{}}"));
        let sent = post("{}").header("x-slack-signature", format!("v0={signature}"));
        let sent = if time.is_empty() { sent } else { sent.header("x-slack-request-timestamp", time) };
        check(preset("slack"), &sent).map_err(|rejection| rejection.code())
    };
    assert_eq!(slack(&NOW_S.to_string()), Ok(()));
    assert_eq!(slack(""), Err("timestamp_missing"));
    for time in ["-5", "+5", "1e9", "5.0", "99999999999999999999"] {
        assert_eq!(slack(time), Err("timestamp_malformed"), "{time}");
    }
    assert_eq!(slack("9223372036854775807"), Err("signature_expired"));
}

#[test]
fn an_hmac_is_read_as_the_author_describes_it() {
    let shape = |extra: Value| {
        let mut shape = json!({"secret": ["new", "old"], "header": "X-Sig", "prefix": "sha256="});
        let (Value::Object(into), Value::Object(extra)) = (&mut shape, extra) else { unreachable!("both are objects") };
        into.extend(extra);
        json!({ "hmac": shape })
    };
    let timed = || shape(json!({"timestamp_header": "X-Ts", "tolerance": "1m"}));
    let sent = |signature: &str| post("{}").header("x-sig", format!("sha256={signature}"));
    assert_eq!(check(shape(json!({})), &sent(&signed("new-key", "{}"))), Ok(()));
    assert_eq!(refusal(timed(), &sent(&signed("new-key", "{}"))).0, "timestamp_missing");
    let at = |sent_s: i64| sent(&signed("new-key", &format!("{sent_s}.{{}}"))).header("x-ts", sent_s.to_string());
    assert_eq!(check(timed(), &at(NOW_S - 60)), Ok(()));
    assert_eq!(refusal(timed(), &at(NOW_S - 61)).0, "signature_expired");
    let (code, text) = refusal(shape(json!({"encoding": "base64"})), &sent("!"));
    assert_eq!(code, "signature_malformed");
    insta::assert_snapshot!(text, @r#"expected "sha256=" and a signature in base64 in the header x-sig, found none or another form"#);
}

#[test]
fn a_token_stands_where_the_author_says() {
    let header = || json!({"token": {"in": {"header": "X-Token"}, "secret": "new"}});
    assert_eq!(check(header(), &post("").header("x-token", " new-key ")), Ok(()));
    insta::assert_snapshot!(refusal(header(), &post("").query("x-token=new-key")).1, @"expected a token in the header x-token, found none");
    insta::assert_snapshot!(refusal(header(), &post("").header("x-token", "Bearer new-key")).1, @"the token in the header x-token is not the one expected");
    let query = || json!({"token": {"in": {"query": "token"}, "secret": "new"}});
    assert_eq!(check(query(), &post("").query("token=new-key")), Ok(()));
    assert_eq!(refusal(query(), &post("").query("token=old-key")).0, "token_mismatch");
    assert_eq!(refusal(query(), &post("").query("token=")).0, "token_missing");
    let authorization = || json!({"token": {"in": {"header": "authorization"}, "secret": "new"}});
    for value in ["Bearer new-key", "bearer new-key", "new-key"] {
        assert_eq!(check(authorization(), &post("").header("authorization", value)), Ok(()), "{value}");
    }
    assert_eq!(refusal(authorization(), &post("").header("authorization", "Bearer ")).0, "token_mismatch");
    assert_eq!(refusal(authorization(), &post("").header("authorization", b"\xff\xfe")).0, "token_mismatch");
}

#[test]
fn basic_needs_both_user_and_password() {
    let basic = || json!({"basic": {"user": "pawl", "secret": ["new", "old"]}});
    let with = |credentials: &str| check(basic(), &post("").header("authorization", credentials));
    assert_eq!(with("Basic cGF3bDpvbGQta2V5"), Ok(()), "pawl:old-key");
    for (credentials, code) in [
        ("Basic cGF3bDpvdGhlcg==", "credentials_mismatch"),
        ("Basic b3RoZXI6bmV3LWtleQ==", "credentials_mismatch"),
        ("Basic cGF3bA==", "credentials_missing"),
        ("Bearer new-key", "credentials_missing"),
        ("Basic !", "credentials_missing"),
    ] {
        let rejection = with(credentials).expect_err("it is refused");
        assert_eq!((rejection.code(), rejection.status()), (code, 401), "{credentials}");
        assert_eq!(rejection.challenge(), Some(r#"Basic realm="webhook", charset="UTF-8""#));
    }
}

#[test]
fn a_secret_without_a_value_is_ours_to_set_and_never_an_empty_key() {
    for name in ["absent", "empty"] {
        let sent = post("{}").header("x-hub-signature-256", format!("sha256={}", signed("", "{}")));
        let rejection = check(json!({"github": {"secret": name}}), &sent).expect_err("there is no key");
        assert_eq!((rejection.code(), rejection.status()), ("secret_missing", 503));
        assert!(rejection.to_string().contains(name), "the operator is told");
        assert!(!rejection.for_sender().contains(name), "the sender is not");
    }
    let sent = post("{}").header("x-hub-signature-256", format!("sha256={}", signed("new-key", "{}")));
    assert_eq!(check(json!({"github": {"secret": ["absent", "new"]}}), &sent), Ok(()));
}

#[test]
fn a_secret_of_another_form_is_named() {
    let sent = post("{}")
        .header("webhook-id", "1")
        .header("webhook-timestamp", NOW_S.to_string())
        .header("webhook-signature", "v1,AAAA");
    let rejection = check(preset("standard-webhooks"), &sent).expect_err("the keys are not base64");
    assert_eq!((rejection.code(), rejection.status()), ("secret_malformed", 503));
    insta::assert_snapshot!(rejection, @"expected the secret old to be `whsec_` and a key in base64, found another form");
}

#[test]
fn texts_hold_neither_secrets_nor_what_was_sent() {
    let rules = [
        preset("github"),
        json!({"token": {"in": {"header": "x-token"}, "secret": "new"}}),
        json!({"basic": {"user": "pawl", "secret": "new"}}),
    ];
    for written in rules {
        let sent = post("{}")
            .header("x-token", "sent-token")
            .header("authorization", "Basic c2VudDpzZW50")
            .header("x-hub-signature-256", "sha256=5e47");
        let rejection = check(written, &sent).expect_err("it is refused");
        for text in [rejection.to_string(), format!("{rejection:?}")] {
            assert!(!text.contains("key") && !text.contains("sent") && !text.contains("5e47"), "{text}");
        }
    }
}

#[test]
fn a_rule_names_its_secrets() {
    assert_eq!(secret_names(&rule(json!("none"))), [""; 0]);
    assert_eq!(secret_names(&rule(preset("slack"))), ["new", "old"]);
    let hmac = json!({"hmac": {"secret": "{{ secret(\"app\") }}", "header": "x-sig", "verify_token": "meta"}});
    assert_eq!(secret_names(&rule(hmac)), ["app", "meta"]);
}
