//! A part of what a partition of `DynamoDB` takes: requests beyond it are throttled, as the service throttles them.
//!
//! What a request takes is known when it is answered. So a partition that has taken more than there was is refused until as
//! much time has passed as it took too much. There is no more in store than a second's worth: the service lends more to a
//! partition only up to what it takes at most, and that is what is scaled here.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::capacity::{Tables, Units};
use super::limits;
use super::partitions::{Partition, Partitions};
use super::proxy::Call;
use super::shares::is_own;

/// Operations that write.
const WRITES: [&str; 4] = ["PutItem", "DeleteItem", "UpdateItem", "TransactWriteItems"];

/// What is left of one partition.
#[derive(Debug, Clone, Copy)]
struct Left {
    units: Units,
    at: Instant,
}

/// Lets requests pass as long as their partitions have something left.
pub(super) struct Gate {
    tables: Tables,
    /// Units that a partition takes in a second.
    limit: Units,
    left: BTreeMap<Partition, Left>,
    taken: Partitions,
    refused: BTreeMap<Partition, u32>,
}

impl Gate {
    /// With this part of what a partition takes, over tables as they are.
    pub(super) fn new(part: f64, tables: Tables) -> Self {
        let limit = Units { writes: limits::PARTITION_WRITES * part, reads: limits::PARTITION_READS * part };
        Self { tables, limit, left: BTreeMap::new(), taken: Partitions::default(), refused: BTreeMap::new() }
    }

    /// Why a request is throttled, as the service says it; nothing of one that passes.
    pub(super) fn refuses(&mut self, call: &Call) -> Option<Value> {
        self.refuses_at(call, Instant::now())
    }

    fn refuses_at(&mut self, call: &Call, now: Instant) -> Option<Value> {
        if call.service != "dynamodb" {
            return None;
        }
        let is_write = WRITES.contains(&call.operation.as_str());
        let members = self.members(call);
        let exhausted = |member: &Vec<Partition>| {
            member.iter().find(|partition| self.is_exhausted(partition, is_write, now)).cloned()
        };
        let exhausted: Vec<Option<Partition>> = members.iter().map(exhausted).collect();
        exhausted.iter().flatten().next()?;
        for partition in exhausted.iter().flatten() {
            *self.refused.entry(partition.clone()).or_default() += 1;
        }
        Some(refusal(&call.operation, &exhausted))
    }

    /// The partitions of each member; those of a batch of reads are one: the service would answer some of its keys, and as
    /// soon as none of them is answered the whole of it is refused.
    fn members(&self, call: &Call) -> Vec<Vec<Partition>> {
        if call.operation != "BatchGetItem" {
            return self.tables.touched(&call.operation, &call.request);
        }
        let mut all = Vec::new();
        for (table, asked) in call.request["RequestItems"].as_object().into_iter().flatten() {
            for key in asked["Keys"].as_array().into_iter().flatten() {
                let request = json!({"TableName": table, "Key": key});
                all.extend(self.tables.touched("GetItem", &request).into_iter().flatten());
            }
        }
        vec![all]
    }

    /// What an execution has for itself is not scaled: a load takes it of each of many.
    fn is_exhausted(&self, partition: &Partition, is_write: bool, now: Instant) -> bool {
        let Some(left) = self.left.get(partition).filter(|_| !is_own(&partition.key)) else { return false };
        let left = self.recovered(*left, now);
        if is_write { left.writes <= 0.0 } else { left.reads <= 0.0 }
    }

    /// What is left by now.
    fn recovered(&self, left: Left, now: Instant) -> Units {
        let seconds = now.saturating_duration_since(left.at).as_secs_f64();
        Units {
            writes: (left.units.writes + seconds * self.limit.writes).min(self.limit.writes),
            reads: (left.units.reads + seconds * self.limit.reads).min(self.limit.reads),
        }
    }

    /// Takes what a request that passed took of its partitions.
    pub(super) fn passed(&mut self, call: &Call) {
        self.passed_at(call, Instant::now());
    }

    fn passed_at(&mut self, call: &Call, now: Instant) {
        if call.service != "dynamodb" || call.status != 200 {
            return;
        }
        self.tables.count(&call.operation, &call.request, &call.answer);
        for (partition, units) in self.tables.partitions().units {
            let present = self.left.get(&partition).map_or(self.limit, |left| self.recovered(*left, now));
            let units_left = Units { writes: present.writes - units.writes, reads: present.reads - units.reads };
            self.left.insert(partition.clone(), Left { units: units_left, at: now });
            self.taken.add(&partition.table, partition.index, &partition.key, units);
        }
    }

