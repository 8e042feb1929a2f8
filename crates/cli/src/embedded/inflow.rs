//! A body while it is received: bounded in time and, with all others, in memory.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use pawl_api::BodyFault;
use tokio::sync::Semaphore;
use tokio::time::{Instant, Sleep};

/// A body may take this time…
const GRACE: Duration = Duration::from_secs(10);

/// …and one second more for each so many bytes that have come.
const BYTES_A_SECOND: u64 = 8 * 1024;

/// The memory that the body of one request takes. It is given back when this is dropped.
pub(super) struct Received {
    all: Arc<Semaphore>,
    bytes: AtomicUsize,
}

impl Received {
    pub(super) fn new(all: Arc<Semaphore>) -> Self {
        Self { all, bytes: AtomicUsize::new(0) }
    }

    /// Takes memory for more bytes; false if there is none.
    fn take(&self, bytes: usize) -> bool {
        let Ok(permit) = self.all.try_acquire_many(u32::try_from(bytes).unwrap_or(u32::MAX)) else { return false };
        permit.forget();
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        true
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        self.all.add_permits(self.bytes.load(Ordering::Relaxed));
    }
}

/// A body that comes in.
pub(super) struct Inflow<B> {
    body: B,
    received: Arc<Received>,
    bytes: u64,
    began: Instant,
    patience: Option<Pin<Box<Sleep>>>,
    has_come: Arc<AtomicBool>,
}

impl<B: Body<Data = Bytes>> Inflow<B> {
    /// Over a body; `has_come` is set once all of it is there.
    pub(super) fn new(body: B, received: Arc<Received>, has_come: Arc<AtomicBool>) -> Self {
        has_come.store(body.is_end_stream(), Ordering::Relaxed);
        Self { body, received, bytes: 0, began: Instant::now(), patience: None, has_come }
    }

    fn deadline(&self) -> Instant {
        self.began + GRACE + Duration::from_millis(self.bytes * 1_000 / BYTES_A_SECOND)
    }
}

impl<B> Body for Inflow<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                this.bytes += length as u64;
                if !this.received.take(length) {
                    return Poll::Ready(Some(Err(axum::Error::new(BodyFault::NoRoom))));
                }
                this.has_come.store(this.body.is_end_stream(), Ordering::Relaxed);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(None) => {
                this.has_come.store(true, Ordering::Relaxed);
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(axum::Error::new(error)))),
            Poll::Pending => {
                let deadline = this.deadline();
                let patience = this.patience.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
                if patience.deadline() != deadline {
                    patience.as_mut().reset(deadline);
                }
                match patience.as_mut().poll(cx) {
                    Poll::Ready(()) => Poll::Ready(Some(Err(axum::Error::new(BodyFault::TooSlow)))),
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::{StreamExt, stream};
    use http_body_util::{BodyExt, StreamBody};

    use super::*;

    type Frames = Pin<Box<dyn futures::Stream<Item = Result<Frame<Bytes>, Infallible>> + Send>>;

    /// One frame of so many bytes each so many seconds.
    fn dripping(bytes: usize, every_s: u64, frames: usize) -> StreamBody<Frames> {
        let frame = move |_| async move {
            tokio::time::sleep(Duration::from_secs(every_s)).await;
            Ok(Frame::data(Bytes::from(vec![b'x'; bytes])))
        };
        StreamBody::new(Box::pin(stream::iter(0..frames).then(frame)))
    }

    async fn receive(body: StreamBody<Frames>, memory: &Arc<Semaphore>) -> Result<usize, String> {
        let received = Arc::new(Received::new(memory.clone()));
        let has_come = Arc::new(AtomicBool::new(false));
        let body = Inflow::new(body, received, has_come.clone()).collect().await;
        let length = body.map(|body| body.to_bytes().len()).map_err(|error| error.to_string());
        assert_eq!(has_come.load(Ordering::Relaxed), length.is_ok());
        length
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_is_given_up_and_a_long_one_is_not() {
        let memory = Arc::new(Semaphore::new(1024 * 1024));
        assert_eq!(receive(dripping(1, 1, 1_000), &memory).await, Err("the body came too slowly".to_owned()));
        assert_eq!(receive(dripping(16 * 1024, 1, 60), &memory).await, Ok(60 * 16 * 1024));
        assert_eq!(receive(dripping(1, 3_600, 1), &memory).await, Err("the body came too slowly".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_share_their_memory_and_give_it_back() {
        let memory = Arc::new(Semaphore::new(100));
        let held = Received::new(memory.clone());
        assert!(held.take(60));
        assert_eq!(receive(dripping(50, 0, 1), &memory).await, Err("too many bodies are being received".to_owned()));
        drop(held);
        assert_eq!(receive(dripping(50, 0, 2), &memory).await, Ok(100));
        assert_eq!(memory.available_permits(), 100);
    }
}
