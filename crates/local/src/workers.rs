//! The workers: they take messages off the queues and hand them to the runtime, as Lambda does on AWS.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::FutureExt;
use jiff::SignedDuration;
use pawl_runtime::ports::{DeadLetter, QueueError, QueueName, QueueSource, Received};
use pawl_runtime::{About, Error, System, message};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::Store;
use crate::in_hand::{Handle, InHand, Taken};

/// How workers work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerOptions {
    /// Messages of one queue that are handled at once. One workflow holds at most half of these places.
    pub at_once: usize,
    /// Deliveries of a message before it counts as dead.
    pub deliveries: u32,
    /// Time between two sweeps.
    pub sweep_every: Duration,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        // A handler mostly waits for the disk or for others: many fit one process.
        Self { at_once: 512, deliveries: message::DELIVERIES, sweep_every: Duration::from_secs(30) }
    }
}

/// Why a message was not handled.
#[derive(Debug, thiserror::Error)]
enum Undone {
    /// Its handler failed.
    #[error(transparent)]
    Failed(#[from] Error),
    /// Its handler panicked; the process's panic hook has logged where.
    #[error("its handler panicked")]
    Panicked,
    /// Process after process died with it in hand.
    #[error("the process died {0} times in a row while it was handled")]
    Died(u32),
}

/// A received message is hidden for this long; a handler hands over well before.
const VISIBILITY: SignedDuration = SignedDuration::from_mins(10);

/// An executor begins nothing that might last longer than this; then the next message goes on.
const HANDLER_MOST: SignedDuration = SignedDuration::from_mins(5);

/// Longest wait of a message that is put off: here, looking again costs nothing.
const PATIENCE_MOST: SignedDuration = SignedDuration::from_mins(1);

/// Messages taken off a queue in one call.
const BATCH: usize = 64;

/// The wait before workers begin again that panicked outside of a message.
const AFTER_PANIC: Duration = Duration::from_secs(1);

/// The workers of one process.
pub struct Workers {
    tasks: JoinSet<()>,
    system: System,
    stop: watch::Sender<bool>,
    in_progress: Arc<AtomicUsize>,
    in_hand: Arc<InHand>,
}

impl Workers {
    /// Starts them on the present tokio runtime.
    pub fn start(system: &System, store: &Store, options: WorkerOptions) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (mut tasks, in_progress) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
        let source = store.shared_source(options.at_once);
        let in_hand = Arc::new(InHand::open(store.directory()));
        for queue in [QueueName::Events, QueueName::JobsHigh, QueueName::Jobs, QueueName::JobsSlow] {
            let places = Arc::new(Semaphore::new(options.at_once));
            let (in_progress, in_hand) = (in_progress.clone(), in_hand.clone());
            let (system, source, store) = (system.clone(), source.clone(), store.clone());
            let worker = Arc::new(Worker { system, source, store, queue, options, places, in_progress, in_hand });
            tasks.spawn(worker.run(stopped.clone()));
        }
        tasks.spawn(sweep(system.clone(), store.clone(), options.sweep_every, stopped));
        Self { tasks, system: system.clone(), stop, in_progress, in_hand }
    }

    /// Begins nothing new and lets what is in progress end: an outside call that is out, and the step that it belongs
    /// to. What is not over within `grace` is abandoned, and goes on at the next start; says how much that is.
    pub async fn stop(mut self, grace: Duration) -> usize {
        self.system.stop.set();
        // Nobody listens any more only if every worker has ended already.
        let _ = self.stop.send(true);
        let all_end = async { while self.tasks.join_next().await.is_some() {} };
        let ended = tokio::time::timeout(grace, all_end).await.is_ok();
        // What is abandoned did not kill the process.
        self.in_hand.close();
        if ended {
            return 0;
        }
        self.in_progress.load(Ordering::SeqCst)
    }
}

struct Worker {
    system: System,
    source: Arc<dyn QueueSource>,
    store: Store,
    queue: QueueName,
    options: WorkerOptions,
    places: Arc<Semaphore>,
    /// Messages of all queues that are being handled.
    in_progress: Arc<AtomicUsize>,
    in_hand: Arc<InHand>,
}

impl Worker {
    /// Works until it is stopped; begins again after a panic.
    async fn run(self: Arc<Self>, stopped: watch::Receiver<bool>) {
        while AssertUnwindSafe(self.receive_all(stopped.clone())).catch_unwind().await.is_err() {
            tracing::error!("the workers of {:?} panicked and begin again", self.queue);
            tokio::time::sleep(AFTER_PANIC).await;
        }
        let all = u32::try_from(self.options.at_once).unwrap_or(u32::MAX);
        // Waits for every handler in progress.
        let _ = self.places.acquire_many(all).await;
    }

