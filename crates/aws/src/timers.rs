//! Timers on `EventBridge` Scheduler.

use std::sync::Arc;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::operation::create_schedule::CreateScheduleError;
use aws_sdk_scheduler::operation::delete_schedule::DeleteScheduleError;
use aws_sdk_scheduler::operation::update_schedule::UpdateScheduleError;
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, Target,
};
use jiff::{SignedDuration, Timestamp};
use pawl_runtime::ports::rules::validate_timer_name;
use pawl_runtime::ports::{Clock, Message, Queue, QueueError, Timer, TimerError, Timers};

use crate::SqsQueue;
use crate::config::TimerTargets;
use crate::failure::Failure;
use crate::timer_relay;

/// Scheduler fires within this time after the one that it was told.
const PRECISION: SignedDuration = SignedDuration::from_secs(60);

/// Scheduler refuses a schedule in the past, and a request takes its time: what is due sooner is scheduled so far
/// ahead.
const MARGIN: SignedDuration = SignedDuration::from_secs(2);

/// A timer may fire or be set by another between two calls of one `set`; it is tried so often.
const ATTEMPTS: usize = 4;

/// Timers as one-time schedules of a group, each named as its timer and gone once it fired.
///
/// What Scheduler cannot send, for a day, it leaves in the queue of what is undelivered; the sweeper has long woken its
/// execution by then.
///
/// What is farther than a minute is scheduled a minute early and wrapped for its last stretch; see [`crate::hop`].
#[derive(Clone)]
pub struct SchedulerTimers {
    client: Client,
    targets: TimerTargets,
    queue: SqsQueue,
    clock: Arc<dyn Clock>,
}

impl SchedulerTimers {
    /// Makes the client. What is due already goes to the queue at once.
    pub fn new(sdk: &SdkConfig, targets: TimerTargets, queue: SqsQueue, clock: Arc<dyn Clock>) -> Self {
        Self { client: Client::new(sdk), targets, queue, clock }
    }

    /// Creates the schedule, or updates the one that stands there.
    async fn schedule(&self, name: &str, schedule: &Schedule) -> Result<(), TimerError> {
        for _ in 0..ATTEMPTS {
            if self.create(name, schedule).await? || self.update(name, schedule).await? {
                return Ok(());
            }
        }
        Err(TimerError::Unavailable(format!("the schedule {name} is being changed by others again and again")))
    }

    /// Whether it was created: not if one of the name is there.
    async fn create(&self, name: &str, schedule: &Schedule) -> Result<bool, TimerError> {
        let call = self
            .client
            .create_schedule()
            .name(name)
            .group_name(&self.targets.group)
            .schedule_expression(&schedule.expression)
            .flexible_time_window(exactly())
            .target(schedule.target.clone())
            .action_after_completion(ActionAfterCompletion::Delete);
        match call.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(CreateScheduleError::ConflictException(_)) => Ok(false),
                _ => Err(failed(&Failure::of(&error))),
            },
        }
    }

    /// Whether it was updated: not if none of the name is there, or if another call is at work on it.
    async fn update(&self, name: &str, schedule: &Schedule) -> Result<bool, TimerError> {
        let call = self
            .client
            .update_schedule()
            .name(name)
            .group_name(&self.targets.group)
            .schedule_expression(&schedule.expression)
            .flexible_time_window(exactly())
            .target(schedule.target.clone())
            .action_after_completion(ActionAfterCompletion::Delete);
        match call.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateScheduleError::ResourceNotFoundException(_) | UpdateScheduleError::ConflictException(_)) => {
                    Ok(false)
                }
                _ => Err(failed(&Failure::of(&error))),
            },
        }
    }

    async fn remove(&self, name: &str) -> Result<(), TimerError> {
        match self.client.delete_schedule().name(name).group_name(&self.targets.group).send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(DeleteScheduleError::ResourceNotFoundException(_)) => Ok(()),
                _ => Err(failed(&Failure::of(&error))),
            },
        }
    }

    async fn send_now(&self, timer: Timer) -> Result<(), TimerError> {
        self.remove(&timer.name).await?;
        let message = Message { delay: SignedDuration::ZERO, ..timer.message };
        self.queue.send(timer.queue, vec![message]).await.map_err(|error| match error {
            QueueError::Unavailable(story) | QueueError::Full(story) => TimerError::Unavailable(story),
            QueueError::Invalid(story) => TimerError::Invalid(story),
        })
    }
}

