//! The last stretch of a timer: Scheduler, then the queue's delay.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pawl_aws::{SchedulerTimers, SqsQueue};
use pawl_connectors::SystemRandom;
use pawl_runtime::ports::{Clock, Message, QueueName, QueueSource, Timer, Timers};
use pawl_testkit::VirtualClock;

use crate::account::Account;
use crate::resources::{Resources, Uses};

const VISIBILITY: SignedDuration = SignedDuration::from_secs(30);

/// A timer that is due in 66 s fires after 6 s, wrapped. Its receiver lives a minute ahead: it finds the message
/// some seconds early, and gets it after those.
#[tokio::test]
async fn a_timer_that_fires_early_arrives_when_it_is_due() {
    let account = Account::fresh().await;
    let resources = Resources::make(&account, Uses::Timers).await;
    let clock = VirtualClock::new(Timestamp::now());
    let queue = SqsQueue::new(&account.sdk, resources.queues.clone(), Arc::new(clock.clone()), Arc::new(SystemRandom));
    let timers = SchedulerTimers::new(&account.sdk, resources.timers.clone(), queue.clone(), Arc::new(clock.clone()));
    let due = clock.now() + SignedDuration::from_secs(66);
    let message = Message { body: "{\"seq\":3}".to_owned(), delay: SignedDuration::ZERO, group: "w".to_owned() };
    let timer = Timer { name: "t".to_owned(), due, queue: QueueName::Jobs, message };
    timers.set(timer).await.expect("setting succeeds");
    let client = aws_sdk_scheduler::Client::new(&account.sdk);
    let schedule = client.get_schedule().group_name(&account.prefix).name("t").send().await.expect("it is there");
    let target = schedule.target.expect("a schedule has a target");
    let undelivered = target.dead_letter_config.and_then(|config| config.arn);
    assert_eq!(undelivered.as_ref(), Some(&resources.timers.undelivered_arn), "what cannot be sent is kept");

    clock.advance_to(due - SignedDuration::from_secs(4));
    let began = Timestamp::now();
    let receiving = queue.receive(QueueName::Jobs, 10, VISIBILITY);
    let received = tokio::time::timeout(Duration::from_secs(150), receiving).await.expect("it arrives");
    let received = received.expect("receiving succeeds");
    assert_eq!(received.iter().map(|received| received.body.as_str()).collect::<Vec<_>>(), ["{\"seq\":3}"]);
    // Six seconds until Scheduler fires, and four that the receiver sees to be left.
    let waited = began.duration_until(Timestamp::now());
    assert!(waited >= SignedDuration::from_secs(8), "it arrived after {waited:#}");
}
