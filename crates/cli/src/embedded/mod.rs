//! The whole system in one process: storage on disk, workers, and the API on loopback.

mod folder;
mod machines;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use pawl_connectors::{
    AllowList, GuardedHttp, HttpConfig, LogNotifier, ModelClient, Providers, SystemClock, SystemRandom,
};
use pawl_local::{Store, VariableSecrets, WorkerOptions, Workers};
use pawl_runtime::ports::NoDeadLetters;
use pawl_runtime::{ExecutorOptions, Ports, System};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) use folder::{Folder, Loaded, What};

/// A server that stops waits this long for clients that are slow to send or that wait for something to end.
const ANSWER_MOST: Duration = Duration::from_secs(5);

/// What an embedded system is made with.
pub(crate) struct Options<'a> {
    /// Where data is kept.
    pub(crate) data: &'a Path,
    /// Port on loopback; 0 takes a free one.
    pub(crate) port: u16,
    /// Addresses that HTTP steps may reach although they are private.
    pub(crate) allow: &'a str,
    /// Ready steps that one job carries out after the first.
    pub(crate) hops: usize,
    /// Bearer token that the management API asks for.
    pub(crate) token: Option<String>,
    /// Variables: `PAWL_SECRET_…`, `PAWL_MODEL_…` and `PAWL_STEP_FUNCTIONS`.
    pub(crate) variables: Vec<(String, String)>,
}

/// A running embedded system.
pub(crate) struct Embedded {
    /// The runtime.
    pub(crate) system: System,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// A model is configured.
    pub(crate) has_model: bool,
    store: Store,
    workers: Workers,
    server: JoinHandle<std::io::Result<()>>,
    stop: oneshot::Sender<()>,
}

impl Embedded {
    /// Opens the data, starts workers and listens.
    pub(crate) async fn start(options: Options<'_>) -> anyhow::Result<Self> {
        let clock = Arc::new(SystemClock);
        let store = Store::open(options.data, clock.clone())?;
        let providers = Providers::from_variables(options.variables.clone())?;
        let has_model = !providers.is_empty();
        let allow = AllowList::parse(options.allow).context("--allow")?;
        let ports = Ports {
            tables: store.tables(),
            queue: store.queue(),
            dead_letters: Arc::new(NoDeadLetters),
            timers: store.timers(),
            blobs: store.blobs(),
            state_machines: machines::state_machines(&options.variables)?,
            secrets: Arc::new(VariableSecrets::new(options.variables)),
            http: Arc::new(GuardedHttp::new(HttpConfig { allow, ..HttpConfig::default() })?),
            models: Arc::new(ModelClient::new(providers)?),
            notifier: Arc::new(LogNotifier),
            clock,
            random: Arc::new(SystemRandom),
        };
        let alone_since = Some(ports.clock.now());
        let system =
            System::new(ports, ExecutorOptions { hops: options.hops, alone_since, ..ExecutorOptions::default() });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))
            .await
            .with_context(|| format!("cannot listen on 127.0.0.1:{}", options.port))?;
        let address = listener.local_addr()?;
        let workers = Workers::start(&system, &store.source(), WorkerOptions::default());
        let router = pawl_api::router(system.clone(), pawl_api::ApiOptions::embedded(options.token.as_deref()));
        let (stop, stopped) = oneshot::channel();
        let serve = axum::serve(listener, router).with_graceful_shutdown(async {
            // A sender that is gone means the same as a word.
            let _ = stopped.await;
        });
        let server = tokio::spawn(async move { serve.await });
        Ok(Self { system, address, has_model, store, workers, server, stop })
    }

    /// Where it listens, as a URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers what is in progress, and stops; says how often data was made durable.
    pub(crate) async fn stop(mut self) -> anyhow::Result<u64> {
        // The server may have ended by itself.
        let _ = self.stop.send(());
        match tokio::time::timeout(ANSWER_MOST, &mut self.server).await {
            Ok(served) => served??,
            // What was acknowledged is on disk; who is still sending sends again.
            Err(_) => self.server.abort(),
        }
        self.workers.stop().await;
        self.store.settle().await;
        Ok(self.store.fsyncs())
    }
}
