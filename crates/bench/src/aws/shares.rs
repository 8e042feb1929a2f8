//! Arithmetic: to what share of its limit each partition, quota and function comes at a rate of executions.

use std::collections::BTreeMap;

use super::capacity::Units;
use super::limits;
use super::partitions::{Partition, Partitions};

/// Partitions of one that is spread, and copies of an item: see ADR 13.
const PARTS: f64 = 16.0;

/// Blocks of the counters of a limit of 1,000, by sort key: see ADR 16. A test of `pawl-runtime` holds the numbers.
const BLOCKS: [(&str, f64); 2] = [("slots", 32.0), ("spacing", 20.0)];

/// What was counted of some executions.
#[derive(Debug, Clone, Default)]
pub(super) struct Counted {
    /// How many they were.
    pub(super) executions: f64,
    /// Units by partition.
    pub(super) partitions: Partitions,
    /// Invocations and seconds, by function.
    pub(super) functions: BTreeMap<String, Invoked>,
    /// The functions that take messages, by queue.
    pub(super) queues: BTreeMap<String, String>,
    /// Requests to the HTTP API.
    pub(super) requests: f64,
    /// Schedules that were created.
    pub(super) schedules: f64,
}

/// What was counted of a function.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Invoked {
    /// Times.
    pub(super) times: f64,
    /// Billed, in all.
    pub(super) seconds: f64,
}

/// What one execution takes of something that has a limit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Share {
    /// Of what.
    pub(super) what: String,
    /// How much of it: what is counted, or seconds of what is taken at once.
    pub(super) each: f64,
    /// How much there is.
    pub(super) limit: f64,
    /// Of what there is so much.
    pub(super) unit: &'static str,
}

impl Share {
    /// The share of the limit at so many executions a second; above 1 it is exceeded.
    pub(super) fn at(&self, rate: f64) -> f64 {
        self.each * rate / self.limit
    }
}

/// The shares of all limits, the largest first.
pub(super) fn shares(counted: &Counted) -> Vec<Share> {
    let mut shares = of_partitions(counted);
    shares.extend(of_items(counted));
    shares.extend(of_tables(counted));
    shares.extend(of_functions(counted));
    let each = |what: &str, unit, used: f64, limit| Share {
        what: what.to_owned(),
        unit,
        each: used / counted.executions,
        limit,
    };
    shares.push(each("HTTP API", "requests a second", counted.requests, limits::HTTP_API));
    shares.push(each("Scheduler, created", "schedules a second", counted.schedules, limits::SCHEDULES));
    // Each that is created is due once.
    shares.push(each("Scheduler, due", "schedules a second", counted.schedules, limits::DUE_SCHEDULES));
    shares.retain(|share| share.each > 0.0);
    shares.sort_by(|a, b| b.at(1.0).total_cmp(&a.at(1.0)).then_with(|| a.what.cmp(&b.what)));
    shares
}

/// Partitions that several executions share, those of one that is spread together: each has its part of what they take.
fn of_partitions(counted: &Counted) -> Vec<Share> {
    let mut families = BTreeMap::<Partition, (Units, bool)>::new();
    for (partition, units) in &counted.partitions.units {
        let (key, is_part) = family(&partition.key);
        if is_own(key) {
            continue;
        }
        let together = families.entry(Partition { key: key.to_owned(), ..partition.clone() }).or_default();
        together.0 += *units;
        together.1 |= is_part;
    }
    let mut shares = Vec::new();
    for (partition, (units, is_spread)) in families {
        let parts = if is_spread { PARTS } else { 1.0 };
        let of = if is_spread { ", each of 16" } else { "" };
        let what = format!("partition `{}` of {}{of}", partition.key, place(&partition));
        let each =
            |unit, used: f64, limit| Share { what: what.clone(), unit, each: used / counted.executions / parts, limit };
        shares.push(each("write units a second", units.writes, limits::PARTITION_WRITES));
        shares.push(each("read units a second", units.reads, limits::PARTITION_READS));
    }
    shares
}

/// Items that many executions write in their transactions, those of one counter together: each block has its part.
fn of_items(counted: &Counted) -> Vec<Share> {
    let mut items = BTreeMap::<(Partition, &str), f64>::new();
    for ((partition, sort), times) in &counted.partitions.transactions {
        let (key, _) = family(&partition.key);
        if !is_own(key) && !is_own(sort) {
            *items.entry((Partition { key: key.to_owned(), ..partition.clone() }, sort)).or_default() += times;
        }
    }
    let common = items.into_iter().filter(|(_, times)| *times >= counted.executions / 2.0);
    let share = |((partition, sort), times): ((Partition, &str), f64)| {
        let blocks = BLOCKS.iter().find(|(counter, _)| *counter == sort).map_or(1.0, |(_, blocks)| *blocks);
        let of = if blocks > 1.0 { format!(", each of {blocks}") } else { String::new() };
        let what = format!("item `{}` / `{sort}` of {}{of}", partition.key, place(&partition));
        let each = times / counted.executions / blocks;
        Share { what, unit: "transactions a second", each, limit: limits::ITEM_TRANSACTIONS }
    };
    common.map(share).collect()
}

