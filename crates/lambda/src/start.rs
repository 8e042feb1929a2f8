//! What `main` does before the first invocation: as little as possible. Nothing here makes a connection or asks for
//! credentials; that is left to the first call.

use std::sync::Arc;

use aws_config::SdkConfig;
use jiff::SignedDuration;
use pawl_aws::config::{self, QueueUrls, TableNames, Variables};
use pawl_aws::{DynamoTables, S3Blobs, SqsQueue, sdk};
use pawl_connectors::{LogNotifier, SystemClock, SystemRandom};
use pawl_runtime::ports::{QueueName, Table};
use pawl_runtime::{Core, DefaultRetention, ExecutorOptions, Ports};

use crate::log::{self, Lines};
use crate::{Failure, Function};

/// What every function stores in: tables, queues and blobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    tables: TableNames,
    queues: QueueUrls,
    bucket: String,
}

impl Storage {
    /// Asks for the names of these tables and queues, and of the bucket.
    pub fn read(variables: &mut Variables, tables: &[Table], queues: &[QueueName]) -> Self {
        Self { tables: variables.tables(tables), queues: variables.queues(queues), bucket: variables.blobs_bucket() }
    }

    /// The queues.
    pub fn queue(&self, sdk: &SdkConfig) -> SqsQueue {
        SqsQueue::new(sdk, self.queues.clone(), Arc::new(SystemClock), Arc::new(SystemRandom))
    }

    /// Ports on this storage, and notices in the log; all others are absent. It fails if the bucket's name cannot be part
    /// of an address.
    pub fn ports(self, sdk: &SdkConfig) -> Result<Ports, Failure> {
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let queue = Arc::new(self.queue(sdk));
        let blobs = S3Blobs::new(sdk, self.bucket, random.clone());
        let blobs = blobs.map_err(|error| Failure::invalid("PAWL_BLOBS_BUCKET", &error))?;
        let tables = Arc::new(DynamoTables::new(sdk, self.tables, clock.clone(), random.clone()));
        Ok(Ports::over(tables, queue, Arc::new(blobs), clock, random).with_notifier(Arc::new(LogNotifier)))
    }
}

/// A function that is ready for its first invocation.
pub struct Started<C, R> {
    /// Surrounds each invocation.
    pub function: Function,
    /// What of the runtime it works with, over its ports.
    pub runtime: R,
    /// What it was told.
    pub configuration: C,
    /// What its clients are made from.
    pub sdk: SdkConfig,
}

/// Starts a function: reads the environment, once; starts the log; wires the runtime. A failure is logged.
pub fn start<C: Clone, R: AsRef<Core>>(
    name: &'static str,
    ask: impl FnOnce(&mut Variables) -> Result<C, Failure>,
    wire: impl FnOnce(&SdkConfig, C, ExecutorOptions) -> Result<R, Failure>,
) -> Result<Started<C, R>, Failure> {
    let lines = Lines::of(name);
    let result = begin(name, &lines, ask, wire);
    result.inspect_err(|failure| tracing::error!(code = failure.code, "{name} does not start: {failure}"))
}

fn begin<C: Clone, R: AsRef<Core>>(
    name: &'static str,
    lines: &Lines,
    ask: impl FnOnce(&mut Variables) -> Result<C, Failure>,
    wire: impl FnOnce(&SdkConfig, C, ExecutorOptions) -> Result<R, Failure>,
) -> Result<Started<C, R>, Failure> {
    let read = config::read(std::env::vars(), |variables| {
        let filter = variables.optional("PAWL_LOG").map(str::to_owned);
        let installation = variables.required("PAWL_INSTALLATION");
        let spans = longest_delay(variables).and_then(|delay| Ok((delay, retention(variables)?)));
        (log::init(lines, filter.as_deref()), variables.place(), installation, spans, ask(variables))
    });
    let (logs, place, installation, spans, configuration) = read?;
    logs?;
    let ((longest_delay, retention), configuration) = (spans?, configuration?);
    let sdk = sdk::of_function(&place);
    // Other environments are at work beside this one: a lease is left alone until it is over.
    let hold = ExecutorOptions::HOLD;
    let marks_unheard = true;
    let options = ExecutorOptions {
        alone_since: None,
        hold,
        longest_delay,
        marks_unheard,
        retention,
        ..ExecutorOptions::default()
    };
    let runtime = wire(&sdk, configuration.clone(), options)?;
    let Core { metrics, ports, .. } = runtime.as_ref();
    let function = Function::new(name, installation, lines.clone(), metrics.clone(), ports.clock.clone());
    Ok(Started { function, runtime, configuration, sdk })
}

/// Reads up to which wait a delayed message is used and not a timer.
fn longest_delay(variables: &Variables) -> Result<SignedDuration, Failure> {
    const NAME: &str = "PAWL_LONGEST_DELAY_S";
    let most = ExecutorOptions::LONGEST_DELAY;
    let Some(written) = variables.optional(NAME) else { return Ok(most) };
    let seconds = written.parse().ok().map(SignedDuration::from_secs);
    let wrong = || Failure::invalid(NAME, &format!("expected seconds from 0 to {}, found {written:?}", most.as_secs()));
    seconds.filter(|delay| (SignedDuration::ZERO..=most).contains(delay)).ok_or_else(wrong)
}

/// Reads how long ended executions are kept of workflows that do not say.
fn retention(variables: &Variables) -> Result<DefaultRetention, Failure> {
    const NAME: &str = "PAWL_RETENTION";
    let written = variables.optional(NAME).unwrap_or_default();
    written.parse().map_err(|error: String| Failure::invalid(NAME, &error))
}

#[cfg(test)]
mod tests {
    /// The images of Lambda have no `/usr/share/zoneinfo`.
    #[test]
    fn time_zones_are_inside_the_binary() {
        let bundled = jiff::tz::TimeZoneDatabase::bundled();
        let berlin = bundled.get("Europe/Berlin").expect("the bundled zones have all of IANA's");
        let noon = jiff::civil::date(2026, 7, 1).at(12, 0, 0, 0).to_zoned(berlin).expect("a summer's day");
        assert_eq!(noon.timestamp().to_string(), "2026-07-01T10:00:00Z");
    }
}
