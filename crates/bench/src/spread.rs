//! Many requests over several connections, each of which sends its next one when the last was answered.

use std::ops::Range;

use anyhow::bail;

use crate::http::Connection;

/// Connections.
const CONNECTIONS: usize = 32;

/// A request: method, path, and a body in JSON.
pub(crate) type Request = (&'static str, String, String);

/// Sends a request for each number, and requires that each is accepted.
pub(crate) async fn spread(
    host: &str,
    numbers: Range<usize>,
    request: impl Fn(usize) -> Request + Clone + 'static,
) -> anyhow::Result<()> {
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async move {
            let mut drivers = Vec::new();
            for first in numbers.clone().take(CONNECTIONS) {
                let (host, request, end) = (host.to_owned(), request.clone(), numbers.end);
                drivers.push(tokio::task::spawn_local(async move {
                    let mut connection = Connection::open(&host).await?;
                    for number in (first..end).step_by(CONNECTIONS) {
                        let (method, path, body) = request(number);
                        let (status, answer) = connection.send(method, &path, &body).await?;
                        if status >= 300 {
                            bail!("expected that {method} {path} is accepted, found {status}: {answer}");
                        }
                    }
                    Ok(())
                }));
            }
            for driver in drivers {
                driver.await??;
            }
            anyhow::Ok(())
        })
        .await
}
