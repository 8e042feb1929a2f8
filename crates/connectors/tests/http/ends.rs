//! How calls end that get no answer, or not all of it.

use std::collections::BTreeMap;

use axum::Router;
use axum::routing::any;
use pawl_runtime::ports::{Http, HttpError, HttpRequest};
use tokio::sync::oneshot;

use crate::support::{listen, read_head, serve, serve_bytes};
use crate::vocabulary::{client, get_of};

#[tokio::test]
async fn an_answer_is_bounded_whether_announced_or_not() {
    let limit = 1024 * 1024;
    let fits = serve(Router::new().fallback(any(move || async move { "x".repeat(limit) }))).await;
    let answer = client("127.0.0.1").send(get_of(format!("http://{fits}/"))).await.expect("1 MiB fits");
    assert_eq!(answer.body.as_str().map(str::len), Some(limit));

    let announced = serve_bytes(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\nx", limit + 1)).await;
    let endless = serve_bytes(format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", "x".repeat(2 * limit))).await;
    for server in [announced, endless] {
        let outcome = client("127.0.0.1").send(get_of(format!("http://{server}/"))).await;
        let message = format!("the answer of http://{server} is larger than 1024 KiB");
        assert_eq!(outcome, Err(HttpError::TooLarge(message)));
    }
}

#[tokio::test]
async fn a_silent_server_times_out() {
    let (listener, server) = listen().await;
    let (arrived, arrival) = oneshot::channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("the client connects");
        read_head(&mut stream).await;
        arrived.send(stream).expect("the test waits");
    });
    let call =
        tokio::spawn(async move { client("127.0.0.1").send(get_of(format!("http://{server}/?q=s3cret"))).await });
    let _stream = arrival.await.expect("the request arrives");
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(30)).await;
    let outcome = call.await.expect("the call does not panic");
    assert_eq!(outcome, Err(HttpError::Timeout(format!("no complete answer from http://{server} within 30 s"))));
}

#[tokio::test]
async fn an_answer_that_stops_half_way_times_out_too() {
    let (listener, server) = listen().await;
    let (arrived, arrival) = oneshot::channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("the client connects");
        read_head(&mut stream).await;
        let half = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf";
        tokio::io::AsyncWriteExt::write_all(&mut stream, half).await.expect("the client reads");
        arrived.send(stream).expect("the test waits");
    });
    let call = tokio::spawn(async move { client("127.0.0.1").send(get_of(format!("http://{server}/"))).await });
    let _stream = arrival.await.expect("the request arrives");
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(30)).await;
    let outcome = call.await.expect("the call does not panic");
    assert_eq!(outcome, Err(HttpError::Timeout(format!("no complete answer from http://{server} within 30 s"))));
}

#[tokio::test]
async fn a_closed_port_and_a_broken_answer_are_network_errors_without_secrets() {
    let (listener, closed) = listen().await;
    drop(listener);
    let cut = serve_bytes("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
    let garbage = serve_bytes("no http at all\r\n\r\n").await;
    for (server, expected) in [
        (closed, format!("connecting to http://{closed} failed: connection refused")),
        (cut, format!("reading the answer of http://{cut} failed: end of file before message length reached")),
        (garbage, format!("sending the request to http://{garbage} failed: invalid HTTP version parsed")),
    ] {
        let request = HttpRequest {
            headers: BTreeMap::from([("authorization".to_owned(), "s3cret".to_owned())]),
            ..get_of(format!("http://user:s3cret@{server}/path?token=s3cret"))
        };
        assert_eq!(client("127.0.0.1").send(request).await, Err(HttpError::Network(expected)));
    }
}

#[tokio::test]
async fn tls_to_a_server_without_it_is_a_network_error() {
    let (listener, server) = listen().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("the client connects");
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    });
    let outcome = client("127.0.0.1").send(get_of(format!("https://{server}/"))).await;
    assert!(matches!(&outcome, Err(HttpError::Network(_))), "{outcome:?}");
}

/// Such an answer was never late: each byte came in time.
#[tokio::test]
async fn an_answer_that_trickles_is_late_as_a_whole() {
    for head in ["HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"] {
        let (listener, server) = listen().await;
        let (arrived, arrival) = oneshot::channel();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("the client connects");
            read_head(&mut stream).await;
            tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await.expect("the client reads");
            arrived.send(stream).expect("the test waits");
        });
        let call = tokio::spawn(async move { client("127.0.0.1").send(get_of(format!("http://{server}/"))).await });
        let mut stream = arrival.await.expect("the request arrives");
        tokio::time::pause();
        for _ in 0..30 {
            // The client may have given up by the last.
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"x").await;
            tokio::time::advance(std::time::Duration::from_secs(1)).await;
        }
        let outcome = call.await.expect("the call does not panic");
        assert_eq!(outcome, Err(HttpError::Timeout(format!("no complete answer from http://{server} within 30 s"))));
        tokio::time::resume();
    }
}
