//! Several writes that commit together.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::error::TransactionCanceledException;
use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use jiff::Timestamp;
use pawl_runtime::copies::copies_of;
use pawl_runtime::ports::{Conflicted, Expect, Item, Key, TableError, Write};

use super::condition::Condition;
use super::counter::{self, Sum};
use super::layout::{Attributes, Heard};
use super::write::{ADD, with_amount};
use super::{DynamoTables, copies, layout, write_error};
use crate::pace::Pace;

/// Counters to which the service cannot add by itself, by their place in the transaction: what stands there, and what
/// it is to become.
pub(super) type Counters = BTreeMap<usize, Rewrite>;

/// A counter that is written as a whole, provided that nobody changed it meanwhile.
pub(super) struct Rewrite {
    pub(super) seen: Option<Item>,
    pub(super) becomes: Item,
}

const ALL_OLD: ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure::AllOld;

/// A member as the service takes it, and its place in the caller's transaction.
type Member = (usize, TransactWriteItem);

/// What came of one attempt to commit.
enum Attempt {
    Committed,
    /// Nothing was written: items are held by other transactions, or the service is throttling.
    Busy,
    /// Nothing was written: conditions failed, each at a place and with what stands there.
    Failed(Vec<Conflicted>),
}

impl DynamoTables {
    /// Commits, given what was seen at some counters. An attempt that wrote nothing is followed by another.
    pub(super) async fn write_many(
        &self,
        writes: &[Write],
        heard: Heard,
        mut counters: Counters,
    ) -> Result<(), TableError> {
        for attempt in 1..=Pace::attempts() {
            let members = self.members(writes, heard, &counters)?;
            if members.is_empty() {
                return Ok(());
            }
            match self.commit(members).await? {
                Attempt::Committed => return Ok(()),
                Attempt::Busy => {}
                Attempt::Failed(failed) => {
                    let (refused, seen) = judge(writes, failed)?;
                    if !refused.is_empty() {
                        return Err(TableError::Conflict(refused));
                    }
                    counters.extend(seen);
                }
            }
            if attempt < Pace::attempts() {
                self.pace.pause(attempt).await;
            }
        }
        Err(TableError::Throttled)
    }

    /// Sends one transaction. Its token makes a repeat of a lost answer the same transaction to the service.
    async fn commit(&self, members: Vec<Member>) -> Result<Attempt, TableError> {
        let (places, members): (Vec<_>, Vec<_>) = members.into_iter().unzip();
        let request = self
            .client
            .transact_write_items()
            .set_transact_items(Some(members))
            .client_request_token(self.pace.token());
        let Err(exhausted) = self.pace.call(true, || request.clone().send()).await else {
            return Ok(Attempt::Committed);
        };
        match exhausted.error.as_service_error() {
            // Had an earlier attempt committed, the service would have said so now: the token is good for ten minutes.
            Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => self.canceled(&places, canceled),
            _ => Err(write_error(&exhausted)),
        }
    }