#[async_trait]
impl Timers for SchedulerTimers {
    async fn set(&self, timer: Timer) -> Result<(), TimerError> {
        timer.validate()?;
        let now = self.clock.now();
        if timer.due <= now {
            return self.send_now(timer).await;
        }
        let arn = self.targets.queue_arns.get(&timer.queue).ok_or_else(|| {
            TimerError::Invalid(format!("the queue {:?} is not configured for timers of this function", timer.queue))
        })?;
        let (at, input) = plan(&timer, now);
        let undelivered = DeadLetterConfig::builder().arn(&self.targets.undelivered_arn).build();
        let target = Target::builder().arn(arn).role_arn(&self.targets.role_arn).dead_letter_config(undelivered);
        let target = target.input(literal(&input)).build().expect("a target has an address and a role");
        self.schedule(&timer.name, &Schedule { expression: expression(at), target }).await
    }

    async fn cancel(&self, name: &str) -> Result<(), TimerError> {
        validate_timer_name(name)?;
        self.remove(name).await
    }
}

struct Schedule {
    expression: String,
    target: Target,
}

/// When to fire, and what to send then.
fn plan(timer: &Timer, now: Timestamp) -> (Timestamp, String) {
    let soonest = now + MARGIN;
    let early = timer.due - PRECISION;
    if early > soonest {
        (early, timer_relay::wrap(timer.due, &timer.message))
    } else {
        (timer.due.max(soonest), timer.message.body.clone())
    }
}

/// Whole seconds, rounded up: never early.
fn expression(at: Timestamp) -> String {
    let seconds = at.as_second() + i64::from(at.subsec_nanosecond() > 0);
    let at = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    format!("at({})", at.strftime("%Y-%m-%dT%H:%M:%S"))
}

/// A JSON text that says the same and in which Scheduler finds no attribute to fill in.
fn literal(input: &str) -> String {
    input.replace("<aws.scheduler.", "\\u003caws.scheduler.")
}

fn exactly() -> FlexibleTimeWindow {
    let window = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build();
    window.expect("a window has a mode")
}

fn failed(failure: &Failure) -> TimerError {
    match failure {
        Failure::Refused { code, message } if code == "ValidationException" => TimerError::Invalid(message.clone()),
        failure => TimerError::Unavailable(failure.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use pawl_runtime::ports::QueueName;

    use super::*;

    fn timer(due: &str) -> Timer {
        let message = Message { body: "{\"seq\":3}".to_owned(), delay: SignedDuration::ZERO, group: "w".to_owned() };
        Timer { name: "t".to_owned(), due: time(due), queue: QueueName::Jobs, message }
    }

    fn time(time: &str) -> Timestamp {
        time.parse().expect("a time")
    }

    #[test]
    fn what_is_far_is_scheduled_a_minute_early_and_wrapped() {
        let far = timer("2026-11-26T12:30:00.5Z");
        let (at, input) = plan(&far, time("2026-11-26T12:00:00Z"));
        assert_eq!(expression(at), "at(2026-11-26T12:29:01)");
        assert_eq!(timer_relay::read(input, far.due), timer_relay::Arrived::Now(far.message.body));
    }

    #[test]
    fn what_is_near_is_scheduled_when_it_is_due() {
        let (at, input) = plan(&timer("2026-11-26T12:00:30Z"), time("2026-11-26T12:00:00Z"));
        assert_eq!((expression(at).as_str(), input.as_str()), ("at(2026-11-26T12:00:30)", "{\"seq\":3}"));
    }

    #[test]
    fn what_is_very_near_is_not_scheduled_in_the_past() {
        let (at, _) = plan(&timer("2026-11-26T12:00:00.1Z"), time("2026-11-26T12:00:00Z"));
        assert_eq!(expression(at), "at(2026-11-26T12:00:02)");
    }

    #[test]
    fn a_message_is_not_a_template() {
        let body = "{\"text\":\"<aws.scheduler.execution-id>\"}";
        let input = literal(body);
        assert!(!input.contains("<aws.scheduler."), "Scheduler would fill it in: {input}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        assert_eq!(read(&input), read(body));
    }
}
