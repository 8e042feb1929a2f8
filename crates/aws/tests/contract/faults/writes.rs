//! Writes: what became of them is known, or said to be unknown.

use pawl_runtime::ports::rules::read_counter;
use pawl_runtime::ports::{Conflicted, Expect, TableError, Write};

use super::{ATTEMPTS, Fault, Faulty, TABLE, Uses, add, commit, item, put, throttles};

#[track_caller]
fn is_unknown(outcome: &Result<(), TableError>) {
    assert!(matches!(outcome, Err(TableError::Unknown(_))), "expected an unknown outcome, found {outcome:?}");
}

#[tokio::test]
async fn a_lost_answer_of_a_conditional_put_is_recognised() {
    let faulty = Faulty::start(Uses::Tables).await;
    let tables = faulty.tables();
    let (first, second) = (item("s", 1), item("s", 2));
    for (written, expect, fault) in
        [(&first, Expect::Absent, Fault::LoseAnswer), (&second, Expect::Version(1), Fault::WithholdAnswer)]
    {
        faulty.proxy.next([fault]);
        assert_eq!(commit(&tables, vec![put(written, expect)]).await, Ok(()));
        assert_eq!(faulty.standing(&written.key).await.as_ref(), Some(written));
        assert_eq!(faulty.proxy.requests().len(), 2, "it is tried again");
    }
}

#[tokio::test]
async fn a_lost_request_of_a_conditional_put_is_carried_out() {
    let faulty = Faulty::start(Uses::Tables).await;
    faulty.proxy.next([Fault::LoseRequest, Fault::code(500, "InternalServerError"), Fault::WithholdRequest]);
    assert_eq!(commit(&faulty.tables(), vec![put(&item("s", 1), Expect::Absent)]).await, Ok(()));
    assert_eq!(faulty.standing(&item("s", 1).key).await, Some(item("s", 1)));
}

/// What stands there may have overwritten what was written, or have been there all the time.
#[tokio::test]
async fn another_item_is_not_taken_for_ones_own() {
    let faulty = Faulty::start(Uses::Tables).await;
    let other = item("s", 2);
    faulty.stands(&other).await;
    faulty.proxy.next([Fault::LoseRequest]);
    is_unknown(&commit(&faulty.tables(), vec![put(&item("s", 1), Expect::Absent)]).await);

    let conflict = TableError::Conflict(vec![Conflicted { index: 0, current: Some(other) }]);
    assert_eq!(commit(&faulty.tables(), vec![put(&item("s", 1), Expect::Absent)]).await, Err(conflict));
}

/// The very item that was to be written is a conflict, if no answer was lost.
#[tokio::test]
async fn an_equal_item_is_a_conflict_where_no_answer_was_lost() {
    let faulty = Faulty::start(Uses::Tables).await;
    faulty.stands(&item("s", 1)).await;
    faulty.proxy.next(throttles("ThrottlingException", 1));
    let conflict = TableError::Conflict(vec![Conflicted { index: 0, current: Some(item("s", 1)) }]);
    assert_eq!(commit(&faulty.tables(), vec![put(&item("s", 1), Expect::Absent)]).await, Err(conflict));
}

#[tokio::test]
async fn what_cannot_be_repeated_safely_is_unknown_and_sent_once() {
    let faulty = Faulty::start(Uses::Tables).await;
    let tables = faulty.tables();
    let removal = Write::Delete { table: TABLE, key: item("s", 1).key, expect: Expect::Version(1) };
    for write in [put(&item("s", 1), Expect::Any), put(&item("s", 1), Expect::Present), removal, add("counter", 1)] {
        faulty.proxy.next([Fault::LoseAnswer]);
        is_unknown(&commit(&tables, vec![write]).await);
        assert_eq!(faulty.proxy.requests().len(), 1, "it is not tried again");
    }
}

#[tokio::test]
async fn a_transaction_whose_answers_are_lost_commits_once() {
    let faulty = Faulty::start(Uses::Tables).await;
    faulty.proxy.next([Fault::LoseAnswer, Fault::WithholdAnswer, Fault::code(500, "InternalServerError")]);
    let writes = vec![put(&item("s", 1), Expect::Any), add("counter", 3)];
    assert_eq!(commit(&faulty.tables(), writes).await, Ok(()));
    let counter = faulty.standing(&item("counter", 1).key).await.expect("the counter stands");
    assert_eq!((read_counter(&counter.body), counter.version), (Ok(3), 1));
}

