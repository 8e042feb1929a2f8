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
use pawl_runtime::ports::{ModelAnswer, ModelError, ModelErrorKind, ModelRequest, Models, Price, TokenCounts};
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
        prompt: "Triage: it burns.".to_owned(),
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
            "model": "small-2026-11",
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
        ModelAnswer {
            text: "{\"urgent\":true}".to_owned(),
            finish_reason: Some("stop".to_owned()),
            model: Some("small-2026-11".to_owned()),
            tokens: TokenCounts { input: Some(2000), output: Some(500) },
            price: Some(Price { input: 0.5, output: 2.0 }),
            ..ModelAnswer::default()
        }
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
        assert_eq!(outcome, Err(ModelError::new(ModelErrorKind::NotConfigured, expected)));
    }
}

/// What a call of a provider ends with that answers so.
async fn error_of(status: u16, body: &'static str) -> ModelError {
    let client = client_of(refusing(status, body).await);
    client.complete(asked("default")).await.expect_err("it is no answer")
}

#[tokio::test]
async fn refusals_are_sorted_by_status_and_never_show_the_key() {
    use ModelErrorKind::{Refused, Server, Throttled, Timeout};
    let said = r#"{"error": {"message": "no, not\nwith s3cret-key"}}"#;
    for (status, body, kind, expected) in [
        (400, said, Refused, "answered 400: no, not with [secret:PAWL_MODEL_KEY]"),
        (400, "<html>", Refused, "answered 400"),
        (401, said, Refused, "answered 401: the key is missing or not accepted; see PAWL_MODEL_KEY"),
        (408, r#"{"detail": "slow"}"#, Timeout, "answered 408: slow"),
        (429, r#"{"error": "slow down"}"#, Throttled, "answered 429: slow down"),
        (
            429,
            r#"{"error": {"code": "insufficient_quota", "message": "pay"}}"#,
            Refused,
            "answered 429: the account's quota is used up: pay",
        ),
        (500, "", Server, "answered 500"),
        (503, "upstream \u{1b}[31mdown", Server, "answered 503: upstream [31mdown"),
        (529, r#"{"message": "overloaded"}"#, Server, "answered 529: overloaded"),
        (307, "", Refused, "answered 307, a redirect, which is not followed; see PAWL_MODEL_URL"),
        (200, r#"{"error": {"code": 429, "message": "later"}}"#, Throttled, "answered 429: later"),
        (200, r#"{"error": "broken"}"#, Server, "answered 502: broken"),
        (200, "not json", Server, "answered 200 with no chat completion"),
    ] {
        let error = error_of(status, body).await;
        assert_eq!((error.kind, error.message), (kind, format!("provider `default` {expected}")), "{status} {body}");
    }

    let server = refusing(404, r#"{"error": {"message": "unknown model"}}"#).await;
    let expected = format!(
        "provider `default` answered 404 to http://{server}/v1/chat/completions for model `large`: unknown model"
    );
    let error = client_of(server).complete(asked("default/large")).await.expect_err("there is no such model");
    assert_eq!((error.kind, error.message), (ModelErrorKind::NotConfigured, expected));
}

/// A 422 of `FastAPI` was told as "answered 422".
#[tokio::test]
async fn a_list_of_mistakes_is_told_with_its_places() {
    let body = r#"{"detail": [{"loc": ["body", "max_tokens"], "msg": "must be positive", "type": "value_error"}]}"#;
    let error = error_of(422, body).await;
    assert_eq!(error.message, "provider `default` answered 422: body.max_tokens: must be positive");
}

/// Fault 30: `Retry-After` stood in the text of the error only.
#[tokio::test]
async fn retry_after_is_kept_where_coming_back_may_help() {
    for (status, kept) in [(429, true), (503, true), (408, true), (400, false), (401, false)] {
        let error = error_of(status, "{}").await;
        assert_eq!(error.retry_after.as_deref(), kept.then_some("20"), "{status}");
    }
}

/// Answers each request with one completion.
async fn completing(body: &'static str) -> SocketAddr {
    serve(Router::new().fallback(move || async move { body })).await
}

#[tokio::test]
async fn the_key_is_taken_out_of_a_successful_answer() {
    let body =
        r#"{"model": "s3cret-key", "choices": [{"message": {"content": "use s3cret-key or czNjcmV0LWtleQ=="}}]}"#;
    let answer = client_of(completing(body).await).complete(asked("default")).await.expect("the provider answers");
    assert_eq!(answer.text, "use [secret:PAWL_MODEL_KEY] or [secret:PAWL_MODEL_KEY]");
    assert_eq!(answer.model.as_deref(), Some("[secret:PAWL_MODEL_KEY]"));
}

/// `usage: null` or `3.0` was "200 with no chat completion", and paid for again.
#[tokio::test]
async fn usage_never_breaks_an_answer() {
    for (body, input) in [
        (r#"{"choices": [{"message": {"content": "x"}}]}"#, None),
        (r#"{"choices": [{"message": {"content": "x"}}], "usage": null}"#, None),
        (r#"{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": 3.0}}"#, Some(3)),
        (r#"{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": "3"}}"#, Some(3)),
        (r#"{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": -3}}"#, None),
        (r#"{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": 18446744073709551616}}"#, None),
        (r#"{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": 18446744073709551615}}"#, None),
    ] {
        let client = client_of(completing(body).await);
        let answer = client.complete(asked("default")).await.expect("the provider answers");
        assert_eq!((answer.text.as_str(), answer.tokens.input), ("x", input), "{body}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_decoded_is_the_providers_failure() {
    let body = b"HTTP/1.1 200 OK\r\ncontent-length: 43\r\n\r\n{\"choices\": [{\"message\": {\"content\": \"\xff\"}}]}";
    let error = client_of(serve_bytes(body.as_slice()).await).complete(asked("default")).await;
    let expected = "provider `default` answered 200 with bytes that are no UTF-8";
    assert_eq!(error, Err(ModelError::new(ModelErrorKind::Server, expected)));
}

/// Twelve calls at once on a server of one slot ran into their time-outs.
#[tokio::test(start_paused = true)]
async fn calls_wait_for_their_turn_before_they_are_sent() {
    let client = client(&[("PAWL_MODEL_URL", "http://127.0.0.1:1/v1"), ("PAWL_MODEL_OTHER_URL", "http://a.example")]);
    let minute = SignedDuration::from_secs(60);
    let first = client.slot("default/small", minute).await.expect("nobody is before it");
    client.slot("other", minute).await.expect("another provider has slots of its own");
    let busy = client.slot("default", SignedDuration::from_secs(30)).await.expect_err("the only slot is taken");
    assert_eq!(busy.kind, ModelErrorKind::Busy);
    assert_eq!(busy.message, "provider `default` was busy with other calls for 30 s; see PAWL_MODEL_CONCURRENCY");
    drop(first);
    client.slot("DEFAULT/large", minute).await.expect("the slot is free again");
}

#[tokio::test]
async fn an_unreachable_provider_is_a_network_error() {
    let (listener, closed) = listen().await;
    drop(listener);
    let expected = format!("connecting to http://{closed} failed: connection refused");
    assert_eq!(
        client_of(closed).complete(asked("default")).await,
        Err(ModelError::new(ModelErrorKind::Network, expected))
    );

    let cut = serve_bytes("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
    let error = client_of(cut).complete(asked("default")).await.expect_err("it is cut off");
    assert_eq!(error.kind, ModelErrorKind::Network);
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
    let expected = format!("no complete answer from http://{server} within 60 s");
    assert_eq!(outcome, Err(ModelError::new(ModelErrorKind::Timeout, expected)));
}

#[tokio::test]
async fn an_answer_without_end_is_the_providers_failure() {
    let server = serve_bytes(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 1u64 << 40)).await;
    let expected = format!("the answer of http://{server} is larger than 8192 KiB");
    assert_eq!(
        client_of(server).complete(asked("default")).await,
        Err(ModelError::new(ModelErrorKind::Server, expected))
    );
}
