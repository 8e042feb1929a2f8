//! Changes of records, from the stream of their table; and what expired, from the stream of executions.
//!
//! A stream is read in order, and what fails holds up all that follows on its shard, for a day. So a change that cannot
//! be evaluated goes to the event queue, where it comes again by itself and, at last, to a dead-letter queue. Only if the
//! queue does not take it either is it reported: then storage or queue are out of reach for everything. The same becomes of a
//! change that takes long: a function that is cut off would begin again with the same change, for hours.

use std::time::Duration;

use aws_lambda_events::dynamodb::{Event, EventRecord};
use aws_lambda_events::sqs::SqsBatchResponse;
use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use pawl_lambda::guarded;
use pawl_runtime::ports::{Key, RecordChange};
use pawl_runtime::{Core, Error, TopicReads};
use tokio::time::timeout;

/// Changes that are evaluated at once; their order says nothing.
const AT_ONCE: usize = 16;

/// Longest evaluation of a change in its place; the event queue gives it a whole invocation.
const CHANGE_MOST: Duration = Duration::from_secs(5);

/// Time that is kept for putting off what is left.
const RESERVE: SignedDuration = SignedDuration::from_secs(10);

/// Evaluates changes; reports the first that must come again, with which Lambda begins anew.
pub(crate) async fn handle(core: &Core, event: Event, deadline: Timestamp) -> SqsBatchResponse {
    // All of them have happened: who listens is read once for all.
    let reads = TopicReads::default();
    let evaluated = |record| one(core, record, &reads, deadline - RESERVE);
    let mut done = stream::iter(&event.records).map(evaluated).buffered(AT_ONCE);
    let mut answer = SqsBatchResponse::default();
    while let Some(failed) = done.next().await {
        if let Some(sequence_number) = failed {
            // What follows is delivered again with it.
            answer.add_failure(sequence_number);
            break;
        }
    }
    answer
}

/// The sequence number of a change that must come again. It is evaluated here if that ends in time.
async fn one(core: &Core, record: &EventRecord, reads: &TopicReads, until: Timestamp) -> Option<String> {
    let sequence_number = record.change.sequence_number.clone().unwrap_or_default();
    if let Some(key) = pawl_aws::expired(record) {
        return expired(core, &key, until).await.then_some(sequence_number);
    }
    let change = match pawl_aws::change(record) {
        Ok(Some(change)) => change,
        Ok(None) => return None,
        Err(error) => {
            // It was not written by Pawl, and no retry makes it readable.
            tracing::error!(sequence_number, "a change of the records table is not readable and is dropped: {error}");
            return None;
        }
    };
    let about = change.new.as_ref().or(change.old.as_ref()).map(|item| item.key.sort.as_str());
    let left = until.duration_since(core.ports.clock.now());
    let longest = CHANGE_MOST.min(left.try_into().unwrap_or_default());
    match timeout(longest, guarded(core.evaluator.changed(&change, reads, None))).await {
        Ok(Some(Ok(()))) => return None,
        Ok(Some(Err(error))) => {
            tracing::warn!(record = about, sequence_number, "a change is put on the event queue: {error}");
        }
        Ok(None) => tracing::warn!(record = about, sequence_number, "a change is put on the event queue after a panic"),
        Err(_) => {
            tracing::warn!(record = about, sequence_number, "a change is put on the event queue: it takes too long");
        }
    }
    match enqueue(core, &change).await {
        Ok(()) => None,
        Err(error) => {
            tracing::error!(record = about, sequence_number, "a change holds up its shard: {error}");
            Some(sequence_number)
        }
    }
}

/// Removes what belonged to an execution whose head has expired; whether it must come again.
async fn expired(core: &Core, head: &Key, until: Timestamp) -> bool {
    let left = until.duration_since(core.ports.clock.now());
    let longest = CHANGE_MOST.min(left.try_into().unwrap_or_default());
    if let Ok(Some(Ok(()))) = timeout(longest, guarded(core.evaluator.expired(head))).await {
        return false;
    }
    let of = &head.partition;
    tracing::warn!(of, "the removal of what expired is put on the event queue");
    let told = core.evaluator.enqueue_expired(head).await;
    told.inspect_err(|error| tracing::error!(of, "the removal of what expired holds up its shard: {error}")).is_err()
}

async fn enqueue(core: &Core, change: &RecordChange) -> Result<(), Error> {
    core.evaluator.enqueue(change).await
}
