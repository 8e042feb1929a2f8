//! Which addresses and names are reached.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;
use pawl_connectors::{GuardedHttp, HttpConfig};
use pawl_runtime::ports::{Http, HttpError};
use serde_json::json;

use crate::support::{serve, serve_bytes};
use crate::vocabulary::{Answers, client, config, echo, get_of, redirect, refusal};

#[tokio::test]
async fn every_spelling_of_an_inner_address_is_refused() {
    let client = client("");
    for (url, expected) in [
        ("http://127.0.0.1/", "http://127.0.0.1:80 is refused: a loopback address"),
        ("http://2130706433/", "http://127.0.0.1:80 is refused: a loopback address"),
        ("http://0x7f000001/", "http://127.0.0.1:80 is refused: a loopback address"),
        ("http://0177.0.0.1/", "http://127.0.0.1:80 is refused: a loopback address"),
        ("http://0x7f.1/", "http://127.0.0.1:80 is refused: a loopback address"),
        ("http://127.1./", "http://127.0.0.1:80 is refused: a loopback address"),
        ("http://%31%32%37.0.0.1/", "http://127.0.0.1:80 is refused: a loopback address"),
        ("http://１２７.０.０.１/", "http://127.0.0.1:80 is refused: a loopback address"),
        ("http://127。0。0。1/", "http://127.0.0.1:80 is refused: a loopback address"),
        ("http://public.example@127.0.0.1/", "http://127.0.0.1:80 is refused: a loopback address"),
        ("http:\\\\127.0.0.1\\", "http://127.0.0.1:80 is refused: a loopback address"),
        ("http://0/", "http://0.0.0.0:80 is refused: an unspecified address"),
        ("http://10.0.0.1:8080/", "http://10.0.0.1:8080 is refused: a private address"),
        ("http://169.254.169.254/latest/meta-data", "http://169.254.169.254:80 is refused: a metadata address"),
        ("http://[::1]/", "http://[::1]:80 is refused: a loopback address"),
        ("http://[::]/", "http://[::]:80 is refused: an unspecified address"),
        ("http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]:80 is refused: a loopback address"),
        ("http://[::ffff:a9fe:a9fe]/", "http://[::ffff:a9fe:a9fe]:80 is refused: a metadata address"),
        ("http://[::127.0.0.1]/", "http://[::7f00:1]:80 is refused: a reserved address"),
        ("http://[64:ff9b::7f00:1]/", "http://[64:ff9b::7f00:1]:80 is refused: a loopback address"),
        ("http://[2002:7f00:1::]/", "http://[2002:7f00:1::]:80 is refused: a loopback address"),
        ("https://[fd00:ec2::254]/", "https://[fd00:ec2::254]:443 is refused: a metadata address"),
        ("http://[fe80::1]/", "http://[fe80::1]:80 is refused: a link-local address"),
    ] {
        let message = refusal(client.send(get_of(url)).await);
        assert!(message.starts_with(expected), "{url}: {message}");
    }
}

#[tokio::test]
async fn an_address_listed_with_a_port_is_reached_at_this_port_only() {
    let server = serve(Router::new().fallback(any(echo))).await;
    let other = serve(Router::new().fallback(any(echo))).await;
    let client = client(&server.to_string());
    assert!(client.send(get_of(format!("http://{server}/"))).await.is_ok());
    refusal(client.send(get_of(format!("http://{other}/"))).await);
}

#[tokio::test]
async fn a_name_that_resolves_to_an_inner_address_is_refused() {
    for answers in [&["127.0.0.1"][..], &["10.0.0.1", "::1"], &["169.254.169.254"], &["::ffff:192.168.0.1"]] {
        let client = GuardedHttp::with_resolver(config(""), Answers::of(&[answers])).expect("a client can be made");
        let message = refusal(client.send(get_of("http://rebound.example/?q=s3cret")).await);
        assert!(message.starts_with("rebound.example resolves to a"), "{message}");
    }
}

#[tokio::test]
async fn a_name_that_changes_its_answer_is_refused_at_the_next_connection() {
    let server = serve_bytes("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok").await;
    let names = Answers::of(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let client = GuardedHttp::with_resolver(config("127.0.0.1"), names).expect("a client can be made");
    let url = format!("http://rebound.example:{}/", server.port());
    assert_eq!(client.send(get_of(url.as_str())).await.expect("the first answer is listed").body, json!("ok"));
    refusal(client.send(get_of(url)).await);
}

#[tokio::test]
async fn a_listed_name_is_reached_at_its_ports() {
    let server = serve(Router::new().fallback(any(echo))).await;
    let names = || Answers::of(&[&["127.0.0.1"]]);
    let url = format!("http://Internal.Example:{}/", server.port());
    for allow in ["internal.example".to_owned(), format!("internal.example:{}", server.port())] {
        let client = GuardedHttp::with_resolver(config(&allow), names()).expect("a client can be made");
        assert!(client.send(get_of(url.as_str())).await.is_ok(), "{allow}");
    }
    let client = GuardedHttp::with_resolver(config("internal.example:1"), names()).expect("a client can be made");
    refusal(client.send(get_of(url)).await);
}

#[tokio::test]
async fn localhost_is_a_name_like_any_other() {
    let server = serve(Router::new().fallback(any(echo))).await;
    let url = format!("http://localhost:{}/", server.port());
    refusal(client("").send(get_of(url.as_str())).await);
    assert!(client("localhost").send(get_of(url)).await.is_ok());
}

#[tokio::test]
async fn an_unknown_name_is_a_network_error() {
    let client = GuardedHttp::with_resolver(config(""), Answers::of(&[])).expect("a client can be made");
    let outcome = client.send(get_of("http://nowhere.example/path?token=s3cret")).await;
    let expected = "connecting to http://nowhere.example:80 failed: nowhere.example is not known";
    assert_eq!(outcome, Err(HttpError::Network(expected.to_owned())));
}

/// A step could end, start or delete anything by the management API of its own process.
#[tokio::test]
async fn the_own_listener_is_refused_whatever_is_allow_listed() {
    let own = serve(Router::new().fallback(any(echo))).await;
    let other = serve(redirect(StatusCode::FOUND, format!("http://{own}/v1/workflows"))).await;
    let names = Answers::of(&[&["127.0.0.1"]]);
    let config = HttpConfig { own: vec![own], ..config("127.0.0.1, localhost, ::1, 0.0.0.0, alias.example") };
    let client = GuardedHttp::with_resolver(config, names).expect("a client can be made");
    let port = own.port();
    for url in [
        format!("http://{own}/v1/workflows"),
        format!("http://localhost:{port}/"),
        format!("http://LOCALHOST.:{port}/"),
        format!("http://alias.example:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0.0.0.0:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://user@127.0.0.1:{port}/"),
        format!("http://{other}/"),
    ] {
        let message = refusal(client.send(get_of(url.as_str())).await);
        assert!(message.contains("pawl itself listens there"), "{url}: {message}");
    }
    let neighbour = serve(Router::new().fallback(any(echo))).await;
    assert!(client.send(get_of(format!("http://{neighbour}/"))).await.is_ok(), "what is listed is reached");
}
