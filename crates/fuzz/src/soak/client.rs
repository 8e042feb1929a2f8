//! Requests over plain sockets: a client of HTTP would not send what an attacker does.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// How long an answer may take that is not of health: queues are durable, and a machine may be busy.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Longest answer that is read, in bytes.
const ANSWER_MOST: u64 = 64 * 1024 * 1024;

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) target: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// As a fault names it, cut off.
    pub(super) fn shown(&self) -> String {
        let body = String::from_utf8_lossy(&self.body);
        let target: String = self.target.chars().take(200).collect();
        let start: String = body.chars().take(2_000).collect();
        format!("{} {target} with {} bytes {start:?}", self.method, self.body.len())
    }
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// As a fault names it, cut off.
    pub(super) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(500).collect()
    }
}

/// Sends a request, and reads its answer.
pub(super) fn send(address: &str, request: &Request, patience: Duration) -> anyhow::Result<Answer> {
    let began = Instant::now();
    let mut stream = TcpStream::connect(address).context("cannot connect")?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let Request { method, target, headers, body } = request;
    let mut head = format!("{method} {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    head.extend([format!("content-length: {}\r\n", body.len())]);
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.push_str("\r\n");
    // A server that refuses a request by its head answers and closes before the body is there.
    let written = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    let mut bytes = Vec::new();
    let read = Read::by_ref(&mut stream).take(ANSWER_MOST).read_to_end(&mut bytes);
    match (parsed(&bytes), written, read) {
        (Ok(answer), ..) => Ok(answer),
        (Err(_), _, Err(error)) if is_late(&error) => bail!("nothing within {} s", began.elapsed().as_secs()),
        // The connection was reset with the answer still in it, which the kernel then throws away.
        (Err(_), Err(_), _) | (Err(_), _, Err(_)) if !body.is_empty() => Ok(Answer { status: 400, body: Vec::new() }),
        (Err(error), ..) => Err(error),
    }
}

fn is_late(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn parsed(bytes: &[u8]) -> anyhow::Result<Answer> {
    let end = bytes.windows(4).position(|part| part == b"\r\n\r\n").context("the answer has no head")?;
    let head = String::from_utf8_lossy(&bytes[..end]);
    let status = head.split_whitespace().nth(1).and_then(|status| status.parse().ok());
    let body = &bytes[end + 4..];
    let is_chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if is_chunked { unchunked(body) } else { body.to_vec() };
    Ok(Answer { status: status.context("the answer has no status")?, body })
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|part| part == b"\r\n") {
        let size = usize::from_str_radix(String::from_utf8_lossy(&body[..end]).trim(), 16).unwrap_or(0);
        let start = end + 2;
        if size == 0 || body.len() < start + size {
            break;
        }
        whole.extend_from_slice(&body[start..start + size]);
        body = body.get(start + size + 2..).unwrap_or_default();
    }
    whole
}
