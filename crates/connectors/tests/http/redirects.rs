//! Which redirects are followed, and what goes along.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::routing::any;
use pawl_connectors::GuardedHttp;
use pawl_runtime::ports::{Http, HttpError, HttpRequest};

use crate::support::{serve, serve_bytes};
use crate::vocabulary::{Answers, client, config, echo, get_of, redirect, refusal};

#[tokio::test]
async fn redirects_are_guarded_like_the_first_url() {
    for target in ["http://169.254.169.254/latest/meta-data", "http://[::1]/", "//10.0.0.1/", "http://0x7f.2/"] {
        let server = serve(redirect(StatusCode::FOUND, target)).await;
        let message = refusal(client(&server.to_string()).send(get_of(format!("http://{server}/"))).await);
        assert!(message.contains("is refused: a"), "{target}: {message}");
    }
    let server = serve(redirect(StatusCode::FOUND, "http://rebound.example/")).await;
    let names = Answers::of(&[&["10.0.0.1"]]);
    let client = GuardedHttp::with_resolver(config(&server.to_string()), names).expect("a client can be made");
    refusal(client.send(get_of(format!("http://{server}/"))).await);
}

#[tokio::test]
async fn a_redirect_to_another_origin_takes_no_secrets_along() {
    let target = serve(Router::new().fallback(any(echo))).await;
    let server = serve(redirect(StatusCode::FOUND, format!("http://{target}/there"))).await;
    let request = HttpRequest {
        method: "POST".to_owned(),
        headers: ["accept", "authorization", "cookie", "x-api-key", "content-type"]
            .map(|name| (name.to_owned(), "x/y".to_owned()))
            .into(),
        body: Some("s3cret".to_owned()),
        ..get_of(format!("http://user:s3cret@{server}/"))
    };
    let answer = client("127.0.0.1").send(request).await.expect("the target answers");
    assert_eq!(answer.body["method"], "GET");
    assert_eq!(answer.body["body"], "");
    let headers: Vec<_> = answer.body["headers"].as_object().expect("headers").keys().map(String::as_str).collect();
    assert_eq!(headers, ["accept", "accept-encoding", "host", "user-agent"]);
}

#[tokio::test]
async fn five_redirects_are_followed_and_no_sixth() {
    let countdown = |uri: Uri| async move {
        match uri.path().trim_start_matches('/').parse::<u32>() {
            Ok(0) | Err(_) => (StatusCode::OK, [("location", String::new())]),
            Ok(left) => (StatusCode::TEMPORARY_REDIRECT, [("location", format!("/{}", left - 1))]),
        }
    };
    let server = serve(Router::new().fallback(any(countdown))).await;
    let client = client("127.0.0.1");
    assert_eq!(client.send(get_of(format!("http://{server}/5"))).await.expect("five are followed").status, 200);
    let message = refusal(client.send(get_of(format!("http://{server}/6"))).await);
    assert_eq!(message, format!("http://{server} redirected more than 5 times"));
}

#[tokio::test]
async fn a_redirect_that_keeps_the_body_is_not_followed_to_another_origin() {
    let reached = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&reached);
    let count = move || {
        counter.fetch_add(1, Ordering::Relaxed);
        async { "taken" }
    };
    let target = serve(Router::new().fallback(any(count))).await;
    for status in [StatusCode::TEMPORARY_REDIRECT, StatusCode::PERMANENT_REDIRECT] {
        let server = serve(redirect(status, format!("http://{target}/there"))).await;
        let request = HttpRequest {
            method: "POST".to_owned(),
            body: Some("s3cret".to_owned()),
            ..get_of(format!("http://{server}/"))
        };
        let message = refusal(client("127.0.0.1").send(request).await);
        let expected = format!(
            "a redirect of http://{server} is not followed: it would send the body to another origin, http://{target}"
        );
        assert_eq!(message, expected);
        let without_body = HttpRequest { method: "DELETE".to_owned(), ..get_of(format!("http://{server}/")) };
        assert!(client("127.0.0.1").send(without_body).await.is_ok());
    }
    assert_eq!(reached.load(Ordering::Relaxed), 2, "only without a body");
}

#[tokio::test]
async fn a_redirect_with_letters_of_any_language_is_followed() {
    let server =
        serve_bytes("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/café a\r\ncontent-length: 0\r\n\r\n").await;
    let outcome = client("127.0.0.1").send(get_of(format!("http://{server}/"))).await;
    let expected = "connecting to http://127.0.0.1:1 failed: connection refused";
    assert_eq!(outcome, Err(HttpError::Network(expected.to_owned())));
}