    async fn receive_all(self: &Arc<Self>, mut stopped: watch::Receiver<bool>) {
        let places = &self.places;
        loop {
            let Ok(first) = places.clone().acquire_owned().await else { return };
            let most = BATCH.min(places.available_permits() + 1);
            let received = tokio::select! {
                received = self.source.receive(self.queue, most, VISIBILITY) => received,
                _ = stopped.wait_for(|stopped| *stopped) => return,
            };
            let Ok(messages) =
                received.inspect_err(|error| tracing::error!("receiving from {:?} failed: {error}", self.queue))
            else {
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            };
            let mut place = Some(first);
            for message in messages {
                let place = match place.take() {
                    Some(place) => place,
                    None => places.clone().acquire_owned().await.expect("the semaphore is never closed"),
                };
                let worker = self.clone();
                tokio::spawn(async move {
                    worker.handle(message).await;
                    drop(place);
                });
            }
        }
    }

    /// Handles one message; deletes it once it is handled, gives it back if not.
    async fn handle(&self, message: Received) {
        self.in_progress.fetch_add(1, Ordering::SeqCst);
        if AssertUnwindSafe(self.take_on(message)).catch_unwind().await.is_err() {
            tracing::error!("what is done about a message of {:?} panicked; it comes again", self.queue);
        }
        self.in_progress.fetch_sub(1, Ordering::SeqCst);
    }

    async fn take_on(&self, message: Received) {
        if self.system.stop.is_set() {
            // It was never deleted: it is ready again at the next start.
            return;
        }
        let result = match self.in_hand.take(self.queue, &message.body).await {
            Taken::Dead(deaths) => self.failed(&message, &Undone::Died(deaths)).await,
            Taken::InHand(handle) => self.carry_out(&message, handle).await,
        };
        if let Err(error) = result {
            tracing::error!("a message of {:?} is neither deleted nor given back: {error}", self.queue);
        }
    }

    async fn carry_out(&self, message: &Received, in_hand: Option<Handle<'_>>) -> Result<(), QueueError> {
        if self.system.stop.is_set() {
            // The word to stop came while it waited for others.
            return Ok(());
        }
        let deadline = self.system.ports.clock.now() + HANDLER_MOST;
        let work = Box::pin(self.system.handle(self.queue, &message.body, Some(deadline)));
        let outcome = AssertUnwindSafe(self.store.in_session(true, work)).catch_unwind().await;
        drop(in_hand);
        match outcome {
            Ok(Ok(())) => self.source.delete(self.queue, &message.receipt).await,
            Ok(Err(error)) => self.failed(message, &error.into()).await,
            Err(_) => self.failed(message, &Undone::Panicked).await,
        }
    }

    async fn failed(&self, received: &Received, error: &Undone) -> Result<(), QueueError> {
        let attempt = received.attempt;
        let about = About::read(&received.body);
        let (what, About { execution_id, event_id, .. }) = (about.what(), &about);
        if matches!(error, Undone::Failed(error) if error.is_transient()) {
            self.system.metrics.messages_put_off.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(execution_id, event_id, attempt, queue = ?self.queue, "the message of {what} is put off: {error}");
            let wait = message::patience(received.put_off).min(PATIENCE_MOST);
            return self.source.put_off(self.queue, received, wait).await;
        }
        let is_final = matches!(error, Undone::Failed(Error::Poison(_)) | Undone::Died(_));
        if attempt < self.options.deliveries && !is_final {
            tracing::warn!(
                execution_id, event_id, attempt, queue = ?self.queue,
                "the message of {what} is given back after attempt {attempt}: {error}"
            );
            return self.source.give_back(self.queue, &received.receipt, message::backoff(attempt)).await;
        }
        tracing::error!(
            execution_id, event_id, attempt, queue = ?self.queue,
            "the message of {what} is dead after attempt {attempt}: {error}"
        );
        let letter = DeadLetter::new(self.queue, received.body.clone());
        match self.system.sweeper.mark_dead_letter(&letter, &error.to_string()).await {
            Ok(()) => {
                self.in_hand.forget(self.queue, &received.body);
                self.source.delete(self.queue, &received.receipt).await
            }
            Err(error) => {
                tracing::error!(execution_id, event_id, "the dead message of {what} is kept: {error}");
                self.source.give_back(self.queue, &received.receipt, message::backoff(u32::MAX)).await
            }
        }
    }
}

/// Sweeps once at the start, for what the process before left, and then at intervals.
async fn sweep(system: System, store: Store, every: Duration, mut stopped: watch::Receiver<bool>) {
    loop {
        let sweeping = store.in_session(false, Box::pin(system.sweeper.sweep(None)));
        match AssertUnwindSafe(sweeping).catch_unwind().await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::error!("sweeping failed: {error}"),
            Err(_) => tracing::error!("sweeping panicked; the next sweep begins anew"),
        }
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
    }
}
