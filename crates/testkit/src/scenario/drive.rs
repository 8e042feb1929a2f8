//! Drives the world: one message at a time, and when nobody can go on, the clock jumps.

use std::sync::atomic::Ordering;

use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};
use pawl_runtime::message::patience;
use pawl_runtime::ports::{QueueName, QueueSource, Received};
use pawl_runtime::{Error, Job};

use super::{World, at_once};

/// How long a received message is hidden; one whose handler died is delivered again after it.
const VISIBILITY: SignedDuration = SignedDuration::from_secs(60);

/// Most messages of one run: far more than any story has.
const MESSAGES: usize = 20_000;

/// Where a run came to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// Nothing is under way any more: only people, outside systems or schedules can go on.
    Idle,
    /// The time came at which it was to stop.
    Time,
}

/// Why a run did not come to rest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DriveError {
    /// A handler failed of something that does not go away by itself.
    #[error("a message of the queue {queue:?} could not be handled: {error}; the message is {body}")]
    Handler {
        /// Queue.
        queue: QueueName,
        /// Message.
        body: String,
        /// Why.
        error: Error,
    },
    /// It goes on and on.
    #[error("still not at rest after {0} messages")]
    Endless(usize),
}

impl World {
    /// Handles everything that is due now; time stands still, but for what outside systems take.
    pub fn settle(&self) -> Result<(), DriveError> {
        let mut handled = 0;
        while self.handle_next()? {
            handled += 1;
            if handled >= MESSAGES {
                return Err(DriveError::Endless(handled));
            }
        }
        Ok(())
    }

    /// Goes on until nothing is under way, or until a time, at which the clock then stands. Schedules that wait for their next
    /// firing are not under way, and neither are dates of records: the sweeper finds those that come before the time.
    pub fn run(&self, until: Option<Timestamp>) -> Result<Reached, DriveError> {
        let mut swept = None;
        for _ in 0..MESSAGES {
            self.settle()?;
            if until.is_none() && self.store.only_schedules_wait() {
                return Ok(Reached::Idle);
            }
            if self.sweep_dates(until, &mut swept)? {
                continue;
            }
            match (self.store.next_due(), until) {
                (None, None) => return Ok(Reached::Idle),
                (Some(due), None) => self.clock.advance_to(due),
                (Some(due), Some(until)) if due <= until => self.clock.advance_to(due),
                (_, Some(until)) => {
                    self.clock.advance_to(until);
                    return Ok(Reached::Time);
                }
            }
        }
        Err(DriveError::Endless(MESSAGES))
    }

    /// Sweeps when the next date of a record comes, or the next activity is due, if nothing else comes before it and before a time; whether it did.
    fn sweep_dates(&self, until: Option<Timestamp>, swept: &mut Option<Timestamp>) -> Result<bool, DriveError> {
        let is_new = |at: &Timestamp| swept.is_none_or(|swept| *at > swept);
        let dates = self.store.dates().into_iter().map(|entry| entry.at);
        let activities = self.store.due_activities().into_iter().map(|due| due.at);
        let next = dates.chain(activities).filter(is_new).min();
        let is_next = |at: &Timestamp| self.store.next_due().is_none_or(|due| *at <= due);
        let Some(at) = next.filter(|at| until.is_some_and(|until| *at <= until) && is_next(at)) else {
            return Ok(false);
        };
        if at > self.now() {
            self.clock.advance_to(at);
        }
        *swept = Some(at);
        at_once(self.system.sweeper.sweep(None)).map(|_| true).map_err(|error| DriveError::Handler {
            queue: QueueName::Events,
            body: "the sweep".to_owned(),
            error,
        })
    }

    /// Handles one message, if one is visible: events first, then jobs by priority.
    fn handle_next(&self) -> Result<bool, DriveError> {
        for queue in [QueueName::Events, QueueName::JobsHigh, QueueName::Jobs, QueueName::JobsSlow] {
            let received = self.store.receive(queue, 1, VISIBILITY).now_or_never();
            let received = received.map(|received| received.expect("a queue in memory takes this call"));
            if let Some(message) = received.and_then(|messages| messages.into_iter().next()) {
                self.handle(queue, &message)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn handle(&self, queue: QueueName, message: &Received) -> Result<(), DriveError> {
        // A handler that has to wait is one that died in the middle of an outside call: its message comes back.
        match self.handle_body(queue, &message.body) {
            None => {}
            Some(Ok(())) => {
                at_once(self.store.delete(queue, &message.receipt)).expect("a queue in memory takes this call");
            }
            Some(Err(error)) if error.is_transient() => {
                self.system.metrics.messages_put_off.fetch_add(1, Ordering::Relaxed);
                let put_off = at_once(self.store.put_off(queue, message, patience(message.put_off)));
                put_off.expect("a queue in memory takes this call");
            }
            Some(Err(error)) => return Err(DriveError::Handler { queue, body: message.body.clone(), error }),
        }
        if queue == QueueName::Events {
            self.note_executions();
        }
        Ok(())
    }

    /// `None` if the handler died.
    fn handle_body(&self, queue: QueueName, body: &str) -> Option<Result<(), Error>> {
        if queue == QueueName::Events {
            return self.system.evaluator.handle(body, None).now_or_never();
        }
        match Job::parse(body) {
            Ok(job) => self.system.executor.handle(&job, queue, None).now_or_never(),
            Err(error) => Some(Err(error)),
        }
    }
}
