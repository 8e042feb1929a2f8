use serde_json::{Value, json};

use super::{Answer, MAX_CHALLENGE, handshake};
use crate::webhook::sent::{Sent, get, post, rule, secrets};
use crate::webhook::{Rejection, verify};

/// Asks as the router does: verifies first. The secrets are `app` = "app-key" and `meta` = "meta-token".
fn ask(written: Value, sent: &Sent) -> Result<Option<Answer>, Rejection> {
    let (rule, secrets) = (rule(written), secrets([("app", "app-key"), ("meta", "meta-token")]));
    let verified = verify(&rule, &secrets, &sent.delivery(), jiff::Timestamp::UNIX_EPOCH);
    handshake(&rule, &secrets, &sent.delivery(), &verified)
}

fn echo(text: &str) -> Answer {
    Answer { status: 200, content_type: "text/plain; charset=utf-8", body: text.to_owned() }
}

fn token() -> Value {
    json!({"token": {"in": {"query": "key"}, "secret": "app"}})
}

fn meta() -> Value {
    json!({"hmac": {"secret": "app", "header": "x-hub-signature-256", "prefix": "sha256=", "verify_token": "meta"}})
}

fn subscribe(token: &str) -> Sent {
    get(&format!("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}"))
}

#[test]
fn slack_gets_its_challenge_once_it_is_verified() {
    let body = r#"{"token": "legacy", "challenge": "3eZbrw1aB", "type": "url_verification"}"#;
    assert_eq!(ask(json!("none"), &post(body)), Ok(Some(echo("3eZbrw1aB"))));
    assert_eq!(ask(token(), &post(body).query("key=app-key")), Ok(Some(echo("3eZbrw1aB"))));
    assert_eq!(ask(token(), &post(body)), Ok(None), "not verified");
    assert_eq!(ask(json!({"slack": {"secret": "app"}}), &post(body)), Ok(None), "not signed");
}

#[test]
fn other_bodies_are_deliveries() {
    for body in
        [r#"{"type": "event_callback", "challenge": "x"}"#, r#"{"type": "url_verification"}"#, "url_verification", ""]
    {
        assert_eq!(ask(json!("none"), &post(body)), Ok(None), "{body}");
    }
}

/// What is beyond the bounds of a body is no handshake: as a delivery it is refused by its bound.
#[test]
fn a_handshake_keeps_to_the_bounds_of_bodies() {
    let with =
        |rest: &str| ask(json!("none"), &post(format!(r#"{{"type":"url_verification","challenge":"x","a":{rest}}}"#)));
    assert_eq!(with(&format!("{}{}", "[".repeat(63), "]".repeat(63))), Ok(Some(echo("x"))));
    assert_eq!(with(&format!("{}{}", "[".repeat(64), "]".repeat(64))), Ok(None));
    assert_eq!(with(&"1".repeat(30)), Ok(None));
    assert_eq!(ask(json!("none"), &post(r#"["url_verification","x"]"#)), Ok(None), "a list is no object");
}

#[test]
fn meta_gets_its_challenge_for_the_token_that_is_not_the_key() {
    assert_eq!(ask(meta(), &subscribe("meta-token")), Ok(Some(echo("1158201444"))));
    let refused = ask(meta(), &subscribe("app-key")).expect_err("the key is no token");
    assert_eq!((refused.code(), refused.status()), ("token_mismatch", 401));
    insta::assert_snapshot!(refused, @"the token in the query parameter hub.verify_token is not the one expected");
}

#[test]
fn meta_needs_a_verify_token_where_deliveries_are_signed() {
    let refused = ask(json!({"github": {"secret": "app"}}), &subscribe("app-key")).expect_err("there is no token");
    assert_eq!(refused.code(), "token_mismatch");
    assert_eq!(ask(token(), &subscribe("app-key")), Ok(Some(echo("1158201444"))), "a token is one");
    assert_eq!(ask(meta(), &get("hub.mode=subscribe&hub.challenge=1")), Ok(None), "no token was sent");
    assert_eq!(ask(meta(), &get("hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=meta-token")), Ok(None));
}

#[test]
fn graph_gets_its_token_back_decoded() {
    let query = "key=app-key&validationToken=Validation%3A+Testing+client+application+%3Cb%3E";
    assert_eq!(ask(token(), &post("").query(query)), Ok(Some(echo("Validation: Testing client application <b>"))));
    assert_eq!(ask(token(), &post("").query("validationToken=abc")), Ok(None), "not verified");
    assert_eq!(ask(token(), &post("{}").query(query)), Ok(None), "a delivery has a body");
}

#[test]
fn long_texts_are_not_given_back() {
    let text = |length| "x".repeat(length);
    let graph = |length| ask(json!("none"), &get(&format!("validationToken={}", text(length))));
    assert_eq!(graph(MAX_CHALLENGE), Ok(Some(echo(&text(MAX_CHALLENGE)))));
    assert_eq!(graph(MAX_CHALLENGE + 1), Ok(None));
    let slack =
        |length| ask(json!("none"), &post(json!({"type": "url_verification", "challenge": text(length)}).to_string()));
    assert_eq!(slack(MAX_CHALLENGE), Ok(Some(echo(&text(MAX_CHALLENGE)))));
    assert_eq!(slack(MAX_CHALLENGE + 1), Ok(None));
}
