//! `aws-cost`: what one execution of `w5` asks of AWS, webhook included, at list price; and what an execution, one more step
//! of each kind and a change that nobody listens to cost.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::capacity::{Tables, Units, Written};
use super::margins::{self, Margin};
use super::prices;
use super::proxy::Call;
use super::stack::FUNCTIONS;
use super::used::Used;
use super::w5::{STEPS, Watched, millis};

/// Executions before anything is counted: functions have started, workflows are in memory.
const WARM: u32 = 10;
/// Executions of `w5` that are counted.
const COUNTED: u32 = 40;

/// How long nothing may be asked for before all is done: longer than it takes until a stream is read.
pub(super) const QUIET: Duration = Duration::from_secs(3);

/// Bytes of a line of the access log, which the emulator does not write.
const ACCESS_LOG_LINE: f64 = 400.0;

/// What each kind of request took: how often it was made, and its units.
type Detail = BTreeMap<String, (f64, Units)>;

/// Runs it.
pub(crate) async fn run() -> anyhow::Result<()> {
    let w5 = Watched::start().await?;
    let mut tables = Tables::default();
    let item = |number| format!(r#"{{"item":"item-{number}","amount":{number}}}"#);
    let (used, detail) = measure(&w5, ("/hooks/w5/in", &item), COUNTED, &mut tables).await?;
    tell(&detail, &tables.written());
    let margins = margins::all(&w5, &mut tables).await?;
    eprintln!("{}", margins::table(&margins));
    println!("{}", line(&used, &margins));
    Ok(())
}

/// Executes what a webhook starts, one execution after the other, and says what one of them used, webhook included.
pub(super) async fn measure(
    watched: &Watched,
    (hook, body): (&str, &dyn Fn(u32) -> String),
    times: u32,
    tables: &mut Tables,
) -> anyhow::Result<(Used, Detail)> {
    for number in 0..WARM {
        watched.deliver(hook, &body(number)).await?;
    }
    for call in watched.settle(QUIET).await.iter().filter(|call| call.status == 200) {
        tables.count(&call.operation, &call.request, &call.answer);
    }
    tables.written();
    let since = millis()?;
    for number in WARM..WARM + times {
        watched.deliver(hook, &body(number)).await?;
    }
    let calls = watched.settle(QUIET).await;
    let mut used = Used::default();
    let detail = count(&calls, tables, &mut used);
    let memory = watched.stack.memory().await?;
    for function in FUNCTIONS.iter().filter(|name| is_counted(name)) {
        used.logged(&watched.stack.log(function, since).await?, memory[function]);
    }
    let mut each = used.each(times.into());
    each.add("webhooks", 1.0);
    each.add("traces", 1.0);
    each.add("log_bytes", ACCESS_LOG_LINE);
    let detail = detail.into_iter().map(|(name, (count, units))| {
        let units = Units { writes: units.writes / f64::from(times), reads: units.reads / f64::from(times) };
        (name, (count / f64::from(times), units))
    });
    Ok((each, detail.collect()))
}

/// The sweeper works by the clock, and the API for whoever asks it: neither belongs to an execution.
fn is_counted(function: &str) -> bool {
    function != "sweeper" && function != "api"
}

/// Counts the requests of functions, and what each kind of request takes. What others wrote is kept in mind.
fn count(calls: &[Call], tables: &mut Tables, used: &mut Used) -> Detail {
    let mut detail = Detail::new();
    for call in calls {
        let units = if call.status == 200 {
            tables.count(&call.operation, &call.request, &call.answer)
        } else {
            Units::default()
        };
        if !is_counted(call.function) {
            continue;
        }
        used.asked(call, units);
        let entry = detail.entry(format!("{} {} {}", call.function, call.service, call.operation)).or_default();
        entry.0 += 1.0;
        entry.1 += units;
    }
    detail
}

/// Says of one execution what each kind of request costs, and each kind of item.
fn tell(requests: &Detail, written: &BTreeMap<String, Written>) {
    let each = |number: f64| number / f64::from(COUNTED);
    for (name, (times, units)) in requests {
        let Units { writes, reads } = units;
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

fn line(used: &Used, margins: &[Margin]) -> Value {
    let steps: Map<String, Value> =
        used.parts().iter().map(|(name, usd)| ((*name).to_owned(), json!(round(usd / STEPS)))).collect();
    let amounts = ["write_units", "read_units", "invocations", "gb_seconds", "log_bytes"];
    let each: Map<String, Value> =
        amounts.iter().map(|what| ((*what).to_owned(), json!(round(used.amount(what))))).collect();
    json!({
        "bench": "aws-cost",
        "usd_per_million_steps": round(used.usd() / STEPS),
        "parts": steps,
        "per_execution": each,
        "per_million": margins::line(margins),
        "step_functions_standard": prices::STEP_FUNCTIONS_STANDARD,
        "lambda_durable_functions": prices::LAMBDA_DURABLE_FUNCTIONS,
    })
}

pub(super) fn round(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
