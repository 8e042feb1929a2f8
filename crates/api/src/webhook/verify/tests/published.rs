//! The worked examples that the providers publish, so that nothing here is proved by our own signer alone.

use jiff::Timestamp;
use serde_json::json;

use crate::webhook::sent::{Sent, post, rule, secrets};
use crate::webhook::verify;

fn accepted(written: serde_json::Value, secret: &str, sent: &Sent, at_s: i64) {
    let now = Timestamp::from_second(at_s).expect("a time of this century");
    assert_eq!(verify(&rule(written), &secrets([("s", secret)]), &sent.delivery(), now), Ok(()));
}

/// GitHub Docs, "Validating webhook deliveries: testing the webhook payload validation".
#[test]
fn github() {
    let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let sent = post("Hello, World!").header("x-hub-signature-256", signature);
    accepted(json!({"github": {"secret": "s"}}), "It's a Secret to Everybody", &sent, 0);
}

/// Slack's developer docs, "Verifying requests from Slack: a recipe".
#[test]
fn slack() {
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V\
        &channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=\
        &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
        &trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let sent = post(body)
        .header("x-slack-request-timestamp", "1531420618")
        .header("x-slack-signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503");
    accepted(json!({"slack": {"secret": "s"}}), "8f742231b10e8888abcd99yyyzzz85a5", &sent, 1_531_420_618 + 299);
}

/// The Standard Webhooks specification's example, and the same with the names that Svix uses.
#[test]
fn standard_webhooks() {
    for prefix in ["webhook", "svix"] {
        let sent = post(r#"{"test": 2432232314}"#)
            .header(&format!("{prefix}-id"), "msg_p5jXN8AQM9LWM0D4loKWxJek")
            .header(&format!("{prefix}-timestamp"), "1614265330")
            .header(&format!("{prefix}-signature"), "v1a,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        accepted(json!({"standard-webhooks": {"secret": "s"}}), secret, &sent, 1_614_265_330);
    }
}

/// RFC 2202, case 2, and RFC 4231, case 2: HMAC with SHA-1 and SHA-512.
#[test]
fn rfc_vectors() {
    let vectors = [
        ("sha1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79".to_owned()),
        (
            "sha512",
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
             9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
                .to_owned(),
        ),
    ];
    for (algorithm, signature) in vectors {
        let sent = post("what do ya want for nothing?").header("x-sig", &signature);
        accepted(json!({"hmac": {"secret": "s", "header": "X-Sig", "algorithm": algorithm}}), "Jefe", &sent, 0);
    }
}
