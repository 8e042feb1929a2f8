//! What workers do with messages: a panic is given back and counted, and the word to stop begins nothing new.

use std::future::pending;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use pawl_definition::Source;
use pawl_engine::{Act, Control, Status, StepStatus};
use pawl_local::{Store, WorkerOptions, Workers};
use pawl_runtime::ports::{Clock, Http, HttpAnswer, HttpError, HttpRequest, NoDeadLetters, QueueName, Random};
use pawl_runtime::{EventMessage, ExecutorOptions, Identity, OutsidePorts, Ports, System};
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
    folder: TempDir,
}

/// The event that starts an execution, as it stands in the queue.
fn event() -> String {
    let event = r#"{"event": {"id": "evt_1", "type": "manual", "workflow": "w", "trigger": "manual",
        "occurred_at": "2026-01-01T00:00:00Z", "data": {}}}"#;
    let event = EventMessage::parse(event).expect("it is an event");
    serde_json::to_string(&event).expect("an event is JSON")
}

impl Running {
    async fn new(workflow: &str, panics: usize) -> Self {
        let folder = TempDir::new().expect("a directory can be made");
        let world = World::new(VirtualClock::default().now(), ExecutorOptions::default());
        let clock = world.clock.clone();
        let store = Store::open(folder.path(), Arc::new(clock.clone())).expect("the directory opens");
        let http = Arc::new(Slow { calls: AtomicUsize::new(0), answers: Semaphore::new(0) });
        let random = Arc::new(Broken { panics: AtomicUsize::new(panics) });
        let ports = Ports::over(store.tables(), store.queue(), store.blobs(), Arc::new(clock.clone()), random)
            .with_timers(store.timers())
            .with_dead_letters(Arc::new(NoDeadLetters))
            .with_notifier(world.notices);
        let outside = OutsidePorts::default().with_secrets(world.store.secrets()).with_http(http.clone());
        let system = System::new(ports, outside, ExecutorOptions::default());
        let source = Source::parse("w.workflow.yaml", workflow).expect("the file is YAML");
        system.workflows.save(&source, None, "test").await.expect("the workflow is right");
        Self { system, store, clock, http, folder }
    }

    /// Starts an execution; returns its id.
    async fn begin(&self) -> String {
        let EventMessage::Event(event) = EventMessage::parse(&event()).expect("it is an event") else {
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
        .until(&execution, SignedDuration::from_millis(100), |execution| execution.status == Status::Completed)
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
    assert!(!running.folder.path().join("in-hand").exists(), "no process died");
}

/// Leaves behind that process after process died with a message in hand.
fn died_in(running: &Running, queue: QueueName, body: &str, deaths: u32) {
    let mut hasher = DefaultHasher::new();
    (queue, body).hash(&mut hasher);
    let mut slot = [0; 16];
    slot[..8].copy_from_slice(&hasher.finish().to_le_bytes());
    slot[8..12].copy_from_slice(&(deaths - 1).to_le_bytes());
    slot[12] = 1;
    std::fs::write(running.folder.path().join("in-hand"), slot).expect("the folder is there");
}

/// Bug: attempts were in memory only, so a message that killed its process did so again after each restart, without an
/// end.
#[tokio::test]
async fn bug_a_message_that_kills_its_process_did_so_for_ever() {
    let running = Running::new(NOTE, 0).await;
    let execution = running.begin().await;
    died_in(&running, QueueName::Events, &event(), 5);
    let workers = running.workers(10);
    let refused = async || running.system.history.refusals("w", 10, None).await.expect("storage is there").items;
    for _ in 0..10_000 {
        running.store.settle().await;
        if !refused().await.is_empty() {
            break;
        }
        tokio::task::yield_now().await;
    }
    let refusal = refused().await.pop().expect("the event is refused");
    assert_eq!(refusal.code, "dead_letter");
    assert_eq!(refusal.message, "the process died 5 times in a row while it was handled");
    assert!(running.system.history.execution(&execution).await.expect("storage is there").is_none());
    assert_eq!(workers.stop(Duration::from_secs(5)).await, 0);
    assert!(!running.folder.path().join("in-hand").exists(), "a process that ends well leaves nothing");
}

#[tokio::test]
async fn an_execution_whose_job_kills_its_process_is_stalled_and_goes_on_when_it_is_retried() {
    let running = Running::new(NOTE, 0).await;
    let execution = running.begin().await;
    running.system.evaluator.handle(&event(), None).await.expect("it starts the execution");
    let source = running.store.source();
    let mut jobs = Vec::new();
    for queue in [QueueName::JobsHigh, QueueName::Jobs, QueueName::JobsSlow] {
        let received =
            tokio::time::timeout(Duration::from_millis(10), source.receive(queue, 1, SignedDuration::from_secs(1)));
        if let Ok(received) = received.await {
            jobs.extend(received.expect("storage is there").into_iter().map(|job| (queue, job)));
        }
    }
    let (queue, job) = jobs.pop().expect("it has a job");
    source.give_back(queue, &job.receipt, SignedDuration::ZERO).await.expect("it is there");
    died_in(&running, queue, &job.body, 5);
    let workers = running.workers(10);
    running.until(&execution, SignedDuration::from_millis(100), |execution| execution.stalled).await;
    let rows = running.system.history.rows(&execution, 10, None).await.expect("storage is there").items;
    let note = rows.last().and_then(|row| row.note.clone());
    assert_eq!(note.as_deref(), Some("stall: the process died 5 times in a row while it was handled"));
    running
        .system
        .transitions
        .control(
            &execution,
            &Control::Retry,
            &Act { actor: "ops".to_owned(), reason: None, at: running.clock.now(), id: None },
        )
        .await
        .expect("it is stalled");
    running.until(&execution, SignedDuration::from_millis(100), |it| it.status == Status::Completed).await;
    assert_eq!(workers.stop(Duration::from_secs(5)).await, 0);
}

#[tokio::test]
async fn a_message_in_hand_at_four_deaths_is_handled() {
    let running = Running::new(NOTE, 0).await;
    let execution = running.begin().await;
    died_in(&running, QueueName::Events, &event(), 4);
    let workers = running.workers(10);
    running.until(&execution, SignedDuration::from_millis(100), |it| it.status == Status::Completed).await;
    assert_eq!(workers.stop(Duration::from_secs(5)).await, 0);
}
