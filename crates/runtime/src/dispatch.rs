//! Makes sure that what an execution's state needs is under way.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use pawl_engine::{Event, Execution, Need, ids};

use crate::items::date::DateEntry;
use crate::items::due_activity::DueActivity;
use crate::message::{EventMessage, Job, News, queue_of};
use crate::ports::{Message, Queue, QueueName, Timer, Timers};
use crate::{Error, ExecutorOptions, items};

/// News that are sent at once.
const NEWS_AT_ONCE: usize = 100;

/// Sends the jobs of executions, and sets their timers.
pub(crate) struct Dispatcher {
    jobs: Arc<dyn Queue>,
    timers: Arc<dyn Timers>,
    /// Waits up to this long are delayed messages, longer ones timers.
    longest_delay: SignedDuration,
}

impl Dispatcher {
    /// Over these ports.
    pub(crate) fn new(jobs: Arc<dyn Queue>, timers: Arc<dyn Timers>, longest_delay: SignedDuration) -> Self {
        Self { jobs, timers, longest_delay }
    }

    /// Sends the job or sets the timer that an execution needs; `least` delays a job that is due now.
    pub(crate) async fn ensure_scheduled(
        &self,
        execution: &Execution,
        now: Timestamp,
        least: SignedDuration,
    ) -> Result<(), Error> {
        self.schedule(execution, Job::of(execution), now, least).await
    }

    /// Sends the jobs of executions whose reason to wake is overdue, those of a queue together: a job may have been
    /// handled already, and the process that did so may be dead. One that is stalled was given up, and begins anew.
    pub(crate) async fn again(&self, executions: &[Execution], now: Timestamp) -> Result<(), Error> {
        let mut messages: BTreeMap<QueueName, Vec<Message>> = BTreeMap::new();
        for execution in executions {
            let job = Job { again: !execution.stalled, ..Job::of(execution) };
            match execution.need() {
                Need::At(at) if at <= now => {
                    let message = job.message(&execution.workflow, SignedDuration::ZERO);
                    messages.entry(queue_of(execution)).or_default().push(message);
                }
                _ => self.schedule(execution, job, now, SignedDuration::ZERO).await?,
            }
        }
        for (queue, messages) in messages {
            self.jobs.send(queue, messages).await?;
        }
        Ok(())
    }

    /// Sends the job of an execution now, although its state waits for a later time.
    pub(crate) async fn send_early(&self, execution: &Execution) -> Result<(), Error> {
        self.send(execution, &Job::of(execution), SignedDuration::ZERO).await
    }

    /// Sends the job of an execution whose next call may last long to the queue of such jobs.
    pub(crate) async fn send_apart(&self, execution: &Execution) -> Result<(), Error> {
        let message = Job::of(execution).message(&execution.workflow, SignedDuration::ZERO);
        Ok(self.jobs.send(QueueName::JobsSlow, vec![message]).await?)
    }

    /// Sends the message that closes a window after a time, or looks again if that is longer than a message may wait.
    pub(crate) async fn send_window(&self, partition: &str, wait: SignedDuration) -> Result<(), Error> {
        let body = serde_json::to_string(&EventMessage::Window(partition.to_owned())).expect("a text is JSON");
        let delay = round_up(wait.max(SignedDuration::ZERO));
        let group = items::debounce::workflow(partition).to_owned();
        let message = Message { body, delay, group };
        Ok(self.jobs.send(QueueName::Events, vec![message]).await?)
    }

    /// Sends an event, in the group of a workflow.
    pub(crate) async fn send_event(&self, event: Event, workflow: &str) -> Result<(), Error> {
        let body = serde_json::to_string(&EventMessage::Event(Box::new(event))).expect("an event is JSON");
        let message = Message { body, delay: SignedDuration::ZERO, group: workflow.to_owned() };
        Ok(self.jobs.send(QueueName::Events, vec![message]).await?)
    }

    /// Sends the message that fires what is due of a schedule.
    pub(crate) async fn send_schedule(&self, workflow: &str, trigger: &str) -> Result<(), Error> {
        Ok(self.jobs.send(QueueName::Events, vec![schedule_message(workflow, trigger)]).await?)
    }

