//! The hooks that the files call, with the rule that each has, and the secrets, which are no secrets.

use std::collections::BTreeMap;

use pawl_definition::trigger::Verify;
use serde_json::{Value, json};

/// Rules by path.
pub(crate) fn rules() -> BTreeMap<&'static str, Verify> {
    let rule = |written| serde_json::from_value(written).expect("a rule is written as the language says");
    written().into_iter().map(|(path, written)| (path, rule(written))).collect()
}

/// Rules by path, written as an author writes them.
pub(crate) fn written() -> BTreeMap<&'static str, Value> {
    let token = |place: Value| json!({"token": {"in": place, "secret": "token"}});
    let signed_by_meta = json!({"hmac": {
        "secret": "meta-app", "header": "X-Hub-Signature-256", "prefix": "sha256=", "verify_token": "meta-verify-token",
    }});
    let signed_by_machine = json!({"hmac": {
        "secret": ["{{ secret(\"machine-new\") }}", "{{ secret(\"machine\") }}"],
        "header": "x-sig", "algorithm": "sha256", "encoding": "hex", "prefix": "sha256=",
        "timestamp_header": "x-ts", "tolerance": "5m",
    }});
    BTreeMap::from([
        ("/hooks/support-triage/github", json!({"github": {"secret": "github"}})),
        ("/hooks/fulfil-order/stripe", json!({"stripe": {"secret": "stripe"}})),
        ("/hooks/answer-mentions/slack", json!({"slack": {"secret": "slack"}})),
        ("/hooks/new-order/shopify", json!({"shopify": {"secret": "shopify"}})),
        ("/hooks/sync-contact/crm", json!({"standard-webhooks": {"secret": "crm"}})),
        ("/hooks/new-lead/token", token(json!({"header": "x-token"}))),
        ("/hooks/new-lead/bearer", token(json!({"header": "Authorization"}))),
        ("/hooks/new-lead/query-token", token(json!({"query": "token"}))),
        ("/hooks/new-lead/basic", json!({"basic": {"user": "pawl", "secret": "basic"}})),
        ("/hooks/machine-alarm/plc", signed_by_machine),
        ("/hooks/whatsapp-reply/meta", signed_by_meta),
        ("/hooks/mail-arrived/graph", token(json!({"query": "token"}))),
        ("/hooks/inbox/any", json!("none")),
    ])
}

/// Secrets by name, as `events/webhook-ingress/README.md` lists them.
pub(crate) fn secrets() -> BTreeMap<String, String> {
    [
        ("github", "fake-github-secret"),
        ("stripe", "whsec_fake_stripe_secret"),
        ("slack", "fake-slack-signing-secret"),
        ("shopify", "fake-shopify-secret"),
        ("crm", "whsec_ZmFrZS1zdGFuZGFyZC13ZWJob29rcy1zZWNyZXQ="),
        ("token", "fake-token"),
        ("basic", "fake-password"),
        ("machine-new", "fake-hmac-secret"),
        ("machine", "fake-hmac-secret-before"),
        ("meta-app", "fake-meta-app-secret"),
        ("meta-verify-token", "fake-meta-verify-token"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}
