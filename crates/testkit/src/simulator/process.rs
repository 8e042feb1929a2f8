//! Processes: the runtime over watched ports. One can die at any time and begin anew.

use std::sync::Arc;

use jiff::SignedDuration;
use pawl_runtime::ports::{QueueName, QueueSource, Received};
use pawl_runtime::{Error, ExecutorOptions, Job, System};

use super::bug::Bug;
use super::hub::Hub;
use super::ports::{ports, short};
use super::task::{Ended, Work};
use crate::SeededRandom;

/// What a process keeps over its deaths.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nature {
    /// Ready steps that it carries out after the first.
    pub(super) hops: usize,
    /// Transitions that it holds back to commit them with the next.
    pub(super) hold: usize,
    /// There is no other, so whoever held a lease before it began is dead.
    pub(super) alone: bool,
    /// How far its clock is ahead.
    pub(super) skew: SignedDuration,
}

/// One process.
pub(super) struct Process {
    pub(super) system: System,
    source: Arc<dyn QueueSource>,
    nature: Nature,
    random: Arc<SeededRandom>,
}

impl Process {
    /// Starts one.
    pub(super) fn start(hub: &Arc<Hub>, nature: Nature, random: &Arc<SeededRandom>) -> Self {
        let (ports, source) = ports(hub, nature.skew, random);
        let alone_since = nature.alone.then(|| hub.now());
        hub.lock().monitor.alone_since = alone_since;
        let system = System::new(ports, ExecutorOptions { hops: nature.hops, alone_since, hold: nature.hold });
        Self { system, source, nature, random: random.clone() }
    }

    /// The same process after its death: nothing that was in memory is left.
    pub(super) fn restart(&self, hub: &Arc<Hub>) -> Self {
        Self::start(hub, self.nature, &self.random)
    }

    /// Handles a message and deletes it; a failed one is given back.
    pub(super) fn handle(&self, hub: &Arc<Hub>, queue: QueueName, message: Received, copy: bool) -> Work {
        let (system, source, hub) = (self.system.clone(), self.source.clone(), hub.clone());
        Box::pin(async move {
            hub.pause().await;
            hub.note(&format!(
                "handles {queue:?} {} attempt {} {}",
                message.receipt,
                message.attempt,
                short(&message.body)
            ));
            let first = hub.bug == Some(Bug::DeleteFirst);
            if first && !copy {
                let _ = source.delete(queue, &message.receipt).await;
            }
            let deadline = hub.now() + SignedDuration::from_secs(20);
            let result = match queue {
                QueueName::Events => system.evaluator.handle(&message.body).await,
                QueueName::Jobs | QueueName::JobsHigh => match serde_json::from_str::<Job>(&message.body) {
                    Ok(job) => system.executor.handle(&job, Some(deadline)).await,
                    Err(error) => Err(Error::Poison(error.to_string())),
                },
            };
            if let Err(error) = &result {
                hub.count("handlers failed");
                hub.note(&format!("fails: {error}"));
            }
            match result {
                _ if copy || first => {}
                Ok(()) => {
                    let _ = source.delete(queue, &message.receipt).await;
                }
                Err(_) => {
                    let _ = source.give_back(queue, &message.receipt, SignedDuration::from_secs(2)).await;
                }
            }
            Ended::Handled
        })
    }

    /// Moves a message to its dead-letter queue: a job marks its execution, an event is sent back by an operator.
    pub(super) fn bury(&self, hub: &Arc<Hub>, queue: QueueName, message: Received) -> Work {
        let (system, source, hub) = (self.system.clone(), self.source.clone(), hub.clone());
        Box::pin(async move {
            hub.note(&format!("buries {}", short(&message.body)));
            let kept = if queue == QueueName::Events {
                let body = message.body.clone();
                let again =
                    pawl_runtime::ports::Message { body, delay: SignedDuration::from_secs(600), group: String::new() };
                system.ports.queue.send(queue, vec![again]).await.is_ok()
            } else {
                let job: Job = serde_json::from_str(&message.body).expect("only jobs are in this queue");
                system.sweeper.mark_stalled(&job.execution_id).await.is_ok()
            };
            if kept {
                let _ = source.delete(queue, &message.receipt).await;
            }
            Ended::Handled
        })
    }

    /// Sweeps once.
    pub(super) fn sweep(&self, hub: &Arc<Hub>) -> Work {
        let (system, hub) = (self.system.clone(), hub.clone());
        Box::pin(async move {
            match system.sweeper.sweep().await {
                Ok(woken) => hub.note(&format!("sweeps: {woken} woken")),
                Err(error) => hub.note(&format!("sweep fails: {error}")),
            }
            Ended::Swept
        })
    }
}