/// Tables and indexes as a whole.
fn of_tables(counted: &Counted) -> Vec<Share> {
    let mut tables = BTreeMap::<String, Units>::new();
    for (partition, units) in &counted.partitions.units {
        *tables.entry(place(partition)).or_default() += *units;
    }
    let each = |what: &str, unit, used: f64, limit| Share {
        what: what.to_owned(),
        unit,
        each: used / counted.executions,
        limit,
    };
    tables
        .iter()
        .flat_map(|(table, units)| {
            [
                each(table, "write units a second", units.writes, limits::TABLE_WRITES),
                each(table, "read units a second", units.reads, limits::TABLE_READS),
            ]
        })
        .collect()
}

/// Functions, each with the queue that it is woken by: a message is in flight as long as its function works.
fn of_functions(counted: &Counted) -> Vec<Share> {
    let each = |what: String, unit, used: f64, limit| Share { what, unit, each: used / counted.executions, limit };
    let mut shares = Vec::new();
    let mut all = Invoked::default();
    for (function, invoked) in &counted.functions {
        all.times += invoked.times;
        all.seconds += invoked.seconds;
        shares.push(each(format!("function `{function}`"), "at once", invoked.seconds, limits::CONCURRENCY));
    }
    for (queue, function) in &counted.queues {
        let seconds = counted.functions.get(function).map_or(0.0, |invoked| invoked.seconds);
        shares.push(each(format!("queue `{queue}`"), "in flight", seconds, limits::IN_FLIGHT));
    }
    shares.push(each("all functions".to_owned(), "at once", all.seconds, limits::CONCURRENCY));
    shares.push(each("all functions".to_owned(), "invocations a second", all.times, limits::INVOCATIONS));
    shares
}

/// The table or index of a partition, without what `CloudFormation` adds to its name.
pub(super) fn place(partition: &Partition) -> String {
    let table = ["Workflows", "Executions", "Records", "Keys"].into_iter().find(|name| partition.table.contains(name));
    let table = table.unwrap_or(&partition.table).to_lowercase();
    partition.index.map_or_else(|| format!("table {table}"), |index| format!("index{index} of {table}"))
}

/// The partition of which this one is a part or a copy, and whether its name says that it is one.
fn family(key: &str) -> (&str, bool) {
    if let Some((_, original)) = key.strip_prefix("copy#").and_then(|rest| rest.split_once('#')) {
        return (original, true);
    }
    let is_number = |part: &str| part.len() <= 2 && !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, is_part) = match key.rsplit_once('|') {
        Some((whole, part)) if is_number(part) => (whole, true),
        _ => (key, false),
    };
    match whole.rsplit_once('#') {
        // A block of a counter, of which there are sixteen or more.
        Some((counter, block)) if counter.contains('#') && whole.starts_with("guard#") && is_number(block) => {
            (counter, true)
        }
        _ => (whole, is_part),
    }
}

