//! The workers: they take messages off the queues and hand them to the runtime, as Lambda does on AWS.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use pawl_runtime::ports::{DeadLetter, QueueError, QueueName, QueueSource, Received};
use pawl_runtime::{About, Error, System, message};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// How workers work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerOptions {
    /// Messages of one queue that are handled at once.
    pub at_once: usize,
    /// Deliveries of a message before it counts as dead.
    pub deliveries: u32,
    /// Time between two sweeps.
    pub sweep_every: Duration,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        // A handler mostly waits for the disk or for others: many fit one process.
        Self { at_once: 256, deliveries: 10, sweep_every: Duration::from_secs(30) }
    }
}

/// A received message is hidden for this long; a handler hands over well before.
const VISIBILITY: SignedDuration = SignedDuration::from_mins(10);

/// An executor begins nothing that might last longer than this; then the next message goes on.
const HANDLER_MOST: SignedDuration = SignedDuration::from_mins(5);

/// Messages taken off a queue in one call.
const BATCH: usize = 64;

/// The workers of one process.
pub struct Workers {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Workers {
    /// Starts them on the present tokio runtime.
    pub fn start(system: &System, source: &Arc<dyn QueueSource>, options: WorkerOptions) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for queue in [QueueName::Events, QueueName::JobsHigh, QueueName::Jobs] {
            let worker = Arc::new(Worker { system: system.clone(), source: source.clone(), queue, options });
            tasks.spawn(worker.run(stopped.clone()));
        }
        tasks.spawn(sweep(system.clone(), options.sweep_every, stopped));
        Self { tasks, stop }
    }

    /// Lets what is in progress end, and stops.
    pub async fn stop(mut self) {
        // Nobody listens any more only if every worker has ended already.
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

struct Worker {
    system: System,
    source: Arc<dyn QueueSource>,
    queue: QueueName,
    options: WorkerOptions,
}

impl Worker {
    async fn run(self: Arc<Self>, mut stopped: watch::Receiver<bool>) {
        let places = Arc::new(Semaphore::new(self.options.at_once));
        loop {
            let Ok(first) = places.clone().acquire_owned().await else { return };
            let most = BATCH.min(places.available_permits() + 1);
            let received = tokio::select! {
                received = self.source.receive(self.queue, most, VISIBILITY) => received,
                _ = stopped.changed() => break,
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
        let all = u32::try_from(self.options.at_once).unwrap_or(u32::MAX);
        // Waits for every handler in progress.
        let _ = places.acquire_many(all).await;
    }

    /// Handles one message; deletes it once it is handled, gives it back if not.
    async fn handle(&self, message: Received) {
        let deadline = self.system.ports.clock.now() + HANDLER_MOST;
        let result = match self.system.handle(self.queue, &message.body, Some(deadline)).await {
            Ok(()) => self.source.delete(self.queue, &message.receipt).await,
            Err(error) => self.failed(&message, &error).await,
        };
        if let Err(error) = result {
            tracing::error!("a message of {:?} is neither deleted nor given back: {error}", self.queue);
        }
    }

    async fn failed(&self, received: &Received, error: &Error) -> Result<(), QueueError> {
        let attempt = received.attempt;
        let about = About::read(&received.body);
        let (what, About { execution_id, event_id }) = (about.what(), &about);
        if attempt < self.options.deliveries && !matches!(error, Error::Poison(_)) {
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
        let letter = DeadLetter { queue: self.queue, body: received.body.clone() };
        match self.system.sweeper.bury(&letter, &error.to_string()).await {
            Ok(()) => self.source.delete(self.queue, &received.receipt).await,
            Err(error) => {
                tracing::error!(execution_id, event_id, "the dead message of {what} is kept: {error}");
                self.source.give_back(self.queue, &received.receipt, message::backoff(u32::MAX)).await
            }
        }
    }
}

/// Sweeps once at the start, for what the process before left, and then at intervals.
async fn sweep(system: System, every: Duration, mut stopped: watch::Receiver<bool>) {
    loop {
        if let Err(error) = system.sweeper.sweep().await {
            tracing::error!("sweeping failed: {error}");
        }
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            _ = stopped.changed() => return,
        }
    }
}
