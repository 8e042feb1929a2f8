//! The guarded HTTP port against loopback servers.

mod support;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use axum::Router;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::routing::{any, get};
use jiff::SignedDuration;
use pawl_connectors::{AllowList, GuardedHttp, HttpConfig, Resolve};
use pawl_runtime::ports::{Http, HttpAnswer, HttpError, HttpRequest};
use serde_json::json;
use support::{listen, read_head, serve, serve_bytes};
use tokio::sync::oneshot;

fn config(allow: &str) -> HttpConfig {
    HttpConfig { allow: AllowList::parse(allow).expect("the test's list is well-formed"), ..HttpConfig::default() }
}

fn client(allow: &str) -> GuardedHttp {
    GuardedHttp::new(config(allow)).expect("a client can be made")
}

fn get_of(url: impl Into<String>) -> HttpRequest {
    HttpRequest {
        method: "GET".to_owned(),
        url: url.into(),
        headers: BTreeMap::new(),
        body: None,
        timeout: SignedDuration::from_secs(30),
    }
}

fn refusal(outcome: Result<HttpAnswer, HttpError>) -> String {
    match outcome {
        Err(HttpError::Refused(message)) => message,
        other => panic!("expected a refusal, found {other:?}"),
    }
}

/// Answers with what it was asked.
async fn echo(method: Method, uri: Uri, headers: HeaderMap, body: String) -> axum::Json<serde_json::Value> {
    let headers: BTreeMap<_, _> =
        headers.iter().map(|(name, value)| (name.to_string(), value.to_str().expect("ascii").to_owned())).collect();
    axum::Json(json!({"method": method.as_str(), "uri": uri.to_string(), "headers": headers, "body": body}))
}

fn redirect(status: StatusCode, to: impl Into<String>) -> Router {
    let to = to.into();
    Router::new().fallback(any(move || async move { (status, [("location", to)]) }))
}

/// Gives its answers one after the other, the last one for ever.
struct Answers {
    answers: Vec<Vec<&'static str>>,
    asked: AtomicUsize,
}

impl Answers {
    fn of(answers: &[&[&'static str]]) -> Arc<Self> {
        Arc::new(Self { answers: answers.iter().map(|one| one.to_vec()).collect(), asked: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Resolve for Answers {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let turn = self.asked.fetch_add(1, Ordering::Relaxed).min(self.answers.len().saturating_sub(1));
        match self.answers.get(turn) {
            Some(answer) => Ok(answer.iter().map(|text| text.parse().expect("the test's address is one")).collect()),
            None => Err(io::Error::other(format!("{name} is not known"))),
        }
    }
}

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
async fn the_bytes_of_an_answer_are_read_as_its_headers_say() {
    let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xabVJT\xb22\xac\x05\0\xa8\x8b\xdc\x66\x07\0\0\0";
    for (head, body, expected) in [
        ("content-type: application/json; charset=iso-8859-1", &b"{\"name\":\"Zo\xeb\"}"[..], json!({"name": "Zoë"})),
        ("content-type: text/csv; charset=windows-1252", b"5 \x80", json!("5 €")),
        ("content-type: application/json", b"\xef\xbb\xbf{\"a\":1}", json!({"a": 1})),
    ] {
        let answer = answered(head, body).await.expect("it can be read");
        assert_eq!(answer.body, expected, "{head}");
    }
    for (head, body) in [
        ("content-type: application/json", &br#"{"text":"cut here \ud83d"}"#[..]),
        ("content-type: application/json", b"{\"a\":"),
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

#[tokio::test]
async fn a_redirect_with_letters_of_any_language_is_followed() {
    let server =
        serve_bytes("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/café a\r\ncontent-length: 0\r\n\r\n").await;
    let outcome = client("127.0.0.1").send(get_of(format!("http://{server}/"))).await;
    let expected = "connecting to http://127.0.0.1:1 failed: connection refused";
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
