//! Expectations: what must hold for a transaction to commit.

use std::future::poll_fn;
use std::task::Poll;

use futures::future::join_all;
use pawl_runtime::ports::rules::{counter_body, read_counter};
use pawl_runtime::ports::{Conflicted, Expect, Item, Key, TableError};

use super::super::Backend;
use super::super::shorthand::{check, commit, committed, delete_if, item, put, put_if, read, refused};

/// [`Expect::Absent`] of puts, deletes and checks.
pub async fn absent_holds_only_where_no_item_stands(backend: &dyn Backend) {
    let written = item("p", "s");
    committed(backend, vec![check(&written.key, Expect::Absent)]).await;
    committed(backend, vec![delete_if(&written.key, Expect::Absent)]).await;
    committed(backend, vec![put_if(&written, Expect::Absent)]).await;

    for write in
        [put_if(&written, Expect::Absent), delete_if(&written.key, Expect::Absent), check(&written.key, Expect::Absent)]
    {
        assert_eq!(refused(backend, vec![write]).await.as_ref(), Some(&written));
    }
}

/// [`Expect::Present`] of puts, deletes and checks.
pub async fn present_holds_only_where_an_item_stands(backend: &dyn Backend) {
    let written = item("p", "s");
    for write in [
        put_if(&written, Expect::Present),
        delete_if(&written.key, Expect::Present),
        check(&written.key, Expect::Present),
    ] {
        assert_eq!(refused(backend, vec![write]).await, None);
    }

    committed(backend, vec![put(&written)]).await;
    committed(backend, vec![check(&written.key, Expect::Present)]).await;
    committed(backend, vec![put_if(&written, Expect::Present)]).await;
    committed(backend, vec![delete_if(&written.key, Expect::Present)]).await;
    assert_eq!(read(backend, &written.key).await, None);
}

/// [`Expect::Version`] of puts, deletes and checks.
pub async fn a_version_holds_only_of_itself(backend: &dyn Backend) {
    let first = item("p", "s");
    let second = Item { version: 2, body: "{\"now\":2}".to_owned(), ..first.clone() };
    assert_eq!(refused(backend, vec![put_if(&second, Expect::Version(1))]).await, None);

    committed(backend, vec![put(&first)]).await;
    committed(backend, vec![put_if(&second, Expect::Version(1))]).await;
    for version in [1, 3] {
        for write in [
            put_if(&first, Expect::Version(version)),
            delete_if(&first.key, Expect::Version(version)),
            check(&first.key, Expect::Version(version)),
        ] {
            assert_eq!(refused(backend, vec![write]).await.as_ref(), Some(&second));
        }
    }
    committed(backend, vec![check(&first.key, Expect::Version(2))]).await;
    committed(backend, vec![delete_if(&first.key, Expect::Version(2))]).await;
    assert_eq!(read(backend, &first.key).await, None);
}

/// [`Expect::Any`] of puts, deletes and checks, with and without an item.
pub async fn any_always_holds(backend: &dyn Backend) {
    let written = item("p", "s");
    committed(backend, vec![delete_if(&written.key, Expect::Any)]).await;
    committed(backend, vec![check(&written.key, Expect::Any)]).await;
    committed(backend, vec![put(&written)]).await;
    committed(backend, vec![check(&written.key, Expect::Any)]).await;

    let replaced = Item { version: 9, body: "{}".to_owned(), ..written.clone() };
    committed(backend, vec![put(&replaced)]).await;
    assert_eq!(read(backend, &written.key).await, Some(replaced));
}

/// A deleted item is gone, its neighbours stay, and its key can be taken again.
pub async fn a_delete_removes_the_item(backend: &dyn Backend) {
    let (gone, neighbour) = (item("p", "1"), item("p", "2"));
    committed(backend, vec![put(&gone), put(&neighbour)]).await;
    committed(backend, vec![delete_if(&gone.key, Expect::Any)]).await;
    assert_eq!(read(backend, &gone.key).await, None);
    assert_eq!(read(backend, &neighbour.key).await, Some(neighbour));

    committed(backend, vec![put_if(&gone, Expect::Absent)]).await;
    assert_eq!(read(backend, &gone.key).await, Some(gone));
}

/// A check neither creates nor changes an item.
pub async fn a_check_changes_nothing(backend: &dyn Backend) {
    let (written, missing) = (item("p", "s"), Key::new("p", "missing"));
    committed(backend, vec![put(&written)]).await;
    committed(backend, vec![check(&written.key, Expect::Version(1)), check(&missing, Expect::Absent)]).await;
    assert_eq!(read(backend, &written.key).await, Some(written));
    assert_eq!(read(backend, &missing).await, None);
}

/// All or none: also what stands before and after the failed member is not written.
pub async fn a_failed_member_changes_nothing(backend: &dyn Backend) {
    let (standing, before, after) = (item("p", "standing"), item("p", "before"), item("q", "after"));
    committed(backend, vec![put(&standing)]).await;

    let doomed = put_if(&item("p", "doomed"), Expect::Present);
    let removal = delete_if(&standing.key, Expect::Any);
    let current = refused(backend, vec![put(&before), removal, doomed, put(&after)]).await;
    assert_eq!(current, None);

    assert_eq!(read(backend, &before.key).await, None);
    assert_eq!(read(backend, &after.key).await, None);
    assert_eq!(read(backend, &standing.key).await, Some(standing));
}

/// A conflict names each failed member by its place, with the item that stands there.
pub async fn every_failed_member_is_reported_with_its_item(backend: &dyn Backend) {
    let standing = item("p", "standing");
    committed(backend, vec![put(&standing)]).await;

    let outcome = commit(
        backend,
        vec![
            put_if(&standing, Expect::Absent),
            put(&item("p", "fine")),
            check(&Key::new("p", "missing"), Expect::Present),
            check(&Key::new("p", "free"), Expect::Absent),
            delete_if(&Key::new("p", "gone"), Expect::Version(4)),
        ],
    )
    .await;
    let expected = vec![
        Conflicted { index: 0, current: Some(standing) },
        Conflicted { index: 2, current: None },
        Conflicted { index: 4, current: None },
    ];
    assert_eq!(outcome, Err(TableError::Conflict(expected)));
}

/// Writers that read, add one and write under the version that they read never overwrite each other.
pub async fn concurrent_increments_by_version_lose_none(backend: &dyn Backend) {
    let start = Item { body: counter_body(0), ..item("p", "counter") };
    committed(backend, vec![put(&start)]).await;

    let (writers, rounds) = (8, 10);
    join_all((0..writers).map(|_| increment(backend, &start.key, rounds))).await;

    let end = read(backend, &start.key).await.expect("the counter stands");
    assert_eq!(read_counter(&end.body), Ok(writers * rounds));
    assert_eq!(i64::try_from(end.version), Ok(writers * rounds + 1));
}

async fn increment(backend: &dyn Backend, key: &Key, rounds: i64) {
    let mut done = 0;
    while done < rounds {
        let current = read(backend, key).await.expect("the counter stands");
        let count = read_counter(&current.body).expect("the body counts");
        yield_once().await;
        let next = Item { version: current.version + 1, body: counter_body(count + 1), ..current.clone() };
        match commit(backend, vec![put_if(&next, Expect::Version(current.version))]).await {
            Ok(()) => done += 1,
            Err(TableError::Conflict(_)) => {}
            Err(other) => panic!("expected a commit or a conflict, found {other}"),
        }
    }
}

/// Lets the other writers go first, so that a backend that answers at once is interleaved too.
async fn yield_once() {
    let mut yielded = false;
    poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
