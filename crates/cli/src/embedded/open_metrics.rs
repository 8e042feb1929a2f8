//! Metrics in the text format of `OpenMetrics`, with labels and latencies, since the process began.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use jiff::Timestamp;
use pawl_engine::{Event, Execution, Row, RowKind};
use pawl_runtime::{Metrics, MetricsExporter};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Workflows that have a label of their own; later ones share one label. The system that collects the metrics keeps a series for
/// each label value.
const WORKFLOWS_MOST: usize = 100;

/// The label value of all other workflows.
const OTHER: &str = "(other)";

/// Executions whose start is awaited at most; of more than that the latency is not observed.
const AWAITED_MOST: usize = 10_000;

/// Upper bounds of the time that an attempt of a step takes, in seconds: from a condition to a wait of an hour.
const STEP_BUCKETS: [f64; 14] = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3_600.0];

/// Upper bounds of the time from an event to the first step of its execution, in seconds.
const START_BUCKETS: [f64; 12] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0];

type Labels = Vec<(&'static str, String)>;
type Counters = Family<Labels, Counter>;
type Histograms = Family<Labels, Histogram, fn() -> Histogram>;

/// Counts by workflow, type of step and outcome, and observes latencies.
pub(super) struct OpenMetrics {
    registry: Registry,
    created: Counters,
    ended: Counters,
    refused: Counters,
    steps: Counters,
    step_seconds: Histograms,
    start_seconds: Histograms,
    workflows: Mutex<BTreeSet<String>>,
    /// When the event happened of an execution that has not begun, by its id.
    awaited: Mutex<BTreeMap<String, Timestamp>>,
}

impl fmt::Debug for OpenMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenMetrics(…)")
    }
}

/// The counters of the runtime, which have no labels.
#[derive(Debug)]
struct Totals(Weak<Metrics>);

impl Collector for Totals {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(metrics) = self.0.upgrade() else { return Ok(()) };
        for (name, count) in metrics.snapshot() {
            let counter = ConstCounter::new(count);
            let help = "See docs/operations.md";
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        Ok(())
    }
}

impl OpenMetrics {
    /// Of the runtime with these counters, which it is told of from now on.
    pub(super) fn of(metrics: &Arc<Metrics>) -> Arc<Self> {
        let step_seconds: fn() -> Histogram = || Histogram::new(STEP_BUCKETS);
        let start_seconds: fn() -> Histogram = || Histogram::new(START_BUCKETS);
        let mut exporter = Self {
            registry: Registry::with_prefix("pawl"),
            created: Family::default(),
            ended: Family::default(),
            refused: Family::default(),
            steps: Family::default(),
            step_seconds: Family::new_with_constructor(step_seconds),
            start_seconds: Family::new_with_constructor(start_seconds),
            workflows: Mutex::default(),
            awaited: Mutex::default(),
        };
        exporter.register();
        exporter.registry.register_collector(Box::new(Totals(Arc::downgrade(metrics))));
        let exporter = Arc::new(exporter);
        metrics.export_to(exporter.clone());
        exporter
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("workflow_executions_created", "Executions that were created", self.created.clone());
        registry.register("workflow_executions_ended", "Executions that ended, by how", self.ended.clone());
        registry.register("workflow_starts_refused", "Starts that were refused, by code", self.refused.clone());
        registry.register(
            "workflow_steps",
            "Attempts of steps that are over, by what came of them",
            self.steps.clone(),
        );
        let help = "How long attempts of steps took, waits included";
        registry.register("step_duration_seconds", help, self.step_seconds.clone());
        let help = "Time from an event to the first step of its execution";
        registry.register("start_latency_seconds", help, self.start_seconds.clone());
    }

