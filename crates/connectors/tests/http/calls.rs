//! What is sent, and how answers are read.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::Router;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::{any, get};
use pawl_runtime::ports::{Http, HttpAnswer, HttpError, HttpRequest};
use serde_json::json;

use crate::support::{listen, serve, serve_bytes};
use crate::vocabulary::{client, echo, get_of};

#[tokio::test]
async fn a_call_arrives_as_written_and_its_answer_comes_back() {
    let server = serve(Router::new().fallback(any(echo))).await;
    let request = HttpRequest {
        method: "POST".to_owned(),
        headers: BTreeMap::from([
            ("content-type".to_owned(), "application/json".to_owned()),
            ("idempotency-key".to_owned(), "exe_1:call:1".to_owned()),
        ]),
        body: Some("{\"a\":1}".to_owned()),
        ..get_of(format!("http://{server}/in?q=1"))
    };
    let answer = client("127.0.0.1").send(request).await.expect("the server answers");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(
        answer.body,
        json!({
            "method": "POST",
            "uri": "/in?q=1",
            "headers": {
                "accept": "*/*",
                "accept-encoding": "identity",
                "content-length": "7",
                "content-type": "application/json",
                "host": server.to_string(),
                "idempotency-key": "exe_1:call:1",
                "user-agent": concat!("pawl/", env!("CARGO_PKG_VERSION")),
            },
            "body": "{\"a\":1}",
        })
    );
}

#[tokio::test]
async fn any_status_is_an_answer() {
    let server = serve(Router::new().fallback(|| async { (StatusCode::BAD_GATEWAY, "down") })).await;
    let answer = client("127.0.0.1").send(get_of(format!("http://{server}/"))).await.expect("502 is an answer");
    assert_eq!((answer.status, answer.body), (502, json!("down")));
}

#[tokio::test]
async fn calls_to_one_origin_share_a_connection() {
    let peer =
        |axum::extract::ConnectInfo(peer): axum::extract::ConnectInfo<SocketAddr>| async move { peer.to_string() };
    let (listener, server) = listen().await;
    let service = Router::new().route("/", get(peer)).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    let client = client("127.0.0.1");
    let first = client.send(get_of(format!("http://{server}/"))).await.expect("the server answers");
    let second = client.send(get_of(format!("http://{server}/"))).await.expect("the server answers");
    assert_eq!(first.body, second.body);
}

/// What reaches a server for each of these requests: method and the header `content-length`.
async fn lengths(requests: &[(&str, Option<&str>)]) -> Vec<String> {
    let told = |method: Method, headers: HeaderMap| async move {
        let length = headers.get("content-length").map_or("none", |length| length.to_str().expect("ascii"));
        format!("{method} {length}")
    };
    let server = serve(Router::new().fallback(any(told))).await;
    let client = client("127.0.0.1");
    let mut lengths = Vec::new();
    for (method, body) in requests {
        let request = HttpRequest {
            method: (*method).to_owned(),
            body: body.map(str::to_owned),
            ..get_of(format!("http://{server}/"))
        };
        let answer = client.send(request).await.expect("the server answers");
        lengths.push(answer.body.as_str().expect("a text").to_owned());
    }
    lengths
}

/// IIS, Azure and Google's front ends answered 411.
#[tokio::test]
async fn a_request_without_a_body_says_so_where_it_might_have_one() {
    let requests =
        [("POST", None), ("PUT", None), ("PATCH", Some("")), ("POST", Some("x")), ("GET", None), ("DELETE", None)];
    let told = ["POST 0", "PUT 0", "PATCH 0", "POST 1", "GET none", "DELETE none"];
    assert_eq!(lengths(&requests).await, told);
}

#[tokio::test]
async fn the_bytes_of_an_answer_are_read_as_its_headers_say() {
    let gzip = &b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a\x54\xb2\x32\xac\x05\x00\xaf\xac\x1b\x56\x07\x00\x00\x00"[..];
    for (head, body, expected) in [
        ("content-type: application/json; charset=iso-8859-1", &b"{\"name\":\"Zo\xeb\"}"[..], json!({"name": "Zoë"})),
        ("content-type: text/csv; charset=windows-1252", b"5 \x80", json!("5 €")),
        ("content-type: application/json", b"\xef\xbb\xbf{\"a\":1}", json!({"a": 1})),
        ("content-encoding: gzip\r\ncontent-type: application/json", gzip, json!({"a": 1})),
    ] {
        let answer = answered(head, body).await.expect("it can be read");
        assert_eq!(answer.body, expected, "{head}");
    }
    for (head, body) in [
        ("content-type: application/json", &br#"{"text":"cut here \ud83d"}"#[..]),
        ("content-type: application/json", b"{\"a\":"),
        ("content-type: text/plain; charset=klingon", b"x"),
        ("content-encoding: br", b"x"),
        ("content-encoding: gzip", &gzip[..20]),
        ("content-type: image/png", b"\x89PNG\xff"),
    ] {
        let outcome = answered(head, body).await;
        assert!(matches!(outcome, Err(HttpError::Undecodable(_))), "{head}: {outcome:?}");
    }
    let answer = answered("set-cookie: a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT\r\nset-cookie: b=2", b"").await;
    assert_eq!(answer.expect("an answer").cookies, ["a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "b=2"]);
}

/// The outcome of a call whose answer has this header and body.
async fn answered(head: &str, body: &[u8]) -> Result<HttpAnswer, HttpError> {
    let mut bytes = format!("HTTP/1.1 200 OK\r\n{head}\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    let server = serve_bytes(bytes).await;
    client("127.0.0.1").send(get_of(format!("http://{server}/"))).await
}