    /// What each partition that several executions share took, how often it was refused, and what it takes in a second.
    pub(super) fn report(&self, over: Duration) -> Vec<Taken> {
        let shared = self.taken.units.iter().filter(|(partition, _)| !is_own(&partition.key));
        let taken = shared.map(|(partition, units)| {
            let a_second = |units: f64| units / over.as_secs_f64();
            Taken {
                partition: partition.clone(),
                units: *units,
                writes: a_second(units.writes) / self.limit.writes,
                reads: a_second(units.reads) / self.limit.reads,
                refused: self.refused.get(partition).copied().unwrap_or_default(),
            }
        });
        taken.collect()
    }
}

/// What was taken of a partition.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    pub(super) partition: Partition,
    /// In all.
    pub(super) units: Units,
    /// Share of the write units that it takes in the time.
    pub(super) writes: f64,
    /// Share of the read units.
    pub(super) reads: f64,
    /// Requests that it was the reason to throttle.
    pub(super) refused: u32,
}

/// As the service throttles.
fn refusal(operation: &str, exhausted: &[Option<Partition>]) -> Value {
    let kind = |name: &str| format!("com.amazonaws.dynamodb.v20120810#{name}");
    let message = "the throughput of a partition is exceeded";
    if operation != "TransactWriteItems" {
        return json!({"__type": kind("ProvisionedThroughputExceededException"), "message": message});
    }
    let reason = |partition: &Option<Partition>| match partition {
        Some(_) => json!({"Code": "ProvisionedThroughputExceeded", "Message": message}),
        None => json!({"Code": "None"}),
    };
    let reasons: Vec<Value> = exhausted.iter().map(reason).collect();
    json!({"__type": kind("TransactionCanceledException"), "Message": message, "CancellationReasons": reasons})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(operation: &str, request: Value) -> Call {
        let now = Instant::now();
        Call {
            function: "step-executor",
            service: "dynamodb".to_owned(),
            operation: operation.to_owned(),
            begin: now,
            end: now,
            status: 200,
            request,
            answer: json!({}),
        }
    }

    fn put(partition: &str) -> Value {
        json!({"TableName": "t", "Item": {"pk": {"S": partition}, "sk": {"S": "a"}, "b": {"S": "x".repeat(4_000)}}})
    }

    fn after(seconds: f64, since: Instant) -> Instant {
        since + Duration::from_secs_f64(seconds)
    }

    #[test]
    fn a_partition_that_took_too_much_is_refused_until_it_has_recovered() {
        let (mut gate, now) = (Gate::new(0.01, Tables::default()), Instant::now());
        let write = call("PutItem", put("moving|00"));
        for _ in 0..3 {
            assert_eq!(gate.refuses_at(&write, now), None, "10 units, of which each takes 4");
            gate.passed_at(&write, now);
        }
        let refused = gate.refuses_at(&write, now).expect("it took 12");
        assert!(
            refused["__type"].as_str().is_some_and(|kind| kind.ends_with("ProvisionedThroughputExceededException"))
        );
        assert_eq!(gate.refuses_at(&call("PutItem", put("moving|01")), now), None, "another one has its own");
        assert!(gate.refuses_at(&write, after(0.1, now)).is_some());
        assert_eq!(gate.refuses_at(&write, after(0.3, now)), None);
        let report = gate.report(Duration::from_secs(2));
        let [taken] = &report[..] else { panic!("expected one partition, found {report:?}") };
        assert!((taken.writes - 0.6).abs() < 1e-9 && taken.refused == 2, "{taken:?}");
    }

    #[test]
    fn a_transaction_says_which_member_was_the_reason() {
        let (mut gate, now) = (Gate::new(0.001, Tables::default()), Instant::now());
        gate.passed_at(&call("PutItem", put("moving|00")), now);
        let members = json!({"TransactItems": [{"Put": put("other")}, {"Put": put("moving|00")}]});
        let refused = gate.refuses_at(&call("TransactWriteItems", members), now).expect("it is exhausted");
        assert_eq!(refused["CancellationReasons"][0]["Code"], "None");
        assert_eq!(refused["CancellationReasons"][1]["Code"], "ProvisionedThroughputExceeded");
    }

    #[test]
    fn reads_are_held_against_reads_and_what_an_execution_has_for_itself_against_nothing() {
        let (mut gate, now) = (Gate::new(0.0001, Tables::default()), Instant::now());
        let read = |partition: &str| {
            let key = json!({"pk": {"S": partition}, "sk": {"S": "a"}});
            call("BatchGetItem", json!({"RequestItems": {"t": {"Keys": [key], "ConsistentRead": true}}}))
        };
        let own = "execution#exe_00112233445566778899aabbccddeeff";
        for partition in ["installation", own] {
            gate.passed_at(&read(partition), now);
        }
        assert!(gate.refuses_at(&read("installation"), now).is_some());
        assert_eq!(gate.refuses_at(&read(own), now), None);
        assert_eq!(gate.refuses_at(&call("PutItem", put("installation")), now), None, "nothing was written");
    }
}