    /// Sends the messages that fire dates whose time has come, and that tell of overdue activities.
    pub(crate) async fn send_dates(&self, due: &[DateEntry], activities: &[DueActivity]) -> Result<(), Error> {
        let messages = due.iter().map(date_message).chain(activities.iter().map(overdue_message)).collect();
        Ok(self.jobs.send(QueueName::Events, messages).await?)
    }

    /// Sets the timer that fires a schedule: one for each time, however often it is set.
    pub(crate) async fn remind_schedule(&self, (workflow, trigger): (&str, &str), at: Timestamp) -> Result<(), Error> {
        let name = format!("{SCHEDULE_TIMER}{}-{}", ids::schedule_digest(workflow, trigger), at.as_second());
        let message = schedule_message(workflow, trigger);
        Ok(self.timers.set(Timer { name, due: at, queue: QueueName::Events, message }).await?)
    }

    /// Sends news to executions. Each finds by itself what they come to.
    pub(crate) async fn send_news(&self, executions: &[String], news: News) -> Result<(), Error> {
        let message = |id: &String| Job::with_news(id, news).message(id, SignedDuration::ZERO);
        for some in executions.chunks(NEWS_AT_ONCE) {
            self.jobs.send(QueueName::Jobs, some.iter().map(message).collect()).await?;
        }
        Ok(())
    }

    async fn schedule(
        &self,
        execution: &Execution,
        job: Job,
        now: Timestamp,
        least: SignedDuration,
    ) -> Result<(), Error> {
        let Need::At(at) = execution.need() else { return Ok(()) };
        let wait = at.duration_since(now).max(least);
        if wait <= self.longest_delay || wait <= SignedDuration::ZERO {
            let delay = if wait.is_negative() { SignedDuration::ZERO } else { round_up(wait) };
            return self.send(execution, &job, delay).await;
        }
        let message = job.message(&execution.workflow, SignedDuration::ZERO);
        let timer = Timer { name: timer_name(execution, at), due: at, queue: queue_of(execution), message };
        Ok(self.timers.set(timer).await?)
    }

    async fn send(&self, execution: &Execution, job: &Job, delay: SignedDuration) -> Result<(), Error> {
        Ok(self.jobs.send(queue_of(execution), vec![job.message(&execution.workflow, delay)]).await?)
    }

    /// Cancels the timer that the state before needed, if the state after does not need the same.
    pub(crate) async fn cancel_timer(&self, before: &Execution, after: &Execution) -> Result<(), Error> {
        let Need::At(at) = before.need() else { return Ok(()) };
        let had_timer = at.duration_since(before.updated_at) > self.longest_delay;
        if had_timer && before.need() != after.need() {
            self.timers.cancel(&timer_name(before, at)).await?;
        }
        Ok(())
    }
}

/// What names of timers of schedules begin with.
pub const SCHEDULE_TIMER: &str = "schedule-";

fn schedule_message(workflow: &str, trigger: &str) -> Message {
    let body = EventMessage::Schedule { workflow: workflow.to_owned(), trigger: trigger.to_owned() };
    let body = serde_json::to_string(&body).expect("texts are JSON");
    Message { body, delay: SignedDuration::ZERO, group: workflow.to_owned() }
}

fn overdue_message(due: &DueActivity) -> Message {
    let body = serde_json::to_string(&EventMessage::Overdue(due.activity.clone())).expect("texts are JSON");
    Message { body, delay: SignedDuration::ZERO, group: due.activity.clone() }
}

fn date_message(entry: &DateEntry) -> Message {
    let DateEntry { of, workflow, trigger, .. } = entry.clone();
    let group = workflow.clone();
    let body = serde_json::to_string(&EventMessage::Date { of, workflow, trigger }).expect("texts are JSON");
    Message { body, delay: SignedDuration::ZERO, group }
}

/// The name of the timer of an execution for a time, `<id>-<seconds since 1970>`. Under one name for all times, a timer could
/// be lost: EventBridge Scheduler deletes a schedule some time after it has fired, and with it the next one of that name
/// that was set meanwhile.
fn timer_name(execution: &Execution, at: Timestamp) -> String {
    format!("{}-{}", execution.id, at.as_second())
}

/// To a millisecond, so that a message is never early.
fn round_up(wait: SignedDuration) -> SignedDuration {
    let millis = wait.as_millis() + i128::from(wait.subsec_nanos() % 1_000_000 != 0);
    SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX)).min(ExecutorOptions::LONGEST_DELAY)
}
