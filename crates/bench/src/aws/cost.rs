//! `aws-cost`: what one execution of `w5` asks of AWS, webhook included, at list price.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::capacity::{Tables, Units, Written};
use super::prices;
use super::proxy::Call;
use super::stack::FUNCTIONS;
use super::w5::{STEPS, Watched};

/// Executions before anything is counted: functions have started, workflows are in memory.
const WARM: usize = 10;
/// Executions that are counted.
const COUNTED: usize = 40;

/// How long nothing may be asked for before all is done: longer than it takes until a stream is read.
const QUIET: Duration = Duration::from_secs(3);

/// Bytes of a line of the access log, which the emulator does not write.
const ACCESS_LOG_LINE: f64 = 400.0;
/// Bytes that the service adds to a log event.
const LOG_EVENT: f64 = 26.0;

/// What was used, by what it is billed as.
#[derive(Default)]
struct Used {
    units: Units,
    invocations: f64,
    gb_seconds: f64,
    sqs: f64,
    schedules: f64,
    puts: f64,
    gets: f64,
    secrets: f64,
    log_bytes: f64,
}

/// Runs it.
pub(crate) async fn run() -> anyhow::Result<()> {
    let w5 = Watched::start().await?;
    for _ in 0..WARM {
        w5.run().await?;
    }
    let mut tables = Tables::default();
    for call in w5.settle(QUIET).await {
        tables.count(&call.operation, &call.request, &call.answer);
    }
    tables.written();
    let since = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    for _ in 0..COUNTED {
        w5.run().await?;
    }
    let calls = w5.settle(QUIET).await;
    let mut used = Used::default();
    let detail = count(&calls, &mut tables, &mut used);
    let memory = w5.stack.memory().await?;
    for function in FUNCTIONS.iter().filter(|name| **name != "sweeper" && **name != "api") {
        used.logged(&w5.stack.log(function, since).await?, memory[function]);
    }
    used.log_bytes += ACCESS_LOG_LINE * f64::from(u32::try_from(COUNTED)?);
    tell(&detail, &tables.written());
    print(&used)
}

/// Counts the requests of functions, and of the queues' mappings; what each kind of request costs in units.
fn count(calls: &[Call], tables: &mut Tables, used: &mut Used) -> BTreeMap<String, (f64, Units)> {
    let mut detail = BTreeMap::<String, (f64, Units)>::new();
    for call in calls.iter().filter(|call| call.function != "sweeper" && call.function != "api") {
        let units = if call.status == 200 {
            tables.count(&call.operation, &call.request, &call.answer)
        } else {
            Units::default()
        };
        used.units += units;
        match (call.service.as_str(), call.operation.as_str()) {
            // A request for each 64 KB; ours are smaller.
            ("sqs", _) => used.sqs += 1.0,
            ("scheduler", "POST") => used.schedules += 1.0,
            ("s3", "PUT") => used.puts += 1.0,
            ("s3", "GET") => used.gets += 1.0,
            ("secretsmanager", _) => used.secrets += 1.0,
            _ => {}
        }
        let entry = detail.entry(format!("{} {} {}", call.function, call.service, call.operation)).or_default();
        entry.0 += 1.0;
        entry.1 += units;
    }
    detail
}

impl Used {
    /// Counts what a function logged: its invocations, how long they took, and the lines themselves. The emulator writes
    /// lines about invocations, which the template has Lambda leave out (`SystemLogLevel`).
    fn logged(&mut self, lines: &[String], gigabytes: f64) {
        for line in lines {
            if line.starts_with('{') {
                self.log_bytes += f64::from(u32::try_from(line.len()).unwrap_or(u32::MAX)) + LOG_EVENT;
            }
            let Some((_, report)) = line.split_once("Billed Duration: ") else { continue };
            let milliseconds: f64 = report.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0.0);
            self.invocations += 1.0;
            self.gb_seconds += milliseconds.ceil() / 1000.0 * gigabytes;
        }
    }

    /// Dollars for a million executions, by what they are paid for.
    fn parts(&self, executions: f64) -> BTreeMap<&'static str, f64> {
        // Lambda asks each queue once and deletes once for what it hands over at once. Streams are read for nothing.
        let from_queues = 2.0 * 2.0;
        let parts = [
            ("http_api", prices::HTTP_API_REQUESTS),
            ("lambda_requests", self.invocations / executions * prices::LAMBDA_REQUESTS),
            ("lambda_duration", self.gb_seconds / executions * prices::LAMBDA_GB_SECONDS),
            ("dynamodb_writes", self.units.writes / executions * prices::DYNAMODB_WRITES),
            ("dynamodb_reads", self.units.reads / executions * prices::DYNAMODB_READS),
            ("sqs", (self.sqs / executions + from_queues) * prices::SQS_REQUESTS),
            ("scheduler", self.schedules / executions * prices::SCHEDULER_INVOCATIONS),
            ("s3", self.puts / executions * prices::S3_PUTS + self.gets / executions * prices::S3_GETS),
            ("secrets", self.secrets / executions * prices::SECRET_READS),
            ("logs", self.log_bytes / executions / 1e6 * prices::LOG_MEGABYTES),
            ("traces", prices::TRACES),
        ];
        parts.into_iter().collect()
    }
}

/// Says of one execution what each kind of request costs, and each kind of item.
fn tell(requests: &BTreeMap<String, (f64, Units)>, written: &BTreeMap<String, Written>) {
    let each = |number: f64| number / f64::from(u32::try_from(COUNTED).unwrap_or(u32::MAX));
    for (name, (times, units)) in requests {
        let (times, writes, reads) = (each(*times), each(units.writes), each(units.reads));
        eprintln!("{name:<52}{times:>6.2} requests {writes:>6.2} write units {reads:>6.2} read units");
    }
    for (name, written) in written {
        let (times, table, indexes) = (each(written.times), each(written.table), each(written.indexes));
        let bytes = written.bytes / written.times;
        eprintln!(
            "{name:<52}{times:>6.2} times of {bytes:>5.0} bytes, {table:>6.2} write units, {indexes:>5.2} of indexes"
        );
    }
}

fn print(used: &Used) -> anyhow::Result<()> {
    let executions = f64::from(u32::try_from(COUNTED)?);
    let parts = used.parts(executions);
    let million: f64 = parts.values().sum();
    let steps: Map<String, Value> =
        parts.iter().map(|(name, usd)| ((*name).to_owned(), json!(round(usd / STEPS)))).collect();
    println!(
        "{}",
        json!({
            "bench": "aws-cost",
            "usd_per_million_steps": round(million / STEPS),
            "parts": steps,
            "per_execution": {
                "write_units": round(used.units.writes / executions),
                "read_units": round(used.units.reads / executions),
                "invocations": round(used.invocations / executions),
                "gb_seconds": round(used.gb_seconds / executions),
                "log_bytes": round(used.log_bytes / executions),
            },
            "step_functions_standard": prices::STEP_FUNCTIONS_STANDARD,
            "lambda_durable_functions": prices::LAMBDA_DURABLE_FUNCTIONS,
        })
    );
    Ok(())
}

fn round(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
