//! Serves the API on a socket, with bounds on what clients can hold.
//!
//! - A request's head and body must come within a time; half of one is answered 408 and its connection is closed.
//! - Bodies that are being received take a bounded amount of memory, however many are sent at once.
//! - Connections are bounded: with all in use, a new one takes the place of the oldest that only waits for its client.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use pawl_api::{Code, Problem};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::{AbortHandle, JoinSet};
use tower::ServiceExt;

use super::inflow::{Inflow, Received};

/// A request's head must have come within this time; an idle connection is closed after it.
const HEAD_MOST: Duration = Duration::from_secs(15);

/// Bytes that a connection buffers at most; a longer head is answered 431.
const BUFFER: usize = 64 * 1024;

/// Connections at once, well below what a process may open by default.
const CONNECTIONS: usize = 512;

/// Bytes of bodies that are being received or handled.
const BODIES: usize = 64 * 1024 * 1024;

/// The wait after a connection could not be taken, mostly for want of file descriptors.
const AFTER_REFUSAL: Duration = Duration::from_millis(100);

/// Serves until it is told to stop, and lets the requests that are being handled end.
pub(super) async fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    let server = Server::new(router, stop.clone(), CONNECTIONS);
    server.accept_all(listener, &mut stop).await;
}

/// An open connection.
struct Connection {
    handle: AbortHandle,
    /// A request has come whole and is not answered yet.
    is_at_work: Arc<AtomicBool>,
}

#[derive(Clone)]
struct Server {
    router: Router,
    bodies: Arc<Semaphore>,
    open: Arc<Mutex<BTreeMap<u64, Connection>>>,
    stop: watch::Receiver<bool>,
    most: usize,
}

impl Server {
    fn new(router: Router, stop: watch::Receiver<bool>, most: usize) -> Self {
        Self { router, bodies: Arc::new(Semaphore::new(BODIES)), open: Arc::default(), stop, most }
    }

    async fn accept_all(&self, listener: TcpListener, stop: &mut watch::Receiver<bool>) {
        let mut connections = JoinSet::new();
        let mut number = 0_u64;
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
                Some(_) = connections.join_next() => continue,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!("a connection could not be taken: {error}");
                    tokio::time::sleep(AFTER_REFUSAL).await;
                    continue;
                }
            };
            if connections.len() >= self.most && !self.evict() {
                // All are at work. Those who wait are answered as soon as one has ended.
                connections.join_next().await;
            }
            // Answers are small and written at once; one that cannot be asked to is slower, and no worse.
            let _ = stream.set_nodelay(true);
            number += 1;
            let work = Arc::new(AtomicBool::new(false));
            // Held while it is spawned: it takes itself off the list when it ends.
            let mut open = self.open();
            let handle = connections.spawn(self.clone().connection(stream, number, work.clone()));
            open.insert(number, Connection { handle, is_at_work: work });
        }
        drop(listener);
        while connections.join_next().await.is_some() {}
    }

    fn open(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Connection>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the oldest connection that waits for its client; false if there is none.
    fn evict(&self) -> bool {
        let mut open = self.open();
        let waits = |connection: &Connection| !connection.is_at_work.load(Ordering::Relaxed);
        let Some(number) = open.iter().find(|(_, connection)| waits(connection)).map(|(number, _)| *number) else {
            return false;
        };
        if let Some(connection) = open.remove(&number) {
            connection.handle.abort();
        }
        true
    }

    async fn connection<S>(self, stream: S, number: u64, is_at_work: Arc<AtomicBool>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut stop = self.stop.clone();
        let answer = service_fn(|request: hyper::Request<Incoming>| self.answer(request, is_at_work.clone()));
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEAD_MOST).max_buf_size(BUFFER);
        let mut connection = builder.serve_connection(TokioIo::new(stream), answer);
        let served = {
            let mut serving = pin!(std::future::poll_fn(|cx| { std::pin::Pin::new(&mut connection).poll(cx) }));
            tokio::select! {
                served = &mut serving => Some(served),
                _ = stop.wait_for(|stop| *stop) => None,
            }
        };
        let served = if let Some(served) = served {
            served
        } else {
            std::pin::Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        };
        if served.is_err_and(|error| error.is_timeout()) {
            let parts = connection.into_parts();
            if !parts.read_buf.is_empty() {
                say_too_slow(parts.io.into_inner()).await;
            }
        }
        self.open().remove(&number);
    }

    async fn answer(
        &self,
        request: hyper::Request<Incoming>,
        is_at_work: Arc<AtomicBool>,
    ) -> Result<Response, Infallible> {
        let received = Arc::new(Received::new(self.bodies.clone()));
        let request: Request = request.map(|body| Body::new(Inflow::new(body, received.clone(), is_at_work.clone())));
        let answered = self.router.clone().oneshot(request).await;
        is_at_work.store(false, Ordering::Relaxed);
        // Until here, for what was received is in the hands of the handler.
        drop(received);
        answered
    }
}

