//! What the protocol never makes is counted, logged and put aside, and does nothing else.

use std::sync::{Arc, Mutex};

use futures::FutureExt;
use pawl_engine::{Control, Execution, Status};
use pawl_runtime::ports::{DeadLetter, Durability, Expect, QueueName, Transaction, Write};
use pawl_runtime::{Error, Job, items};
use pawl_testkit::scenario::{Scenario, manual, scenario, waiting};
use tracing_subscriber::fmt::MakeWriter;

use crate::heads::changed_head;
use crate::support::workflow;

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Kept {
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

impl Kept {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no holder panics").clone()).expect("lines are UTF-8")
    }
}

/// An execution that waits, of which something else has written a head that does not fit: it has entered no step.
fn waits_at_no_step() -> (Scenario, Execution) {
    let steps = "  - {id: wait, type: delay, for: 1d}\n  - {id: end, type: note, text: end}";
    let story = scenario().workflow(&workflow(steps)).event(manual("w")).run_for("1h").expect(waiting());
    let before = story.last().execution;
    let broken = Execution { entered: None, version: before.version + 1, ..before };
    let item = changed_head(story.world(), &broken, &story.last().rows);
    let write = Write::Put { table: items::execution::TABLE, item, expect: Expect::Any };
    let transaction = Transaction { writes: vec![write], durability: Durability::Durable };
    let done = story.world().system.ports.tables.transact(transaction).now_or_never();
    done.expect("memory answers at once").expect("memory is writable");
    story.world().clock.advance(jiff::SignedDuration::from_hours(25));
    (story, broken)
}

#[test]
fn an_illegal_input_is_counted_and_logged_and_its_message_is_given_back() {
    let (story, broken) = waits_at_no_step();
    let system = &story.world().system;
    let body = serde_json::to_string(&Job::of(&broken)).expect("a job is JSON");
    let kept = Kept::default();
    let subscriber = tracing_subscriber::fmt().with_writer(kept.clone()).with_ansi(false).finish();
    let handled = tracing::subscriber::with_default(subscriber, || {
        system.handle(QueueName::Jobs, &body, None).now_or_never().expect("memory answers at once")
    });
    assert!(matches!(&handled, Err(error @ Error::Illegal(_)) if error.code() == "internal"), "{handled:?}");
    assert_eq!(system.metrics.snapshot()["illegal_inputs"], 1);
    let line = kept.text();
    let told = format!(
        "ERROR pawl_runtime::transitions: execution {}: an execution that is waiting cannot take the input `run`",
        broken.id
    );
    assert!(line.contains(&told), "{line}");
    assert!(line.contains("what waits has entered a step") && line.contains(&format!("seq={}", broken.seq)), "{line}");
    assert_eq!(story.last().execution.seq, broken.seq, "nothing was committed");
}

#[test]
fn it_ends_as_stalled_and_can_be_canceled() {
    let (story, broken) = waits_at_no_step();
    let letter = DeadLetter::new(QueueName::Jobs, serde_json::to_string(&Job::of(&broken)).expect("a job is JSON"));
    let buried = story.world().system.sweeper.mark_dead_letter(&letter, "given up").now_or_never();
    buried.expect("memory answers at once").expect("it is marked");
    assert_eq!(story.last().state(), "waiting, stalled");
    let canceled = story.world().control(&broken.id, &Control::Cancel).expect("it can be canceled");
    assert_eq!(canceled.status, Status::Canceled);
}