/// Whether a partition is that of one execution, event or record alone: however many there are, each takes its own only.
pub(super) fn is_own(key: &str) -> bool {
    ["exe_", "evt_", "rec_"].iter().any(|id| {
        let digest = key.split_once(id).map_or("", |(_, rest)| rest);
        digest.bytes().take_while(u8::is_ascii_hexdigit).count() >= 16
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "exe_00112233445566778899aabbccddeeff";

    fn units(writes: f64, reads: f64) -> Units {
        Units { writes, reads }
    }

    /// Ten executions.
    fn counted(partitions: &[(Option<u8>, &str, Units)]) -> Counted {
        let mut counted = Counted { executions: 10.0, ..Counted::default() };
        for (index, key, units) in partitions {
            counted.partitions.add("pawl-ExecutionsTable-1X", *index, key, *units);
        }
        counted
    }

    fn find<'a>(shares: &'a [Share], what: &str, unit: &str) -> &'a Share {
        let share = shares.iter().find(|share| share.what == what && share.unit == unit);
        share.unwrap_or_else(|| panic!("no {unit} of {what} in {shares:#?}"))
    }

    fn is(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "expected {expected}, found {found}");
    }

    #[test]
    fn a_partition_that_all_share_is_full_at_a_thousand_writes_a_second() {
        let shares = shares(&counted(&[(Some(3), "moving", units(20.0, 0.0))]));
        let moving = find(&shares, "partition `moving` of index3 of executions", "write units a second");
        is(moving.each, 2.0);
        is(moving.at(500.0), 1.0);
        is(moving.at(1_000.0), 2.0);
        is(find(&shares, "index3 of executions", "write units a second").at(1_000.0), 0.05);
    }

    #[test]
    fn one_that_is_spread_has_a_sixteenth_of_the_load_however_it_fell() {
        let parts = [(Some(3), "moving|03", units(18.0, 0.0)), (Some(3), "moving|15", units(2.0, 0.0))];
        let shares = shares(&counted(&parts));
        is(
            find(&shares, "partition `moving` of index3 of executions, each of 16", "write units a second").at(1_000.0),
            0.125,
        );
        is(find(&shares, "index3 of executions", "write units a second").at(1_000.0), 0.05);
    }

    #[test]
    fn copies_share_the_reads_of_their_item() {
        let read = [(None, "installation", units(0.0, 2.0)), (None, "copy#07#installation", units(0.0, 58.0))];
        let shares = shares(&counted(&read));
        let controls = find(&shares, "partition `installation` of table executions, each of 16", "read units a second");
        is(controls.at(1_000.0), 0.125);
    }

    #[test]
    fn an_item_takes_a_hundred_transactions_a_second_and_a_counter_as_many_for_each_block() {
        let mut counted = counted(&[]);
        let mut transacted = |pk: &str, sk: &str, times: u32| {
            for _ in 0..times {
                let item = serde_json::json!({"pk": {"S": pk}, "sk": {"S": sk}});
                let item = item.as_object().expect("an item is an object");
                counted.partitions.transacted("pawl-ExecutionsTable-1X", item);
            }
        };
        transacted("guard#w|07", "slots", 8);
        transacted("guard#w#31|02", "slots", 12);
        transacted("guard#v|01", "last", 10);
        transacted("record#item|01", "item-7", 2);
        transacted(&format!("execution#{ID}"), "head", 30);
        let found = of_items(&counted);
        let [last, slots] = &found[..] else { panic!("an item of one execution is no limit of many: {found:#?}") };
        assert_eq!(last.what, "item `guard#v` / `last` of table executions");
        is(last.at(100.0), 1.0);
        assert_eq!(slots.what, "item `guard#w` / `slots` of table executions, each of 32");
        is(slots.at(1_000.0), 0.625);
    }

    #[test]
    fn what_an_execution_has_for_itself_is_no_limit_of_many() {
        let own =
            [(None, format!("execution#{ID}"), 140.0), (Some(2), "record#item/rec_0011223344556677".to_owned(), 10.0)];
        let own: Vec<_> = own.iter().map(|(index, key, writes)| (*index, key.as_str(), units(*writes, 0.0))).collect();
        let shares = shares(&counted(&own));
        assert!(shares.iter().all(|share| !share.what.contains("partition")), "{shares:#?}");
        is(find(&shares, "table executions", "write units a second").at(1_000.0), 0.35);
    }

    #[test]
    fn functions_and_their_queues_are_taken_for_as_long_as_they_work() {
        let mut counted = counted(&[]);
        let invoked = |times, seconds| Invoked { times, seconds };
        counted.functions = [("step-executor", invoked(10.0, 0.5)), ("trigger-evaluator", invoked(30.0, 1.5))]
            .map(|(name, invoked)| (name.to_owned(), invoked))
            .into();
        counted.queues = [("jobs".to_owned(), "step-executor".to_owned())].into();
        (counted.requests, counted.schedules) = (10.0, 40.0);
        let shares = shares(&counted);
        is(find(&shares, "function `step-executor`", "at once").at(1_000.0), 0.05);
        is(find(&shares, "all functions", "at once").at(1_000.0), 0.2);
        is(find(&shares, "all functions", "invocations a second").at(1_000.0), 0.4);
        is(find(&shares, "queue `jobs`", "in flight").at(1_000.0), 50.0 / 120_000.0);
        is(find(&shares, "HTTP API", "requests a second").at(1_000.0), 0.1);
        is(find(&shares, "Scheduler, created", "schedules a second").at(1_000.0), 0.8);
        is(find(&shares, "Scheduler, due", "schedules a second").at(1_000.0), 4.0);
        assert_eq!(shares[0].what, "Scheduler, due", "the largest share is first");
    }
}
