//! An invocation: what its lines in the log say of it, and what it counted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Context, LambdaEvent};
use pawl_runtime::Metrics;
use pawl_runtime::ports::Clock;

use crate::emf;
use crate::log::{self, Lines};

/// What an invocation needs after its last outside call: the commit of what came of it, with repeats, and a message.
const MARGIN: SignedDuration = SignedDuration::from_secs(5);

/// One invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// As Lambda names it.
    pub request_id: String,
    /// Of X-Ray, if it traces.
    pub trace_id: Option<String>,
    /// Nothing may be begun that could last longer; what is left after it is for the last commit.
    pub deadline: Timestamp,
}

impl Invocation {
    /// Reads what Lambda says of it.
    pub fn of(context: &Context) -> Self {
        let ends = i64::try_from(context.deadline).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
        Self {
            request_id: context.request_id.clone(),
            trace_id: context.xray_trace_id.as_deref().and_then(root),
            deadline: ends.unwrap_or(Timestamp::MAX) - MARGIN,
        }
    }
}

/// What X-Ray calls a trace by, in `Root=…;Parent=…;Sampled=…`.
fn root(header: &str) -> Option<String> {
    header.split(';').find_map(|part| part.strip_prefix("Root=")).map(str::to_owned)
}

/// A function: its name, its log and its metrics. An environment of Lambda handles one invocation at a time.
pub struct Function {
    name: &'static str,
    installation: String,
    lines: Lines,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    told: Mutex<BTreeMap<&'static str, u64>>,
}

impl Function {
    pub(crate) fn new(
        name: &'static str,
        installation: String,
        lines: Lines,
        metrics: Arc<Metrics>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { name, installation, lines, metrics, clock, told: Mutex::default() }
    }

    /// Surrounds an invocation: lines in the log are its lines, and what it counted is told as metrics after it.
    pub async fn invoke<P, T>(&self, event: LambdaEvent<P>, work: impl AsyncFnOnce(P, Invocation) -> T) -> T {
        let LambdaEvent { payload, context } = event;
        let invocation = Invocation::of(&context);
        self.lines.begin(&invocation);
        let answer = work(payload, invocation).await;
        if let Some(line) = self.counts() {
            log::print(&line);
        }
        answer
    }

    /// The metrics since the last invocation, if there are any.
    fn counts(&self) -> Option<String> {
        let now = self.metrics.snapshot();
        let mut told = self.told.lock().expect("no holder panics");
        let before = std::mem::replace(&mut *told, now);
        emf::line(&self.installation, self.name, &before, &told, self.clock.now())
    }
}
