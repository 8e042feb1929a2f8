//! What models cost a workflow in one day, UTC.

use jiff::Timestamp;
use pawl_engine::Usage;

use super::{Erasure, Kept, Retention, Unreadable, unreadable};
use crate::ports::rules::read_counter;
use crate::ports::{Item, Key, Table, Write};

/// The table.
pub const TABLE: Table = Table::Executions;

/// How long it is kept, and what of a person it may hold.
pub const KEPT: Kept = Kept::new(Retention::Forever, Erasure::Nothing);

/// The keys of the two counters of a day: tokens, and millionths of a US dollar.
pub fn keys(workflow: &str, now: Timestamp) -> [Key; 2] {
    let day = now.strftime("%Y-%m-%d");
    let partition = format!("usage#{workflow}");
    [Key::new(&partition, format!("{day}#tokens")), Key::new(&partition, format!("{day}#microusd"))]
}

/// Adds to the day.
pub fn writes(workflow: &str, now: Timestamp, usage: Usage) -> Vec<Write> {
    let [tokens, microusd] = keys(workflow, now);
    let add = |key, amount| Write::Add { table: TABLE, key, amount, at_most: None };
    vec![add(tokens, i64::try_from(usage.tokens).unwrap_or(i64::MAX)), add(microusd, micro(usage.usd))]
}

#[expect(clippy::cast_possible_truncation, reason = "a model call costs far below 2^63 millionths of a dollar")]
fn micro(usd: f64) -> i64 {
    (usd * 1e6).round() as i64
}

/// Reads the two counters; what is not there is 0.
pub fn parse(items: &[Option<Item>]) -> Result<Usage, Unreadable> {
    let count = |index: usize| items.get(index).and_then(Option::as_ref).map_or(Ok(0), counter);
    #[expect(clippy::cast_precision_loss, reason = "millionths of a dollar below 2^53")]
    let usd = count(1)? as f64 / 1e6;
    Ok(Usage { tokens: count(0)?, usd, ..Usage::default() })
}

/// The value of a counter item. One that cannot be read is not 0: a limit would be passed.
pub fn counter(item: &Item) -> Result<u64, Unreadable> {
    let count = read_counter(&item.body).map_err(|_| unreadable(item, "not a counter"))?;
    Ok(u64::try_from(count).unwrap_or(0))
}
