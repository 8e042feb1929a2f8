//! What was used of AWS, and what it costs at list price.

use std::collections::BTreeMap;

use super::capacity::Units;
use super::prices;
use super::proxy::Call;

/// Bytes that the service adds to a log event.
const LOG_EVENT: f64 = 26.0;

/// What is billed: the name of the amount, the part of the bill, and the price of a million.
const BILLED: [(&str, &str, f64); 12] = [
    ("webhooks", "http_api", prices::HTTP_API_REQUESTS),
    ("invocations", "lambda_requests", prices::LAMBDA_REQUESTS),
    ("gb_seconds", "lambda_duration", prices::LAMBDA_GB_SECONDS),
    ("write_units", "dynamodb_writes", prices::DYNAMODB_WRITES),
    ("read_units", "dynamodb_reads", prices::DYNAMODB_READS),
    ("queue_requests", "sqs", prices::SQS_REQUESTS),
    ("schedules", "scheduler", prices::SCHEDULER_INVOCATIONS),
    ("puts", "s3", prices::S3_PUTS),
    ("gets", "s3", prices::S3_GETS),
    ("secrets", "secrets", prices::SECRET_READS),
    // A million megabytes have a price.
    ("log_bytes", "logs", prices::LOG_MEGABYTES / 1e6),
    ("traces", "traces", prices::TRACES),
];

/// Amounts by what they are amounts of; a difference has negative ones where less was used.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Used(BTreeMap<&'static str, f64>);

impl Used {
    /// Adds to an amount.
    pub(super) fn add(&mut self, what: &'static str, amount: f64) {
        *self.0.entry(what).or_default() += amount;
    }

    /// An amount.
    pub(super) fn amount(&self, what: &str) -> f64 {
        self.0.get(what).copied().unwrap_or_default()
    }

    /// Counts a request of a function with the units that it takes. A message that is sent is received and deleted as
    /// well, by Lambda, which asks once for what it hands over at once: here for each message, the dearest case.
    pub(super) fn asked(&mut self, call: &Call, units: Units) {
        self.add("write_units", units.writes);
        self.add("read_units", units.reads);
        match (call.service.as_str(), call.operation.as_str()) {
            ("sqs", operation) => {
                // A request for each 64 KB; ours are smaller.
                self.add("queue_requests", 1.0);
                let sent = match operation {
                    "SendMessageBatch" => call.request["Entries"].as_array().map_or(0, Vec::len),
                    "SendMessage" => 1,
                    _ => 0,
                };
                self.add("queue_requests", 2.0 * count(sent));
            }
            ("scheduler", "POST") => self.add("schedules", 1.0),
            ("s3", "PUT") => self.add("puts", 1.0),
            ("s3", "GET") => self.add("gets", 1.0),
            ("secretsmanager", _) => self.add("secrets", 1.0),
            _ => {}
        }
    }

    /// Counts what a function logged: its invocations, how long they took, and the lines themselves. The emulator writes
    /// lines about invocations, which the template has Lambda leave out (`SystemLogLevel`).
    pub(super) fn logged(&mut self, lines: &[String], gigabytes: f64) {
        for line in lines {
            if line.starts_with('{') {
                self.add("log_bytes", count(line.len()) + LOG_EVENT);
            }
            let Some(milliseconds) = billed(line) else { continue };
            self.add("invocations", 1.0);
            self.add("gb_seconds", milliseconds.ceil() / 1000.0 * gigabytes);
        }
    }

    /// Of each of so many.
    pub(super) fn each(&self, times: f64) -> Self {
        Self(self.0.iter().map(|(what, amount)| (*what, amount / times)).collect())
    }

    /// What is used beyond something else.
    pub(super) fn beyond(&self, other: &Self) -> Self {
        let names = self.0.keys().chain(other.0.keys());
        Self(names.map(|what| (*what, self.amount(what) - other.amount(what))).collect())
    }

    /// Dollars for a million times this, by part of the bill.
    pub(super) fn parts(&self) -> BTreeMap<&'static str, f64> {
        let mut parts = BTreeMap::<&'static str, f64>::new();
        for (what, part, price) in BILLED {
            *parts.entry(part).or_default() += self.amount(what) * price;
        }
        parts
    }

    /// Dollars for a million times this.
    pub(super) fn usd(&self) -> f64 {
        self.parts().values().sum()
    }
}

/// Milliseconds that a line about an invocation tells; none of other lines.
pub(super) fn billed(line: &str) -> Option<f64> {
    let (_, report) = line.split_once("Billed Duration: ")?;
    report.split(' ').next()?.parse().ok()
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use serde_json::{Value, json};

    use super::*;

    fn call(service: &str, operation: &str, request: Value) -> Call {
        let now = Instant::now();
        Call {
            function: "trigger-evaluator",
            service: service.to_owned(),
            operation: operation.to_owned(),
            begin: now,
            end: now,
            status: 200,
            request,
            answer: Value::Null,
        }
    }

    #[test]
    fn invocations_are_read_from_their_lines() {
        let report = "REPORT RequestId: 1 Duration: 12.30 ms Billed Duration: 13 ms Memory Size: 512 MB";
        assert_eq!(billed(report), Some(13.0));
        assert_eq!(billed("{\"message\":\"a line of ours\"}"), None);
    }

    #[test]
    fn a_message_is_sent_received_and_deleted() {
        let mut used = Used::default();
        used.asked(&call("sqs", "SendMessageBatch", json!({"Entries": [{}, {}]})), Units::default());
        assert!((used.amount("queue_requests") - 5.0).abs() < f64::EPSILON, "one request, and two for each message");
        assert!((used.parts()["sqs"] - 5.0 * prices::SQS_REQUESTS).abs() < 1e-9);
    }

    #[test]
    fn a_difference_is_what_is_used_beyond() {
        let mut less = Used::default();
        less.asked(&call("dynamodb", "PutItem", Value::Null), Units { writes: 10.0, reads: 4.0 });
        let mut more = less.clone();
        more.asked(&call("dynamodb", "PutItem", Value::Null), Units { writes: 4.0, reads: 0.0 });
        more.logged(&["{}".to_owned()], 0.5);
        let each = more.beyond(&less).each(4.0);
        let amounts = ["write_units", "read_units", "log_bytes"].map(|what| each.amount(what));
        assert!(amounts.iter().zip([1.0, 0.0, 7.0]).all(|(found, expected)| (found - expected).abs() < 1e-9));
        assert!((each.usd() - (prices::DYNAMODB_WRITES + 7.0 * prices::LOG_MEGABYTES / 1e6)).abs() < 1e-9);
    }
}
