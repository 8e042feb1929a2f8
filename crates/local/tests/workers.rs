//! What workers do with messages: a panic is given back and counted, and the word to stop begins nothing new.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use pawl_definition::Source;
use pawl_engine::StepStatus;
use pawl_local::{Store, WorkerOptions, Workers};
use pawl_runtime::ports::{Clock, Http, HttpAnswer, HttpError, HttpRequest, Random};
use pawl_runtime::{EventMessage, ExecutorOptions, Identity, Ports, System};
use pawl_testkit::VirtualClock;
use pawl_testkit::scenario::World;
use tempfile::TempDir;
use tokio::sync::Semaphore;

/// Draws, and panics the first times.
struct Broken {
    panics: AtomicUsize,
}

impl Random for Broken {
    fn bits(&self) -> u128 {
        let left = self.panics.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        assert!(left.is_err(), "a broken invariant");
        7
    }
}

/// Answers as often as it is let; counts calls.
struct Slow {
    calls: AtomicUsize,
    answers: Semaphore,
}

#[async_trait]
impl Http for Slow {
    async fn send(&self, _: HttpRequest) -> Result<HttpAnswer, HttpError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.answers.acquire().await.expect("it is never closed").forget();
        Ok(HttpAnswer {
            status: 200,
            headers: std::collections::BTreeMap::default(),
            cookies: Vec::new(),
            body: serde_json::Value::Null,
        })
    }
}

struct Running {
    system: System,
    store: Store,
    clock: VirtualClock,
    http: Arc<Slow>,
    _folder: TempDir,
}

impl Running {
    async fn new(workflow: &str, panics: usize) -> Self {
        let folder = TempDir::new().expect("a directory can be made");
        let world = World::new(VirtualClock::default().now(), ExecutorOptions::default());
        let clock = world.clock.clone();
        let store = Store::open(folder.path(), Arc::new(clock.clone())).expect("the directory opens");
        let http = Arc::new(Slow { calls: AtomicUsize::new(0), answers: Semaphore::new(0) });
        let ports = Ports {
            tables: store.tables(),
            queue: store.queue(),
            timers: store.timers(),
            blobs: store.blobs(),
            http: http.clone(),
            random: Arc::new(Broken { panics: AtomicUsize::new(panics) }),
            ..world.system.ports
        };
        let system = System::new(ports, ExecutorOptions::default());
        let source = Source::parse("w.workflow.yaml", workflow).expect("the file is YAML");
        system.workflows.save(&source, None, "test").await.expect("the workflow is right");
        Self { system, store, clock, http, _folder: folder }
    }

    /// Starts an execution; returns its id.
    async fn begin(&self) -> String {
        let event = r#"{"event": {"id": "evt_1", "type": "manual", "workflow": "w", "trigger": "manual",
            "occurred_at": "2026-01-01T00:00:00Z", "data": {}}}"#;
        let EventMessage::Event(event) = EventMessage::parse(event).expect("it is an event") else {
            panic!("it is one")
        };
        let accepted = self.system.ingest.accept(*event, &Identity::default()).await.expect("storage is there");
        accepted.execution_id.expect("it is addressed to a workflow")
    }

    fn workers(&self, deliveries: u32) -> Workers {
        let options = WorkerOptions { deliveries, sweep_every: Duration::from_hours(1), ..WorkerOptions::default() };
        Workers::start(&self.system, &self.store, options)
    }

    /// Waits until an execution is as expected, while time passes in steps.
    async fn until(&self, id: &str, steps: SignedDuration, is_so: impl Fn(&pawl_engine::Execution) -> bool) {
        for _ in 0..10_000 {
            if let Ok(Some(listed)) = self.system.history.execution(id).await
                && is_so(&listed)
            {
                return;
            }
            self.clock.advance(steps);
            self.store.settle().await;
            tokio::task::yield_now().await;
        }
        panic!("{id} never becomes as expected");
    }
}

const NOTE: &str = "workflow: w\nowner: a@example.com\nactive: true\ntriggers: [{id: manual, type: manual}]
steps: [{id: say, type: note, text: hello}]\n";

#[tokio::test]
async fn bug_a_panic_in_a_handler_left_its_execution_running_for_ever() {
    let running = Running::new(NOTE, 2).await;
    let execution = running.begin().await;
    let workers = running.workers(2);
    running.until(&execution, SignedDuration::from_millis(100), |execution| execution.stalled).await;
    assert_eq!(workers.stop(Duration::from_secs(5)).await, 0);
}

#[tokio::test]
async fn a_message_whose_handler_panicked_once_is_handled_the_next_time() {
    let running = Running::new(NOTE, 1).await;
    let execution = running.begin().await;
    let workers = running.workers(2);
    running
        .until(&execution, SignedDuration::from_millis(100), |execution| {
            execution.status == pawl_engine::Status::Completed
        })
        .await;
    workers.stop(Duration::from_secs(5)).await;
}

const CALLS: &str = "workflow: w\nowner: a@example.com\nactive: true\ntriggers: [{id: manual, type: manual}]
steps:
  - {id: one, type: http_request, method: GET, url: 'https://api.example.com/1'}
  - {id: two, type: http_request, method: GET, url: 'https://api.example.com/2'}\n";

#[tokio::test]
async fn bug_the_word_to_stop_went_on_with_the_next_call() {
    let running = Running::new(CALLS, 0).await;
    let execution = running.begin().await;
    let workers = running.workers(2);
    running.until(&execution, SignedDuration::ZERO, |_| running.http.calls.load(Ordering::SeqCst) == 1).await;
    let stopping = tokio::spawn(workers.stop(Duration::from_secs(5)));
    while !running.system.stop.is_set() {
        tokio::task::yield_now().await;
    }
    running.http.answers.add_permits(10);
    assert_eq!(stopping.await.expect("it ends"), 0, "the call that was out is waited for");
    assert_eq!(running.http.calls.load(Ordering::SeqCst), 1, "no other is begun");
    running.store.settle().await;
    let rows = running.system.history.rows(&execution, 10, None).await.expect("storage is there").items;
    let ended =
        |row: &pawl_engine::Row| row.step.as_deref() == Some("one") && row.status == Some(StepStatus::Completed);
    assert!(rows.iter().any(ended), "what came of the call is kept: {rows:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_outlasts_the_grace_is_abandoned() {
    let running = Running::new(CALLS, 0).await;
    let execution = running.begin().await;
    let workers = running.workers(2);
    running.until(&execution, SignedDuration::ZERO, |_| running.http.calls.load(Ordering::SeqCst) == 1).await;
    tokio::select! {
        abandoned = workers.stop(Duration::from_secs(5)) => assert_eq!(abandoned, 1),
        () = pending::<()>() => {}
    }
}
