//! The whole system in one process: storage on disk, workers, and the API on loopback.
//!
//! Workers have threads of their own: while they are busy, the API, its kill switch and its health still answer.

mod cloud;
mod folder;
mod inflow;
mod machines;
mod open_metrics;
mod serve;
mod signals;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use pawl_api::{ApiOptions, HealthCheck, MetricsText};
use pawl_connectors::{
    AllowList, GuardedHttp, HttpConfig, LogNotifier, ModelClient, Providers, SystemClock, SystemRandom,
};
use pawl_local::{BacklogLimits, Condition, Store, VariableSecrets, WorkerOptions, Workers};
use pawl_runtime::ports::NoDeadLetters;
use pawl_runtime::{DefaultRetention, ExecutorOptions, OutsidePorts, Ports, System};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(crate) use folder::{Folder, Loaded, What};
pub(crate) use signals::listen as hear_signals;

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
    pub(crate) max_steps_per_invocation: usize,
    /// How much work may wait before no more is taken in.
    pub(crate) backlog: BacklogLimits,
    /// How long ended executions are kept, of workflows that do not say.
    pub(crate) retention: DefaultRetention,
    /// Bearer token that the management API asks for.
    pub(crate) token: Option<String>,
    /// Variables: `PAWL_SECRET_…`, `PAWL_MODEL_…`, `PAWL_STEP_FUNCTIONS` and `PAWL_AWS_CALLS`.
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
    /// What is doubtful about the secrets, a sentence each.
    pub(crate) doubts: Vec<String>,
    store: Store,
    workers: Workers,
    threads: WorkerThreads,
    server: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

/// The threads of the workers. The process does not wait for them when it ends: a thread that hangs would hang it.
struct WorkerThreads(Option<Runtime>);

impl WorkerThreads {
    fn start() -> std::io::Result<Self> {
        let threads = tokio::runtime::Builder::new_multi_thread().thread_name("pawl-work").enable_all().build()?;
        Ok(Self(Some(threads)))
    }

    fn enter(&self) -> tokio::runtime::EnterGuard<'_> {
        self.0.as_ref().expect("they are there until they are dropped").enter()
    }
}

impl Drop for WorkerThreads {
    fn drop(&mut self) {
        if let Some(threads) = self.0.take() {
            threads.shutdown_background();
        }
    }
}

/// How an embedded system ended.
pub(crate) struct Stopped {
    /// How often data was made durable.
    pub(crate) fsyncs: u64,
    /// Messages whose handling was cut off; they go on at the next start.
    pub(crate) abandoned: usize,
}

impl Embedded {
    /// Opens the data, starts workers and listens.
    pub(crate) async fn start(options: Options<'_>) -> anyhow::Result<Self> {
        let store = Store::open_with(options.data, Arc::new(SystemClock), options.backlog)?;
        let providers = Providers::from_variables(options.variables.clone())?;
        let has_model = !providers.is_empty();
        let token = options.token.clone();
        let port = options.port;
        let doubts = VariableSecrets::new(options.variables.clone()).doubts();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .with_context(|| format!("cannot listen on 127.0.0.1:{port}"))?;
        let address = listener.local_addr()?;
        let system = system(&store, providers, address, options)?;
        let threads = WorkerThreads::start()?;
        let workers = {
            let _at_work = threads.enter();
            Workers::start(&system, &store, WorkerOptions::default())
        };
        let (stop, stopped) = watch::channel(false);
        let router = router(&system, &store, token.as_deref());
        let server = tokio::spawn(serve::serve(listener, router, stopped));
        tokio::spawn(forget_after_failures(store.clone(), system.clone()));
        Ok(Self { system, address, has_model, doubts, store, workers, threads, server, stop })
    }

    /// Where it listens, as a URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until storage ends for good, which nothing here mends; says why.
    pub(crate) fn storage_ended(&self) -> impl Future<Output = String> + use<> {
        let mut condition = self.store.condition();
        async move {
            let ended = condition.wait_for(|condition| matches!(condition, Condition::Ended(_))).await;
            match ended.as_deref() {
                Ok(Condition::Ended(why)) => why.clone(),
                _ => "the store is gone".to_owned(),
            }
        }
    }

    /// Begins nothing new, answers what is in progress, and stops. What is not over within `grace` is abandoned.
    pub(crate) async fn stop(mut self, grace: Duration) -> Stopped {
        self.system.stop.set();
        // The server may have ended by itself.
        let _ = self.stop.send(true);
        let served = async {
            if tokio::time::timeout(ANSWER_MOST.min(grace), &mut self.server).await.is_err() {
                // What was acknowledged is on disk; who is still sending sends again.
                self.server.abort();
            }
        };
        let ((), abandoned) = tokio::join!(served, self.workers.stop(grace));
        drop(self.threads);
        let store = self.store;
        // It waits for the disk. If that panics, the process ends anyway.
        let _ = tokio::task::spawn_blocking({
            let store = store.clone();
            move || store.close()
        })
        .await;
        Stopped { fsyncs: store.fsyncs(), abandoned }
    }
}

fn system(store: &Store, providers: Providers, own: SocketAddr, options: Options<'_>) -> anyhow::Result<System> {
    let allow = AllowList::parse(options.allow).context("--allow")?;
    // A step that called the management API would act as an operator; no allow-list opens it.
    let http = HttpConfig { allow, own: vec![own], ..HttpConfig::default() };
    let clock = Arc::new(SystemClock);
    let ports = Ports::over(store.tables(), store.queue(), store.blobs(), clock, Arc::new(SystemRandom))
        .with_timers(store.timers())
        .with_dead_letters(Arc::new(NoDeadLetters))
        .with_notifier(Arc::new(LogNotifier));
    let outside = OutsidePorts {
        state_machines: machines::state_machines(&options.variables)?,
        cloud: cloud::cloud(&options.variables)?,
        secrets: Arc::new(VariableSecrets::new(options.variables)),
        http: Arc::new(GuardedHttp::new(http)?),
        models: Arc::new(ModelClient::new(providers)?),
    };
    let alone_since = Some(ports.clock.now());
    Ok(System::new(
        ports,
        outside,
        ExecutorOptions {
            max_steps_per_invocation: options.max_steps_per_invocation,
            alone_since,
            hold: ExecutorOptions::HOLD,
            retention: options.retention,
            ..ExecutorOptions::default()
        },
    ))
}

/// The API. What a request reads and then writes belongs together: it is refused if storage fails in between.
fn router(system: &System, store: &Store, token: Option<&str>) -> Router {
    let condition = store.condition();
    let health = HealthCheck::new(move || match &*condition.borrow() {
        Condition::Ready => None,
        Condition::Waiting(why) | Condition::Ended(why) => Some(format!("storage: {why}")),
    });
    let exporter = open_metrics::OpenMetrics::of(&system.metrics);
    let metrics = MetricsText::new(move || exporter.text());
    let store = store.clone();
    let in_session = from_fn(move |request: Request, next: Next| {
        let store = store.clone();
        async move { store.in_session(false, next.run(request)).await }
    });
    pawl_api::router(system.clone(), ApiOptions { health, metrics, ..ApiOptions::embedded(token) }).layer(in_session)
}

/// What is kept in memory of workflows and objects may be what storage lost when it failed.
async fn forget_after_failures(store: Store, system: System) {
    let mut condition = store.condition();
    drop(store);
    while condition.changed().await.is_ok() {
        system.workflows.forget();
    }
}