/// Answers half of a head, before the connection is closed.
async fn say_too_slow(mut stream: impl AsyncWrite + Unpin) {
    let problem = Problem::new(Code::RequestTimeout, "the head of the request came too slowly");
    let (parts, body) = problem.into_response().into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else { return };
    let head = format!(
        "HTTP/1.1 {}\r\nconnection: close\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n\r\n",
        parts.status,
        body.len()
    );
    // A client that is gone needs no answer.
    let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
    let _ = stream.shutdown().await;
}

#[cfg(test)]
mod tests {
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt, duplex};
    use tokio::net::TcpStream;

    use super::*;

    fn server(most: usize) -> (Server, watch::Sender<bool>) {
        let (stop, stopped) = watch::channel(false);
        let read = post(|body: axum::body::Bytes| async move { body.len().to_string() });
        (Server::new(Router::new().route("/", get(|| async { "well" })).route("/body", read), stopped, most), stop)
    }

    /// What a client that sends this, and no more, reads until its connection is closed.
    async fn sent(text: &str) -> String {
        let (server, _stop) = server(10);
        let (mut client, stream) = duplex(64 * 1024);
        client.write_all(text.as_bytes()).await.expect("the server reads");
        let mut told = String::new();
        let ((), read) = tokio::join!(server.connection(stream, 1, Arc::default()), client.read_to_string(&mut told));
        read.expect("the answer is text");
        told
    }

    #[tokio::test(start_paused = true)]
    async fn bug_half_of_a_request_kept_its_connection_open_for_ever() {
        let told = sent("GET / HTTP/1.1\r\nhost: loc").await;
        assert!(told.starts_with("HTTP/1.1 408 Request Timeout\r\n") && told.contains("request_timeout"), "{told}");
        let told = sent("POST /body HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{").await;
        assert!(told.starts_with("HTTP/1.1 400 ") && told.contains("too slowly"), "{told}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_is_closed_without_a_word() {
        assert_eq!(sent("").await, "");
        let told = sent("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        assert!(told.starts_with("HTTP/1.1 200 OK\r\n") && told.ends_with("well"), "{told}");
    }

    #[tokio::test]
    async fn idle_connections_keep_nobody_out() {
        let (server, stop) = server(2);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let mut stopped = stop.subscribe();
        let serving = tokio::spawn(async move { server.accept_all(listener, &mut stopped).await });
        let mut idle = Vec::new();
        for _ in 0..4 {
            idle.push(TcpStream::connect(address).await.expect("it listens"));
        }
        let mut client = TcpStream::connect(address).await.expect("it listens");
        let request = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        client.write_all(request.as_bytes()).await.expect("it reads");
        let mut told = String::new();
        client.read_to_string(&mut told).await.expect("the answer is text");
        assert!(told.ends_with("well"), "{told}");
        let mut first = idle.remove(0);
        assert_eq!(first.read(&mut [0; 1]).await.unwrap_or(0), 0, "the oldest gave its place");
        stop.send_replace(true);
        serving.await.expect("it ends");
    }
}
