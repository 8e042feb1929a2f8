//! Senders that take their time: half a request, a byte at a time, and then nothing.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::Shared;
use crate::Random;

/// Connections that are held at once.
const HELD: usize = 20;

/// Between two bytes.
const PAUSE: Duration = Duration::from_millis(500);

/// A thread that holds half-sent requests.
pub(super) fn start(shared: &Arc<Shared>, mut random: Random) -> thread::JoinHandle<()> {
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        let mut held: Vec<TcpStream> = Vec::new();
        while !shared.is_over() {
            if held.len() >= HELD || random.one_in(4) {
                held.truncate(HELD / 2);
            }
            if let Ok(mut stream) = TcpStream::connect(&shared.address) {
                let start: &[u8] = match random.below(4) {
                    0 => b"POST /hooks/intake/open HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n",
                    1 => {
                        b"POST /hooks/intake/open HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 900000\r\n\r\n{\"a\":"
                    }
                    2 => b"GET /v1/executions HTTP/1.1\r\nho",
                    _ => b"POST /v1/check HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc",
                };
                // A server may close what takes too long: then there is nothing to hold.
                if stream.write_all(start).is_ok() {
                    held.push(stream);
                }
            }
            held.retain_mut(|stream| stream.write_all(b"x").is_ok());
            thread::sleep(PAUSE);
        }
    })
}
