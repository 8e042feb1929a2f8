//! Counters: [`Write::Add`].

use pawl_runtime::ports::rules::{counter_body, read_counter};
use pawl_runtime::ports::{Conflicted, Expect, Item, Key, TableError, Write};

use super::super::Backend;
use super::super::shorthand::{
    TABLE, check, commit, committed, delete_if, item, pass, put, read, refused, sorts, span, whole,
};

fn add(amount: i64, at_most: Option<i64>) -> Write {
    Write::Add { table: TABLE, key: Key::new("p", "counter"), amount, at_most }
}

async fn count(backend: &dyn Backend) -> Option<(i64, u64)> {
    let item = read(backend, &Key::new("p", "counter")).await?;
    Some((read_counter(&item.body).expect("the body counts"), item.version))
}

/// Each addition is one more version of the item.
pub async fn a_counter_starts_at_zero_and_adds(backend: &dyn Backend) {
    committed(backend, vec![add(5, None)]).await;
    assert_eq!(count(backend).await, Some((5, 1)));
    committed(backend, vec![add(-2, None), put(&item("p", "other"))]).await;
    assert_eq!(count(backend).await, Some((3, 2)));
}

/// What would be negative is zero.
pub async fn a_counter_never_goes_below_zero(backend: &dyn Backend) {
    committed(backend, vec![add(-4, None)]).await;
    assert_eq!(count(backend).await.map(|(count, _)| count), Some(0));
    committed(backend, vec![add(2, None)]).await;
    committed(backend, vec![add(-3, None)]).await;
    assert_eq!(count(backend).await.map(|(count, _)| count), Some(0));
}

/// A sum up to the bound commits; above it the whole transaction conflicts and shows the counter.
pub async fn a_counter_conflicts_above_its_bound(backend: &dyn Backend) {
    assert_eq!(refused(backend, vec![add(4, Some(3))]).await, None);
    assert_eq!(count(backend).await, None);
    committed(backend, vec![add(3, Some(3))]).await;

    let bystander = item("p", "bystander");
    let outcome = commit(backend, vec![put(&bystander), add(1, Some(3))]).await;
    let Err(TableError::Conflict(conflicts)) = outcome else { panic!("expected a conflict, found {outcome:?}") };
    let shown = conflicts.first().and_then(|conflicted| conflicted.current.clone()).expect("the counter is shown");
    assert_eq!((shown.key.sort.as_str(), read_counter(&shown.body)), ("counter", Ok(3)));
    assert_eq!(conflicts, [Conflicted { index: 1, current: Some(shown) }]);
    assert_eq!(read(backend, &bystander.key).await, None);
    assert_eq!(count(backend).await.map(|(count, _)| count), Some(3));
}

/// A counter stands in its partition as any other item: what removes a partition finds it, and it goes.
pub async fn a_counter_is_listed_and_deleted_with_its_partition(backend: &dyn Backend) {
    committed(backend, vec![add(5, None), put(&item("p", "other"))]).await;
    assert_eq!(sorts(backend, whole("p")).await, ["counter", "other"]);
    let delete = |sort: &str| delete_if(&Key::new("p", sort), Expect::Any);
    committed(backend, vec![delete("counter"), delete("other")]).await;
    assert_eq!(sorts(backend, whole("p")).await, [""; 0]);
    assert_eq!(count(backend).await, None);
}

/// An expired counter counts from zero again, as if it had never been.
pub async fn an_expired_counter_starts_again(backend: &dyn Backend) {
    let expires_at = Some(backend.now() + span(backend, 2_000));
    let mortal = Item { body: counter_body(9), expires_at, ..item("p", "counter") };
    committed(backend, vec![put(&mortal)]).await;
    pass(backend, 3_000).await;

    committed(backend, vec![add(1, Some(1))]).await;
    assert_eq!(count(backend).await.map(|(count, _)| count), Some(1));
    committed(backend, vec![check(&mortal.key, Expect::Present)]).await;
}