    /// The metrics as text.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        text::encode(&mut text, &self.registry).expect("a text takes all that is written");
        text
    }

    fn workflow(&self, id: &str) -> (&'static str, String) {
        let mut workflows = self.workflows.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = workflows.len() < WORKFLOWS_MOST;
        if !workflows.contains(id) {
            if !has_room {
                return ("workflow", OTHER.to_owned());
            }
            workflows.insert(id.to_owned());
        }
        ("workflow", id.to_owned())
    }

    fn awaited(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Timestamp>> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an attempt of a step that is over.
    fn step(&self, execution: &Execution, row: &Row) {
        let (Some(step_type), Some(status)) = (&row.step_type, row.status) else { return };
        let is_retried = status.as_str() == "retrying";
        if !status.has_ended() && !is_retried {
            return;
        }
        let what = [("step_type", step_type.clone()), ("status", status.as_str().to_owned())];
        if let Some(millis) = row.duration_ms() {
            self.step_seconds.get_or_create(&what.to_vec()).observe(seconds(i64::try_from(millis).unwrap_or(i64::MAX)));
        }
        let labels = std::iter::once(self.workflow(&execution.workflow)).chain(what).collect();
        self.steps.get_or_create(&labels).inc();
    }
}

impl MetricsExporter for OpenMetrics {
    fn created(&self, execution: &Execution, event: &Event) {
        self.created.get_or_create(&vec![self.workflow(&execution.workflow)]).inc();
        // A part and a fork begin with the event of another execution.
        let mut awaited = self.awaited();
        if event.region.is_none() && event.fork.is_none() && awaited.len() < AWAITED_MOST {
            awaited.insert(execution.id.clone(), event.occurred_at);
        }
    }

    fn refused(&self, workflow: &str, code: &str) {
        self.refused.get_or_create(&vec![self.workflow(workflow), ("code", code.to_owned())]).inc();
    }

    fn transition(&self, execution: &Execution, row: &Row) {
        self.step(execution, row);
        let has_ended = row.execution.is_ended();
        if row.kind == RowKind::Started || has_ended {
            let since = self.awaited().remove(&execution.id).filter(|_| row.kind == RowKind::Started);
            if let Some(since) = since {
                let millis = row.at.duration_since(since).as_millis().max(0);
                let labels = vec![self.workflow(&execution.workflow)];
                let millis = i64::try_from(millis).unwrap_or(i64::MAX);
                self.start_seconds.get_or_create(&labels).observe(seconds(millis));
            }
        }
        if has_ended {
            let status = ("status", row.execution.as_str().to_owned());
            self.ended.get_or_create(&vec![self.workflow(&execution.workflow), status]).inc();
        }
    }
}

/// Milliseconds as seconds.
fn seconds(millis: i64) -> f64 {
    jiff::SignedDuration::from_millis(millis).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_told_as_text_that_ends() {
        let metrics = Arc::new(Metrics::default());
        let exporter = OpenMetrics::of(&metrics);
        exporter.refused("orders", "cooldown");
        let text = exporter.text();
        assert!(text.contains("# TYPE pawl_events_accepted counter\n"), "{text}");
        assert!(text.contains("\npawl_events_accepted_total 0\n"), "{text}");
        assert!(
            text.contains("\npawl_workflow_starts_refused_total{workflow=\"orders\",code=\"cooldown\"} 1\n"),
            "{text}"
        );
        assert!(text.ends_with("# EOF\n"), "{text}");
    }

    #[test]
    fn workflows_have_a_bounded_number_of_series() {
        let exporter = OpenMetrics::of(&Arc::new(Metrics::default()));
        for number in 0..WORKFLOWS_MOST + 50 {
            exporter.refused(&format!("w{number}"), "cooldown");
        }
        let text = exporter.text();
        let series = text.lines().filter(|line| line.starts_with("pawl_workflow_starts_refused_total{")).count();
        assert_eq!(series, WORKFLOWS_MOST + 1);
        assert!(text.contains("{workflow=\"(other)\",code=\"cooldown\"} 50\n"), "{text}");
    }
}
