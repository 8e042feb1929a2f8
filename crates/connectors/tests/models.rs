//! The model port against loopback providers.

mod support;

use std::net::SocketAddr;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Json, Router};
use jiff::SignedDuration;
use pawl_connectors::{ModelClient, Providers};
use pawl_runtime::ports::{ModelAnswer, ModelError, ModelRequest, Models};
use serde_json::{Value, json};
use support::{listen, read_head, serve, serve_bytes};
use tokio::sync::{mpsc, oneshot};

fn client(variables: &[(&str, &str)]) -> ModelClient {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    ModelClient::new(Providers::from_variables(variables).expect("well-formed")).expect("a client can be made")
}

/// A client whose default provider is at `server`, with a key and a default model.
fn client_of(server: SocketAddr) -> ModelClient {
    client(&[
        ("PAWL_MODEL_URL", &format!("http://{server}/v1")),
        ("PAWL_MODEL_KEY", "s3cret-key"),
        ("PAWL_MODEL_NAME", "small"),
    ])
}

fn asked(model: &str) -> ModelRequest {
    ModelRequest {
        model: model.to_owned(),
        system: Some("Be brief.".to_owned()),
        messages: vec!["Triage: it burns.".to_owned()],
        schema: None,
        temperature: None,
        max_tokens: None,
        timeout: SignedDuration::from_secs(60),
    }
}

/// Answers each request with one status and body.
async fn refusing(status: u16, body: &'static str) -> SocketAddr {
    let status = StatusCode::from_u16(status).expect("the test's status is one");
    serve(Router::new().fallback(move || async move { (status, [("retry-after", "20")], body) })).await
}

#[tokio::test]
async fn a_structured_answer_is_asked_for_natively() {
    let (sent, mut requests) = mpsc::unbounded_channel::<(HeaderMap, Value)>();
    let complete = |State(sent): State<mpsc::UnboundedSender<_>>, headers: HeaderMap, Json(body): Json<Value>| async move {
        sent.send((headers, body)).expect("the test listens");
        Json(json!({
            "id": "c1",
            "choices": [{"message": {"role": "assistant", "content": "{\"urgent\":true}"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 2000, "completion_tokens": 500, "total_tokens": 2500},
        }))
    };
    let server = serve(Router::new().route("/v1/chat/completions", post(complete)).with_state(sent)).await;
    let client = client(&[
        ("PAWL_MODEL_URL", &format!("http://{server}/v1")),
        ("PAWL_MODEL_KEY", "s3cret-key"),
        ("PAWL_MODEL_NAME", "small"),
        ("PAWL_MODEL_USD_PER_MTOK_IN", "0.5"),
        ("PAWL_MODEL_USD_PER_MTOK_OUT", "2"),
    ]);
    let schema = json!({
        "type": "object",
        "properties": {"urgent": {"type": "boolean"}},
        "required": ["urgent"],
        "additionalProperties": false,
    });
    let request =
        ModelRequest { schema: Some(schema.clone()), temperature: Some(0.2), max_tokens: Some(64), ..asked("default") };
    let answer = client.complete(request).await.expect("the provider answers");
    assert_eq!(
        answer,
        ModelAnswer { text: "{\"urgent\":true}".to_owned(), input_tokens: 2000, output_tokens: 500, usd: Some(0.002) }
    );
    let (headers, body) = requests.recv().await.expect("one request came");
    assert_eq!(headers["authorization"], "Bearer s3cret-key");
    assert_eq!(
        body,
        json!({
            "model": "small",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Triage: it burns."},
            ],
            "temperature": 0.2,
            "max_tokens": 64,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": true, "schema": schema},
            },
        })
    );
}

#[tokio::test]
async fn models_are_named_by_provider() {
    let model = |Json(body): Json<Value>| async move {
        Json(json!({"choices": [{"message": {"content": body["model"]}}]})).into_response()
    };
    let server = serve(Router::new().fallback(model)).await;
    let url = format!("http://{server}/v1");
    let client = client(&[("PAWL_MODEL_URL", &url), ("PAWL_MODEL_NAME", "small"), ("PAWL_MODEL_MY_OWN_URL", &url)]);
    for (wanted, expected) in [
        ("default", "small"),
        ("default/default", "small"),
        ("default/large", "large"),
        ("my-own/vendor/large", "vendor/large"),
    ] {
        assert_eq!(client.complete(asked(wanted)).await.expect("the provider answers").text, expected, "{wanted}");
    }
    for (wanted, expected) in [
        ("my_own", "provider `my_own` has no default model; expected `my_own/<model>` or PAWL_MODEL_MY_OWN_NAME"),
        (
            "other/large",
            "no model provider `other` is configured (known: default, my_own); expected PAWL_MODEL_OTHER_URL",
        ),
    ] {
        let outcome = client.complete(asked(wanted)).await;
        assert_eq!(outcome, Err(ModelError::NotConfigured(expected.to_owned())));
    }
}

