//! Writes of one item: half the price of a transaction.

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use pawl_runtime::ports::{Conflicted, Consistency, Expect, Item, Key, Table, TableError, Write};

use super::condition::Condition;
use super::counter::{self, Sum};
use super::layout::{self, Attributes, Heard, number};
use super::transact::{Counters, Rewrite};
use super::{DynamoTables, write_error};
use crate::pace::Exhausted;

/// What the service adds.
pub(super) const ADD: &str = "ADD n :amount, v :one";

impl DynamoTables {
    pub(super) async fn write_one(&self, write: Write, heard: Heard) -> Result<(), TableError> {
        match write {
            Write::Put { table, item, expect } => self.put(table, item, expect, heard).await,
            Write::Delete { table, key, expect } => self.delete(table, &key, expect).await,
            Write::Check { table, key, expect } => self.check(table, &key, expect).await,
            Write::Add { table, key, amount, at_most } => self.add(table, key, amount, at_most).await,
        }
    }

    /// A put that expects no item or another version can be repeated when its answer was lost: had it been carried
    /// out, its own expectation fails, and what stands there is what it wrote.
    async fn put(&self, table: Table, item: Item, expect: Expect, heard: Heard) -> Result<(), TableError> {
        let condition = Condition::expect(expect, self.clock.now());
        let request = self
            .client
            .put_item()
            .table_name(self.name(table)?)
            .set_item(Some(layout::write_to(table, &item, heard)))
            .set_condition_expression(condition.as_ref().map(|condition| condition.expression.clone()))
            .set_expression_attribute_values(condition.map(|condition| condition.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let repeatable = match expect {
            Expect::Absent => true,
            Expect::Version(version) => version != item.version,
            Expect::Any | Expect::Present => false,
        };
        match self.pace.call(repeatable, || request.clone().send()).await {
            Ok(_) => Ok(()),
            Err(exhausted) => match exhausted.error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                    let current = current(failed)?;
                    if exhausted.in_doubt && current.as_ref() == Some(&in_order(item)) {
                        return Ok(());
                    }
                    self.lost(current, &exhausted)
                }
                _ => Err(write_error(&exhausted)),
            },
        }
    }

    /// A delete is not repeated when its answer was lost: that nothing stands there does not say who removed it.
    async fn delete(&self, table: Table, key: &Key, expect: Expect) -> Result<(), TableError> {
        let condition = Condition::expect(expect, self.clock.now());
        let request = self
            .client
            .delete_item()
            .table_name(self.name(table)?)
            .set_key(Some(layout::key(key)))
            .set_condition_expression(condition.as_ref().map(|condition| condition.expression.clone()))
            .set_expression_attribute_values(condition.map(|condition| condition.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match self.pace.call(false, || request.clone().send()).await {
            Ok(_) => Ok(()),
            Err(exhausted) => match exhausted.error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(failed)) => {
                    self.lost(current(failed)?, &exhausted)
                }
                _ => Err(write_error(&exhausted)),
            },
        }
    }

    async fn check(&self, table: Table, key: &Key, expect: Expect) -> Result<(), TableError> {
        if expect == Expect::Any {
            return Ok(());
        }
        let current = self.read_one(table, key, Consistency::Strong).await?;
        if expect.holds(current.as_ref().map(|item| item.version)) { Ok(()) } else { Err(conflict(current)) }
    }

    /// Adding cannot be repeated when its answer was lost; inside a larger transaction it can.
    async fn add(&self, table: Table, key: Key, amount: i64, at_most: Option<i64>) -> Result<(), TableError> {
        let condition = Condition::adds(amount, at_most, self.clock.now());
        let request = self
            .client
            .update_item()
            .table_name(self.name(table)?)
            .set_key(Some(layout::key(&key)))
            .update_expression(ADD)
            .condition_expression(condition.expression)
            .set_expression_attribute_values(Some(with_amount(condition.values, amount)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(exhausted) = self.pace.call(false, || request.clone().send()).await else { return Ok(()) };
        let Some(UpdateItemError::ConditionalCheckFailedException(failed)) = exhausted.error.as_service_error() else {
            return Err(write_error(&exhausted));
        };
        let current = self.live(current(failed)?);
        match counter::add(&key, current.as_ref(), amount, at_most)? {
            Sum::Above => Err(conflict(current)),
            Sum::Within(becomes) => {
                let counters = Counters::from([(0, Rewrite { seen: current, becomes })]);
                self.write_many(&[Write::Add { table, key, amount, at_most }], Heard::Perhaps, counters).await
            }
        }
    }

    /// The error of a write whose expectation failed.
    fn lost<E>(&self, current: Option<Item>, exhausted: &Exhausted<E>) -> Result<(), TableError> {
        if exhausted.in_doubt {
            let story = "an answer was lost, and then the expectation failed".to_owned();
            return Err(TableError::Unknown(story));
        }
        Err(conflict(self.live(current)))
    }
}

/// The values of an addition: those of its condition, and what is added.
pub(super) fn with_amount(mut values: Attributes, amount: i64) -> Attributes {
    values.insert(":amount".to_owned(), number(amount));
    values.insert(":one".to_owned(), number(1));
    values
}

/// An item with its index entries in the order in which they are read back.
fn in_order(mut item: Item) -> Item {
    item.indexes.sort_by_key(|entry| entry.index);
    item
}

fn current(failed: &ConditionalCheckFailedException) -> Result<Option<Item>, TableError> {
    failed.item.clone().map(layout::read).transpose()
}

fn conflict(current: Option<Item>) -> TableError {
    TableError::Conflict(vec![Conflicted { index: 0, current }])
}
