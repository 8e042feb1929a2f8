//! Processes: the runtime over watched ports. One can die at any time and begin anew.

use std::sync::Arc;

use jiff::SignedDuration;
use pawl_runtime::message::backoff;
use pawl_runtime::ports::{DeadLetter, Message, QueueName, QueueSource, Received};
use pawl_runtime::{BlockSizes, ExecutorOptions, LoopLimits, System};

use super::bug::Bug;
use super::hub::Hub;
use super::ports::{Wires, short, wires};
use super::task::{Ended, Work};
use pawl_testkit::SeededRandom;

/// What a process keeps over its deaths.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nature {
    /// Ready steps that it carries out after the first.
    pub(super) max_steps_per_invocation: usize,
    /// Transitions that it holds back to commit them with the next.
    pub(super) hold: usize,
    /// There is no other, so whoever held a lease before it began is dead.
    pub(super) alone: bool,
    /// How much one run of its loops takes on.
    pub(super) loops: LoopLimits,
    /// From which size on limits are split.
    pub(super) block_sizes: BlockSizes,
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
        let Wires { ports, outside, source } = wires(hub, nature.skew, random);
        let alone_since = nature.alone.then(|| hub.now());
        hub.lock().monitor.alone_since = alone_since;
        let Nature { max_steps_per_invocation, hold, loops, block_sizes, .. } = nature;
        let system = System::new(
            ports,
            outside,
            ExecutorOptions {
                max_steps_per_invocation,
                alone_since,
                hold,
                loops,
                block_sizes,
                // As on AWS, where others are at work.
                slow_apart: !nature.alone,
                marks_unheard: !nature.alone,
                ..ExecutorOptions::default()
            },
        );
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
            let result = system.deliver(queue, &message.body, message.attempt > 1, Some(deadline)).await;
            if let Err(error) = &result {
                hub.count("handlers failed");
                hub.note(&format!("fails: {error}"));
            }
            match result {
                _ if copy || first => {}
                Ok(()) => {
                    let _ = source.delete(queue, &message.receipt).await;
                }
                Err(error) if error.is_transient() => {
                    let _ = source.put_off(queue, &message, SignedDuration::from_secs(2)).await;
                }
                Err(_) => {
                    // An item that cannot be read stays so for long: as live, each delivery waits longer than the last.
                    let grows = hub.lock().profile.unreadable > 0;
                    let wait = if grows { backoff(message.attempt) } else { SignedDuration::from_secs(2) };
                    let _ = source.give_back(queue, &message.receipt, wait).await;
                }
            }
            Ended::Handled
        })
    }

    /// Gives a message up: a job marks its execution, an event is refused until an operator has sent it back.
    pub(super) fn mark_dead_letter(&self, hub: &Arc<Hub>, queue: QueueName, message: Received) -> Work {
        let (system, source, hub) = (self.system.clone(), self.source.clone(), hub.clone());
        Box::pin(async move {
            hub.note(&format!("buries {}", short(&message.body)));
            let letter = DeadLetter::new(queue, message.body.clone());
            let mut seen_to = system.sweeper.mark_dead_letter(&letter, "simulated").await.is_ok();
            if seen_to && queue == QueueName::Events {
                let again = Message { body: letter.body, delay: SignedDuration::from_secs(600), group: String::new() };
                seen_to = system.ports.queue.send(queue, vec![again]).await.is_ok();
            }
            if seen_to {
                let _ = source.delete(queue, &message.receipt).await;
            }
            Ended::Handled
        })
    }

    /// Sweeps once.
    pub(super) fn sweep(&self, hub: &Arc<Hub>) -> Work {
        let (system, hub) = (self.system.clone(), hub.clone());
        Box::pin(async move {
            match system.sweeper.sweep(None).await {
                Ok(woken) => hub.note(&format!("sweeps: {woken} woken")),
                Err(error) => hub.note(&format!("sweep fails: {error}")),
            }
            Ended::Swept
        })
    }
}