#[tokio::test]
async fn an_outcome_that_stays_in_doubt_is_unknown() {
    let faulty = Faulty::start(Uses::Tables).await;
    let tables = faulty.tables();
    let one = vec![put(&item("s", 1), Expect::Absent)];
    let two = vec![put(&item("s", 1), Expect::Absent), put(&item("t", 1), Expect::Absent)];
    for writes in [one, two] {
        faulty.proxy.next(vec![Fault::LoseRequest; ATTEMPTS]);
        is_unknown(&commit(&tables, writes.clone()).await);
        let busy = throttles("ThrottlingException", ATTEMPTS - 1);
        faulty.proxy.next([Fault::LoseRequest].into_iter().chain(busy));
        is_unknown(&commit(&tables, writes.clone()).await);
        faulty.proxy.next([Fault::LoseRequest, Fault::code(400, "AccessDeniedException")]);
        is_unknown(&commit(&tables, writes).await);
    }
    assert_eq!(faulty.standing(&item("s", 1).key).await, None);
}

#[tokio::test]
async fn throttling_is_waited_out_and_then_reported() {
    let faulty = Faulty::start(Uses::Tables).await;
    let tables = faulty.tables();
    let codes = [
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    ];
    for code in codes {
        for writes in
            [vec![put(&item(code, 1), Expect::Any)], vec![put(&item(code, 1), Expect::Any), add("counter", 1)]]
        {
            faulty.proxy.next(throttles(code, ATTEMPTS));
            assert_eq!(commit(&tables, writes.clone()).await, Err(TableError::Throttled), "{code}");
            assert_eq!(faulty.standing(&item(code, 1).key).await, None);
        }
        faulty.proxy.next(throttles(code, ATTEMPTS - 1));
        assert_eq!(commit(&tables, vec![put(&item(code, 1), Expect::Any)]).await, Ok(()), "{code}");
    }
}

#[tokio::test]
async fn a_transaction_that_others_hold_up_is_tried_again() {
    let faulty = Faulty::start(Uses::Tables).await;
    let canceled = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "message":"Transaction cancelled","CancellationReasons":[{"Code":"None"},{"Code":"TransactionConflict"}]}"#;
    let writes = vec![put(&item("s", 1), Expect::Absent), add("counter", 1)];
    faulty.proxy.next(vec![Fault::Answer(400, canceled.to_owned()); ATTEMPTS]);
    assert_eq!(commit(&faulty.tables(), writes.clone()).await, Err(TableError::Throttled));
    faulty.proxy.next([Fault::Answer(400, canceled.to_owned())]);
    assert_eq!(commit(&faulty.tables(), writes).await, Ok(()));
}

/// Where there is no service, nothing can have been written.
#[tokio::test]
async fn a_service_that_cannot_be_reached_is_unavailable() {
    let faulty = Faulty::start(Uses::Tables).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let nobody = format!("http://{}", nobody.expect("a port is free"));
    let tables = faulty.tables_of(&faulty.account.behind(&nobody, super::ATTEMPT));
    let one = vec![put(&item("s", 1), Expect::Any)];
    for writes in [one.clone(), [one, vec![add("counter", 1)]].concat()] {
        let outcome = commit(&tables, writes).await;
        assert!(matches!(outcome, Err(TableError::Unavailable(_))), "expected no service, found {outcome:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_final() {
    let faulty = Faulty::start(Uses::Tables).await;
    let tables = faulty.tables();
    faulty.proxy.next([Fault::code(400, "AccessDeniedException"), Fault::code(400, "ValidationException")]);
    let denied = commit(&tables, vec![put(&item("s", 1), Expect::Any)]).await;
    let expected = TableError::Unavailable("AccessDeniedException: by the proxy".to_owned());
    assert_eq!(denied, Err(expected));
    let invalid = commit(&tables, vec![put(&item("s", 1), Expect::Any)]).await;
    assert_eq!(invalid, Err(TableError::Invalid("by the proxy".to_owned())));
    assert_eq!(faulty.proxy.requests().len(), 2);
}