#[tokio::test]
async fn refusals_are_sorted_by_status_and_never_show_the_key() {
    use ModelError::{NotConfigured, Refused, Server, Throttled, Timeout};
    let said = r#"{"error": {"message": "no, not\nwith s3cret-key"}}"#;
    for (status, body, expected) in [
        (400, said, Refused("provider `default` answered 400: no, not with [key]".to_owned())),
        (400, "<html>", Refused("provider `default` answered 400".to_owned())),
        (
            401,
            said,
            Refused(
                "provider `default` answered 401: the key is missing or not accepted; see PAWL_MODEL_KEY".to_owned(),
            ),
        ),
        (408, r#"{"detail": "slow"}"#, Timeout("provider `default` answered 408: slow".to_owned())),
        (
            429,
            r#"{"error": "slow down"}"#,
            Throttled("provider `default` answered 429, to come back after 20 s: slow down".to_owned()),
        ),
        (
            429,
            r#"{"error": {"code": "insufficient_quota"}}"#,
            Refused("provider `default` answered 429: the account's quota is used up".to_owned()),
        ),
        (500, "", Server("provider `default` answered 500".to_owned())),
        (529, r#"{"message": "overloaded"}"#, Server("provider `default` answered 529: overloaded".to_owned())),
        (
            307,
            "",
            Refused(
                "provider `default` answered 307, a redirect, which is not followed; see PAWL_MODEL_URL".to_owned(),
            ),
        ),
        (
            200,
            r#"{"error": {"code": 429}}"#,
            Throttled("provider `default` answered 429, to come back after 20 s".to_owned()),
        ),
        (200, r#"{"error": "broken"}"#, Server("provider `default` answered 502: broken".to_owned())),
        (200, "not json", Server("provider `default` answered 200 with no chat completion".to_owned())),
    ] {
        let client = client_of(refusing(status, body).await);
        assert_eq!(client.complete(asked("default")).await, Err(expected), "{status} {body}");
    }

    let server = refusing(404, r#"{"error": {"message": "unknown model"}}"#).await;
    let expected = format!(
        "provider `default` answered 404 to http://{server}/v1/chat/completions for model `large`: unknown model"
    );
    assert_eq!(client_of(server).complete(asked("default/large")).await, Err(NotConfigured(expected)));
}

#[tokio::test]
async fn an_unreachable_provider_is_a_network_error() {
    let (listener, closed) = listen().await;
    drop(listener);
    let expected = format!("connecting to http://{closed} failed: connection refused");
    assert_eq!(client_of(closed).complete(asked("default")).await, Err(ModelError::Network(expected)));

    let cut = serve_bytes("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
    assert!(matches!(client_of(cut).complete(asked("default")).await, Err(ModelError::Network(_))));
}

#[tokio::test]
async fn a_silent_provider_times_out() {
    let (listener, server) = listen().await;
    let (arrived, arrival) = oneshot::channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("the client connects");
        read_head(&mut stream).await;
        arrived.send(stream).expect("the test waits");
    });
    let call = tokio::spawn(async move { client_of(server).complete(asked("default")).await });
    let _stream = arrival.await.expect("the request arrives");
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_mins(1)).await;
    let outcome = call.await.expect("the call does not panic");
    assert_eq!(outcome, Err(ModelError::Timeout(format!("no complete answer from http://{server} within 60 s"))));
}

#[tokio::test]
async fn an_answer_without_end_is_the_providers_failure() {
    let server = serve_bytes(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 1u64 << 40)).await;
    let expected = format!("the answer of http://{server} is larger than 8192 KiB");
    assert_eq!(client_of(server).complete(asked("default")).await, Err(ModelError::Server(expected)));
}
