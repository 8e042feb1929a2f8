//! Reading an answer up to a limit.

use reqwest::{Response, Url};

use super::Failure;

/// Reads the whole body, and stops as soon as it is known to exceed `limit` bytes.
pub(crate) async fn read_bounded(mut response: Response, url: &Url, limit: usize) -> Result<Vec<u8>, Failure> {
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    if announced > limit {
        return Err(Failure::too_large(url, limit));
    }
    let mut body = Vec::with_capacity(announced);
    while let Some(chunk) = response.chunk().await.map_err(|error| Failure::of_reading(error, url))? {
        if body.len() + chunk.len() > limit {
            return Err(Failure::too_large(url, limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
