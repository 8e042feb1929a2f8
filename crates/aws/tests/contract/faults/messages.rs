//! Messages and timers: sent again until they are taken.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use pawl_aws::{SchedulerTimers, SqsQueue};
use pawl_connectors::{SystemClock, SystemRandom};
use pawl_runtime::ports::{Queue, QueueError, QueueName, Timer, Timers};
use serde_json::{Value, json};

use super::{ATTEMPTS, Fault, Faulty, Uses, message};

fn queue(faulty: &Faulty) -> SqsQueue {
    SqsQueue::new(&faulty.sdk(), faulty.resources.queues.clone(), Arc::new(SystemClock), Arc::new(SystemRandom))
}

/// An answer that took all of a batch but one.
fn all_but(count: usize, left: usize, sender_fault: bool) -> Fault {
    let successful: Vec<Value> = (0..count)
        .filter(|place| *place != left)
        .map(|place| json!({"Id": place.to_string(), "MessageId": place.to_string(), "MD5OfMessageBody": ""}))
        .collect();
    let failed = json!({"Id": left.to_string(), "SenderFault": sender_fault, "Code": "InternalError", "Message": "no"});
    Fault::Answer(200, json!({"Successful": successful, "Failed": [failed]}).to_string())
}

fn bodies(request: &str) -> Vec<String> {
    let request: Value = serde_json::from_str(request).expect("a request is JSON");
    let entries = request["Entries"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| entry["MessageBody"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn what_the_queue_did_not_take_is_sent_again() {
    let faulty = Faulty::start(Uses::Queues).await;
    faulty.proxy.next([all_but(3, 1, false)]);
    let sent = queue(&faulty).send(QueueName::Jobs, ["1", "2", "3"].map(message).to_vec()).await;
    assert_eq!(sent, Ok(()));
    let requests: Vec<Vec<String>> = faulty.proxy.requests().iter().map(|request| bodies(request)).collect();
    assert_eq!(requests, [vec!["1", "2", "3"], vec!["2"]]);
}

#[tokio::test]
async fn what_the_queue_never_takes_is_reported() {
    let faulty = Faulty::start(Uses::Queues).await;
    faulty.proxy.next(vec![all_but(1, 0, false); ATTEMPTS]);
    let sent = queue(&faulty).send(QueueName::Jobs, vec![message("1")]).await;
    assert!(matches!(sent, Err(QueueError::Unavailable(_))), "expected no queue, found {sent:?}");
    faulty.proxy.next([all_but(1, 0, true)]);
    let sent = queue(&faulty).send(QueueName::Jobs, vec![message("1")]).await;
    assert_eq!(sent, Err(QueueError::Invalid("InternalError: no".to_owned())));
}

/// The schedule stands already when its creation is repeated; then it is updated.
#[tokio::test]
async fn a_timer_whose_answer_was_lost_is_set_once() {
    let faulty = Faulty::start(Uses::Timers).await;
    let timers = faulty.resources.timers.clone();
    let timers = SchedulerTimers::new(&faulty.sdk(), timers, queue(&faulty), Arc::new(SystemClock));
    let due = Timestamp::now() + SignedDuration::from_hours(1);
    let timer = Timer { name: "t".to_owned(), due, queue: QueueName::Jobs, message: message("1") };
    faulty.proxy.next([Fault::LoseAnswer]);
    assert_eq!(timers.set(timer).await, Ok(()));

    let client = aws_sdk_scheduler::Client::new(&faulty.account.sdk);
    let listed = client.list_schedules().group_name(&faulty.account.prefix).send().await;
    assert_eq!(listed.expect("schedules can be listed").schedules.len(), 1);
    faulty.proxy.next([Fault::LoseAnswer]);
    assert_eq!(timers.cancel("t").await, Ok(()));
}
