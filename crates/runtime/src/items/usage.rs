//! What models cost a workflow in one day, UTC.
//!
//! It is counted in blocks, one of them for each execution, and is their sum: calls of many executions at once would contend
//! for one item. Their number does not depend on the budget, so an edit of it forgets nothing.

use jiff::Timestamp;
use pawl_engine::{Execution, Usage, ids};

use super::{Erasure, Kept, Retention, Unreadable, unreadable};
use crate::ports::rules::read_counter;
use crate::ports::{Item, Key, Table, Write};

/// The table.
pub const TABLE: Table = Table::Executions;

/// How long it is kept, and what of a person it may hold.
pub const KEPT: Kept = Kept::new(Retention::Forever, Erasure::Nothing);

/// Blocks of one day: with a thousand calls a second, each has about sixty transactions a second. Stored, do not lower.
pub const BLOCKS: u8 = 16;

/// The keys of the counters of a day, of all blocks: tokens, and millionths of a US dollar, of each in turn.
pub fn keys(workflow: &str, now: Timestamp) -> Vec<Key> {
    (0..BLOCKS).flat_map(|block| keys_of(workflow, now, block)).collect()
}

/// Those of one block.
fn keys_of(workflow: &str, now: Timestamp, block: u8) -> [Key; 2] {
    let day = now.strftime("%Y-%m-%d");
    let partition = if block == 0 { format!("usage#{workflow}") } else { format!("usage#{workflow}#{block}") };
    [Key::new(&partition, format!("{day}#tokens")), Key::new(&partition, format!("{day}#microusd"))]
}

/// Adds what an execution has used to the day.
pub fn writes(execution: &Execution, now: Timestamp, usage: Usage) -> Vec<Write> {
    let [tokens, microusd] = keys_of(&execution.workflow, now, ids::one_of(&["usage", &execution.id], BLOCKS));
    added([tokens, microusd], usage).to_vec()
}

/// Adds to a pair of counters: tokens, and millionths of a US dollar.
pub(super) fn added([tokens, microusd]: [Key; 2], usage: Usage) -> [Write; 2] {
    let add = |key, amount| Write::Add { table: TABLE, key, amount, at_most: None };
    [add(tokens, i64::try_from(usage.tokens).unwrap_or(i64::MAX)), add(microusd, micro(usage.usd))]
}

#[expect(clippy::cast_possible_truncation, reason = "a model call costs far below 2^63 millionths of a dollar")]
fn micro(usd: f64) -> i64 {
    (usd * 1e6).round() as i64
}

/// Reads counters in the order of their keys, tokens and millionths of a US dollar in turn; what is not there is 0.
pub fn parse(items: &[Option<Item>]) -> Result<Usage, Unreadable> {
    let sum = |first: usize| {
        let mut counters = items.iter().skip(first).step_by(2).flatten();
        counters.try_fold(0_u64, |sum, item| counter(item).map(|count| sum.saturating_add(count)))
    };
    #[expect(clippy::cast_precision_loss, reason = "millionths of a dollar below 2^53")]
    let usd = sum(1)? as f64 / 1e6;
    Ok(Usage { tokens: sum(0)?, usd, ..Usage::default() })
}

/// The value of a counter item. One that cannot be read is not 0: a limit would be passed.
pub fn counter(item: &Item) -> Result<u64, Unreadable> {
    let count = read_counter(&item.body).map_err(|_| unreadable(item, "not a counter"))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{execution, few, time, workflow_id};
    use crate::items::kept_of;
    use crate::ports::rules::{add_to_counter, counter_body, validate_key};

    /// A counter as a store leaves it.
    fn stored(key: &Key, amounts: impl Iterator<Item = i64>) -> Option<Item> {
        let count = |body: Option<String>, amount| {
            let count = add_to_counter(body.as_deref(), amount, None).expect("it is a counter");
            Some(counter_body(count.expect("it has no bound")))
        };
        let body = amounts.fold(None, count)?;
        Some(Item { key: key.clone(), version: 1, indexes: Vec::new(), expires_at: None, body })
    }

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn a_day_is_read_as_the_sum_of_what_was_added(
            calls in vec((execution(), 0_u64..1 << 40, 0_u64..1 << 40), 0..6), workflow in workflow_id(), now in time(),
        ) {
            #[expect(clippy::cast_precision_loss, reason = "millionths of a dollar below 2^53")]
            let usage = |(tokens, microusd): (u64, u64)| Usage { tokens, usd: microusd as f64 / 1e6, estimated: false };
            let of = |execution: &Execution| Execution { workflow: workflow.clone(), ..execution.clone() };
            let write = |(execution, tokens, microusd): &(_, _, _)| writes(&of(execution), now, usage((*tokens, *microusd)));
            let writes: Vec<_> = calls.iter().flat_map(write).collect();
            let counters: Vec<_> = keys(&workflow, now).into_iter().map(|key| {
                let amounts = writes.iter().filter_map(|write| match write {
                    Write::Add { key: counter, amount, at_most: None, .. } if *counter == key => Some(*amount),
                    _ => None,
                });
                stored(&key, amounts)
            }).collect();
            let sum = calls.iter().fold((0, 0), |sum, call| (sum.0 + call.1, sum.1 + call.2));
            prop_assert!(counters.iter().flatten().all(|item| kept_of(TABLE, item) == Some(KEPT)));
            prop_assert_eq!(parse(&counters), Ok(usage(sum)));
        }

        #[test]
        fn each_day_of_a_workflow_has_counters_of_its_own(
            one in (workflow_id(), time()), other in (workflow_id(), time()),
        ) {
            let of = |(workflow, at): &(String, Timestamp)| keys(workflow, *at).into_iter().collect::<BTreeSet<_>>();
            prop_assert!(of(&one).iter().all(|key| validate_key(key).is_ok()));
            prop_assert_eq!(of(&one).len(), 2 * usize::from(BLOCKS));
            let day = |at: Timestamp| at.as_second().div_euclid(24 * 60 * 60);
            let same = one.0 == other.0 && day(one.1) == day(other.1);
            prop_assert_eq!(of(&one) == of(&other), same);
            prop_assert_eq!(of(&one).is_disjoint(&of(&other)), !same);
        }
    }
}