    /// Reads why a transaction was canceled; the reasons stand in the order of its members.
    fn canceled(&self, places: &[usize], canceled: &TransactionCanceledException) -> Result<Attempt, TableError> {
        let reasons = canceled.cancellation_reasons();
        let failed: Vec<Conflicted> = places
            .iter()
            .zip(reasons)
            .filter(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"))
            .map(|(place, reason)| {
                let current = reason.item.clone().filter(|item| !item.is_empty()).map(layout::read).transpose()?;
                Ok(Conflicted { index: *place, current: self.live(current) })
            })
            .collect::<Result<_, TableError>>()?;
        if !failed.is_empty() {
            return Ok(Attempt::Failed(failed));
        }
        if reasons.iter().any(is_busy) {
            return Ok(Attempt::Busy);
        }
        let reason = reasons.iter().find(|reason| !matches!(reason.code(), None | Some("None")));
        let story = reason.and_then(CancellationReason::message).unwrap_or("the transaction was canceled");
        Err(TableError::Invalid(story.to_owned()))
    }

    fn members(&self, writes: &[Write], heard: Heard, counters: &Counters) -> Result<Vec<Member>, TableError> {
        let now = self.clock.now();
        let mut members = Vec::with_capacity(writes.len());
        for (place, write) in writes.iter().enumerate() {
            let (table, _) = write.address();
            let name = self.name(table)?;
            let first = member(name, (write, heard), counters.get(&place), now);
            members.extend(first.into_iter().chain(further_copies(name, write)).map(|member| (place, member)));
        }
        Ok(members)
    }
}

fn is_busy(reason: &CancellationReason) -> bool {
    let busy = ["TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError"];
    reason.code().is_some_and(|code| busy.contains(&code))
}

/// Tells conflicts from counters to which the service cannot add by itself.
fn judge(writes: &[Write], failed: Vec<Conflicted>) -> Result<(Vec<Conflicted>, Counters), TableError> {
    let mut refused = Vec::new();
    let mut counters = Counters::new();
    for conflicted in failed {
        let Write::Add { key, amount, at_most, .. } = &writes[conflicted.index] else {
            refused.push(conflicted);
            continue;
        };
        match counter::add(key, conflicted.current.as_ref(), *amount, *at_most)? {
            Sum::Above => refused.push(conflicted),
            Sum::Within(becomes) => {
                counters.insert(conflicted.index, Rewrite { seen: conflicted.current, becomes });
            }
        }
    }
    Ok((refused, counters))
}

/// A write as the service takes it, or none if it neither changes nor requires anything.
fn member(
    name: &str,
    (write, heard): (&Write, Heard),
    rewrite: Option<&Rewrite>,
    now: Timestamp,
) -> Option<TransactWriteItem> {
    let expected = |expect: Expect| Condition::expect(expect, now);
    let member = TransactWriteItem::builder();
    let member = match (write, rewrite) {
        (Write::Put { table, item, expect }, _) => {
            member.put(put(name, layout::write_to(*table, item, heard), expected(*expect)))
        }
        (Write::Delete { key, expect, .. }, _) => member.delete(delete(name, layout::key(key), expected(*expect))),
        (Write::Check { key, expect, .. }, _) => member.condition_check(check(name, key, expected(*expect)?)),
        (Write::Add { key, amount, at_most, .. }, None) => {
            member.update(add(name, key, *amount, Condition::adds(*amount, *at_most, now)))
        }
        (Write::Add { .. }, Some(Rewrite { seen, becomes })) => {
            let condition = match seen {
                Some(seen) => Some(Condition::unchanged(seen, now)),
                None => expected(Expect::Absent),
            };
            member.put(put(name, layout::write(becomes), condition))
        }
    };
    Some(member.build())
}

/// The writes of an item's copies but the first, on which alone conditions are.
fn further_copies(name: &str, write: &Write) -> Vec<TransactWriteItem> {
    let member = TransactWriteItem::builder;
    match write {
        Write::Put { item, .. } => (1..copies_of(&item.key))
            .map(|copy| member().put(put(name, copies::write(item, copy), None)).build())
            .collect(),
        Write::Delete { key, .. } => (1..copies_of(key))
            .map(|copy| member().delete(delete(name, copies::key(key, copy), None)).build())
            .collect(),
        Write::Check { .. } | Write::Add { .. } => Vec::new(),
    }
}

fn put(name: &str, item: Attributes, condition: Option<Condition>) -> Put {
    let (expression, values) = parts(condition);
    Put::builder()
        .table_name(name)
        .set_item(Some(item))
        .set_condition_expression(expression)
        .set_expression_attribute_values(values)
        .return_values_on_condition_check_failure(ALL_OLD)
        .build()
        .expect("all that is required is set")
}

fn delete(name: &str, key: Attributes, condition: Option<Condition>) -> Delete {
    let (expression, values) = parts(condition);
    Delete::builder()
        .table_name(name)
        .set_key(Some(key))
        .set_condition_expression(expression)
        .set_expression_attribute_values(values)
        .return_values_on_condition_check_failure(ALL_OLD)
        .build()
        .expect("all that is required is set")
}

fn check(name: &str, key: &Key, condition: Condition) -> ConditionCheck {
    ConditionCheck::builder()
        .table_name(name)
        .set_key(Some(layout::key(key)))
        .condition_expression(condition.expression)
        .set_expression_attribute_values(Some(condition.values))
        .return_values_on_condition_check_failure(ALL_OLD)
        .build()
        .expect("all that is required is set")
}

fn add(name: &str, key: &Key, amount: i64, condition: Condition) -> Update {
    Update::builder()
        .table_name(name)
        .set_key(Some(layout::key(key)))
        .update_expression(ADD)
        .condition_expression(condition.expression)
        .set_expression_attribute_values(Some(with_amount(condition.values, amount)))
        .return_values_on_condition_check_failure(ALL_OLD)
        .build()
        .expect("all that is required is set")
}

fn parts(condition: Option<Condition>) -> (Option<String>, Option<Attributes>) {
    condition.map(|condition| (condition.expression, condition.values)).unzip()
}
