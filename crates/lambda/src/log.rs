//! The log: one flat JSON object a line on standard output. Names of fields are the same everywhere; `function` is on
//! each line, and `request_id` and `xray_trace_id` on those of an invocation. What a terminal or a reader's eye would obey
//! is escaped as JSON escapes it.

use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use pawl_runtime::shown::shown;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::{Failure, Invocation};

/// How lines look, and of which invocation they are. Clones share the invocation.
#[derive(Clone)]
pub(crate) struct Lines {
    function: &'static str,
    current: Arc<Mutex<Option<Invocation>>>,
}

impl Lines {
    pub(crate) fn of(function: &'static str) -> Self {
        Self { function, current: Arc::default() }
    }

    /// From now on lines are those of this invocation.
    pub(crate) fn begin(&self, invocation: &Invocation) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(invocation.clone());
    }

    fn head(&self) -> Map<String, Value> {
        let mut line = Map::new();
        line.insert("function".to_owned(), self.function.into());
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(invocation) = &*current {
            line.insert("request_id".to_owned(), invocation.request_id.clone().into());
            if let Some(trace_id) = &invocation.trace_id {
                line.insert("xray_trace_id".to_owned(), trace_id.clone().into());
            }
        }
        line
    }
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields(self.head());
        event.record(&mut fields);
        let Fields(mut line) = fields;
        line.insert("timestamp".to_owned(), Timestamp::now().to_string().into());
        line.insert("level".to_owned(), event.metadata().level().as_str().into());
        line.insert("target".to_owned(), event.metadata().target().into());
        writeln!(writer, "{}", shown(&Value::Object(line).to_string()))
    }
}

/// The fields of an event as JSON.
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}

/// Starts the log. A panic is a line like any other: where it happened, and what the broken invariant was.
pub(crate) fn init(lines: &Lines, filter: Option<&str>) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter.unwrap_or("info")).map_err(|error| Failure::invalid("PAWL_LOG", &error))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stdout);
    log.event_format(lines.clone()).init();
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.payload_as_str().unwrap_or("no text");
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panicked: {text}");
    }));
    Ok(())
}

/// Writes a line that is JSON already.
pub(crate) fn print(line: &str) {
    // If nobody reads standard output, nobody reads an error about it either.
    let _ = writeln!(std::io::stdout().lock(), "{}", shown(line));
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no holder panics").write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Kept {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    fn logged(lines: &Lines, log: impl FnOnce()) -> Vec<Value> {
        let kept = Kept::default();
        let subscriber = tracing_subscriber::fmt().with_writer(kept.clone()).event_format(lines.clone()).finish();
        tracing::subscriber::with_default(subscriber, log);
        let text = String::from_utf8(kept.0.lock().expect("no holder panics").clone()).expect("lines are UTF-8");
        let line = |line: &str| {
            let mut line: Value = serde_json::from_str(line).expect("a line is JSON");
            let at = line.as_object_mut().and_then(|line| line.remove("timestamp"));
            assert!(at.is_some_and(|at| at.as_str().is_some_and(|at| at.parse::<Timestamp>().is_ok())));
            line
        };
        text.lines().map(line).collect()
    }

    #[test]
    fn a_line_is_flat_and_says_of_which_function_and_invocation_it_is() {
        let lines = Lines::of("step-executor");
        let logged = logged(&lines, || {
            tracing::info!("before");
            lines.begin(&Invocation {
                request_id: "8476a536".to_owned(),
                trace_id: Some("1-5e1b4151".to_owned()),
                deadline: Timestamp::MAX,
            });
            let none: Option<&str> = None;
            tracing::warn!(execution_id = %"exe_1", seq = 3_u64, event_id = none, "execution {} waits", "exe_1");
        });
        insta::assert_yaml_snapshot!(logged, @r#"
        - function: step-executor
          level: INFO
          message: before
          target: "pawl_lambda::log::tests"
        - execution_id: exe_1
          function: step-executor
          level: WARN
          message: execution exe_1 waits
          request_id: 8476a536
          seq: 3
          target: "pawl_lambda::log::tests"
          xray_trace_id: 1-5e1b4151
        "#);
    }

    /// JSON leaves DEL, C1 controls and overrides of direction as they are.
    #[test]
    fn nothing_in_a_line_is_obeyed_by_who_reads_it() {
        let said = "a\u{1b}[2J\n\u{7f}\u{9b}2J\u{85}\u{202e}\u{2066}\u{2028}z, שלום";
        let kept = Kept::default();
        let subscriber = tracing_subscriber::fmt().with_writer(kept.clone()).event_format(Lines::of("api")).finish();
        tracing::subscriber::with_default(subscriber, || tracing::info!(sender = said, "a delivery says {said}"));
        let text = String::from_utf8(kept.0.lock().expect("no holder panics").clone()).expect("lines are UTF-8");
        let line = text.strip_suffix('\n').expect("a line ends");
        assert_eq!(shown(line), line, "nothing is left to be obeyed");
        let line: Value = serde_json::from_str(line).expect("a line is JSON");
        assert_eq!((&line["sender"], &line["message"]), (&said.into(), &format!("a delivery says {said}").into()));
    }
}
