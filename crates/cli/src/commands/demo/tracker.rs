//! The outside service of the demo: a tracker on a socket of loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A running tracker.
pub(super) struct Tracker {
    /// Where it listens.
    pub(super) address: SocketAddr,
    calls: Arc<AtomicUsize>,
}

impl Tracker {
    /// Starts it on a free port; it lives as long as the demo.
    pub(super) async fn start() -> anyhow::Result<Self> {
        let calls = Arc::new(AtomicUsize::new(0));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let router = Router::new().route("/tickets", post(track)).with_state(calls.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, calls })
    }

    /// Calls that it received.
    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

async fn track(State(calls): State<Arc<AtomicUsize>>, Json(ticket): Json<Value>) -> Json<Value> {
    let number = calls.fetch_add(1, Ordering::Relaxed) + 1;
    Json(json!({"tracked": number, "ticket": ticket["ticket"]}))
}
