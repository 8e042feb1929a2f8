//! A proxy between a client and the emulator, where things go wrong as they are told to.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What goes wrong with a request.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// It is carried out, and the connection ends before the answer.
    LoseAnswer,
    /// It is not carried out, and the connection ends; to the caller the same.
    LoseRequest,
    /// It is carried out, and nobody answers.
    WithholdAnswer,
    /// It is not carried out, and nobody answers.
    WithholdRequest,
    /// It is not carried out; this is the answer.
    Answer(u16, String),
}

impl Fault {
    /// An answer with an error code, as services that speak JSON give it.
    pub(crate) fn code(status: u16, code: &str) -> Self {
        Self::Answer(status, format!("{{\"__type\":\"com.amazonaws.service#{code}\",\"message\":\"by the proxy\"}}"))
    }
}

/// A proxy that does to the next requests what it was told, in order, and passes on the others.
pub(crate) struct Proxy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    faults: VecDeque<Fault>,
    requests: Vec<String>,
}

impl Proxy {
    /// Starts one before an endpoint that speaks plain HTTP.
    pub(crate) async fn before(endpoint: &str) -> Self {
        let behind = endpoint.strip_prefix("http://").expect("an emulator speaks plain HTTP").to_owned();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("it listens somewhere");
        let state = Arc::<Mutex<State>>::default();
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, behind.clone(), shared.clone()));
            }
        });
        Self { address, state }
    }

    /// Where clients find it.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What is to go wrong with the next requests.
    pub(crate) fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.lock().faults.extend(faults);
    }

    /// The bodies of all requests since this was asked last.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().requests)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves one connection for one request; the client makes another one for the next.
async fn serve(mut client: TcpStream, behind: String, state: Arc<Mutex<State>>) {
    let Some(request) = read_request(&mut client).await else { return };
    let fault = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.requests.push(body_of(&request));
        state.faults.pop_front()
    };
    let carried_out = !matches!(fault, Some(Fault::LoseRequest | Fault::WithholdRequest | Fault::Answer(..)));
    let answer = if carried_out { pass_on(&request, &behind).await } else { Vec::new() };
    let answer = match fault {
        None => answer,
        Some(Fault::LoseAnswer | Fault::LoseRequest) => return,
        Some(Fault::WithholdAnswer | Fault::WithholdRequest) => {
            // Until the caller goes away.
            let _ = client.read(&mut [0]).await;
            return;
        }
        Some(Fault::Answer(status, body)) => {
            let length = body.len();
            format!(
                "HTTP/1.1 {status} by proxy\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: \
                 {length}\r\nConnection: close\r\n\r\n{body}"
            )
            .into_bytes()
        }
    };
    // A caller that went away meanwhile needs no answer.
    let _ = client.write_all(&answer).await;
    let _ = client.shutdown().await;
}

async fn read_request(client: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = client.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        request.extend_from_slice(&buffer[..read]);
        if let Some(head) = head_length(&request)
            && request.len() >= head + content_length(&request[..head])
        {
            return Some(request);
        }
    }
}

async fn pass_on(request: &[u8], behind: &str) -> Vec<u8> {
    let mut server = TcpStream::connect(behind).await.expect("the emulator is there");
    let line = request.iter().position(|byte| *byte == b'\n').expect("a request has a first line") + 1;
    let once = [&request[..line], b"Connection: close\r\n", &request[line..]].concat();
    server.write_all(&once).await.expect("the emulator takes a request");
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await.expect("the emulator answers");
    answer
}

fn head_length(request: &[u8]) -> Option<usize> {
    request.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

fn content_length(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    length.and_then(|length| length.trim().parse().ok()).unwrap_or(0)
}

fn body_of(request: &[u8]) -> String {
    let head = head_length(request).unwrap_or(request.len());
    String::from_utf8_lossy(&request[head..]).into_owned()
}
