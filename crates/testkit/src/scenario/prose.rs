//! The vocabulary of stories.

use jiff::Timestamp;
use pawl_definition::{DefinitionKind, Duration, Problem, Source};
use pawl_engine::Control;
use pawl_runtime::ports::{Clock, CloudCall, HttpRequest, ModelRequest, StartStateMachine};
use pawl_runtime::{BlockSizes, ExecutorOptions, LoopLimits};
use serde_json::Value;

use super::happening::keys;
use super::{CloudReply, DriveError, Expected, Happening, MachineReply, ModelReply, Reply, Trace, World};
use crate::VirtualClock;
use crate::memory::Left;

/// A story in the making. Every word of it happens at once; the `run` words let time pass.
pub struct Scenario {
    world: World,
}

/// Begins a story at 2026-01-01T00:00:00Z, a Thursday.
pub fn scenario() -> Scenario {
    Scenario { world: World::new(VirtualClock::default().now(), ExecutorOptions::default()) }
}

/// Begins a story with what another left.
#[track_caller]
pub fn carried_on(left: &Left) -> Scenario {
    // Of another seed, or what happens now would have the ids of what happened there.
    let story = Scenario { world: World::with_chance(left.at, ExecutorOptions::default(), 2) };
    story.world.store.take_over(left).expect("what a story left is whole");
    story
}

impl Scenario {
    /// Carries out at most this many ready steps in one invocation after the first.
    #[must_use]
    pub fn max_steps_per_invocation(self, max_steps_per_invocation: usize) -> Self {
        Self {
            world: World::new(
                self.world.now(),
                ExecutorOptions { max_steps_per_invocation, ..ExecutorOptions::default() },
            ),
        }
    }

    /// Holds up to so many pure transitions back, to commit them with the next that is not.
    #[must_use]
    pub fn hold(self, hold: usize) -> Self {
        Self { world: World::new(self.world.now(), ExecutorOptions { hold, ..ExecutorOptions::default() }) }
    }

    /// Lets each run of a loop over stored items take on so much.
    #[must_use]
    pub fn loops(self, loops: LoopLimits) -> Self {
        Self { world: World::new(self.world.now(), ExecutorOptions { loops, ..ExecutorOptions::default() }) }
    }

    /// Splits limits into blocks of these sizes.
    #[must_use]
    pub fn blocks(self, block_sizes: BlockSizes) -> Self {
        Self { world: World::new(self.world.now(), ExecutorOptions { block_sizes, ..ExecutorOptions::default() }) }
    }

    /// Makes calls that may last long by jobs of a queue of their own, and holds pure transitions, as on AWS.
    #[must_use]
    pub fn slow_apart(self) -> Self {
        let options = ExecutorOptions { slow_apart: true, hold: ExecutorOptions::HOLD, ..ExecutorOptions::default() };
        Self { world: World::new(self.world.now(), options) }
    }

    /// Marks changes of records that nobody seems to listen to, and tells of them later, as on AWS.
    #[must_use]
    pub fn marks_unheard(self) -> Self {
        let options = ExecutorOptions { marks_unheard: true, ..ExecutorOptions::default() };
        Self { world: World::new(self.world.now(), options) }
    }

    /// Moves on to a time, RFC 3339, without running anything.
    #[track_caller]
    #[must_use]
    pub fn at(self, time: &str) -> Self {
        self.world.clock.advance_to(time.parse().expect("a story says its time in RFC 3339"));
        self
    }

    /// An object file is saved.
    #[track_caller]
    #[must_use]
    pub fn object(self, yaml: &str) -> Self {
        accepted(Source::parse("object.yaml", yaml).and_then(|source| self.world.save_object(&source)));
        self
    }

    /// The file of a group, a calendar or another definition is saved.
    #[track_caller]
    #[must_use]
    pub fn definition(self, kind: DefinitionKind, yaml: &str) -> Self {
        let name = format!("{}.yaml", kind.word());
        accepted(Source::parse(&name, yaml).and_then(|source| self.world.save_definition(kind, &source)));
        self
    }

    /// A workflow file is saved; over a former revision, it is an edit.
    #[track_caller]
    #[must_use]
    pub fn workflow(self, yaml: &str) -> Self {
        accepted(Source::parse("workflow.yaml", yaml).and_then(|source| self.world.save_workflow(&source)));
        self
    }

    /// A record is there, as if it had always been; `fields` is a JSON object.
    #[track_caller]
    #[must_use]
    pub fn record(self, object: &str, id: &str, fields: Value) -> Self {
        self.world.put_record(object, id, keys(fields)).expect("the record of a story fits its object");
        self
    }

    /// A secret is there.
    #[must_use]
    pub fn secret(self, name: &str, value: &str) -> Self {
        self.world.store.set_secret(name, value);
        self
    }

    /// Outside services answer so.
    #[must_use]
    pub fn http(self, mut script: impl FnMut(&HttpRequest) -> Reply + Send + 'static) -> Self {
        self.world.http.script(move |request| Some(script(request)));
        self
    }

    /// Models answer so; without this word, none is configured.
    #[must_use]
    pub fn model(self, mut script: impl FnMut(&ModelRequest) -> ModelReply + Send + 'static) -> Self {
        self.world.models.script(move |request| Some(script(request)));
        self
    }

    /// State machines do so.
    #[must_use]
    pub fn state_machine(self, mut script: impl FnMut(&StartStateMachine) -> MachineReply + Send + 'static) -> Self {
        self.world.state_machines.script(move |start| Some(script(start)));
        self
    }

    /// Services of the cloud answer so.
    #[must_use]
    pub fn cloud(self, mut script: impl FnMut(&CloudCall) -> CloudReply + Send + 'static) -> Self {
        self.world.cloud.script(move |call| Some(script(call)));
        self
    }

    /// Something happens.
    #[track_caller]
    #[must_use]
    pub fn event(self, happening: impl Into<Happening>) -> Self {
        self.world.happen(happening.into()).unwrap_or_else(|error| panic!("{}: {error}", error.code));
        self
    }

    /// A person acts on the last execution.
    #[expect(clippy::needless_pass_by_value, reason = "a story reads as prose, without references")]
    #[track_caller]
    #[must_use]
    pub fn control(self, control: Control) -> Self {
        let last = self.world.executions().pop().expect("a story acts on an execution that began");
        self.world
            .control(&last.id, &control)
            .unwrap_or_else(|error| panic!("{error}\n{}", self.world.trace(&last.id)));
        self
    }

    /// Everything that is due now is handled; time stands.
    #[track_caller]
    #[must_use]
    pub fn settle(self) -> Self {
        self.rested(self.world.settle());
        self
    }

    /// Time passes: `2d 3h`.
    #[track_caller]
    #[must_use]
    pub fn run_for(self, span: &str) -> Self {
        let until = later(self.world.now(), span);
        self.rested(self.world.run(Some(until)).map(|_| ()));
        self
    }

    /// Time passes until nothing is under way.
    #[track_caller]
    #[must_use]
    pub fn run_until_idle(self) -> Self {
        self.rested(self.world.run(None).map(|_| ()));
        self
    }

    /// This must have come of it.
    #[expect(clippy::needless_pass_by_value, reason = "a story reads as prose, without references")]
    #[expect(clippy::return_self_not_must_use, reason = "what is expected may be the last word")]
    #[track_caller]
    pub fn expect(self, expected: Expected) -> Self {
        let differences = self.world.differences(&expected);
        assert!(differences.is_empty(), "{}\n\n{}", differences.join("\n"), self.told());
        self
    }

    /// The last execution with its history.
    #[track_caller]
    pub fn last(&self) -> Trace {
        self.world.last_trace(None).expect("a story looks at an execution that began")
    }

    /// The world, to look closer or to reach into it.
    pub fn world(&self) -> &World {
        &self.world
    }

    #[track_caller]
    fn rested(&self, result: Result<(), DriveError>) {
        if let Err(error) = result {
            panic!("{error}\n{}", self.told());
        }
        let differences = self.world.replayed();
        assert!(differences.is_empty(), "{}\n{}", differences.join("\n"), self.told());
    }

    fn told(&self) -> String {
        self.world.executions().iter().map(|execution| self.world.trace(&execution.id).to_string()).collect()
    }
}

#[track_caller]
fn accepted(result: Result<(), Vec<Problem>>) {
    if let Err(problems) = result {
        let told: Vec<_> = problems.iter().map(Problem::to_string).collect();
        panic!("a file of a story is refused:\n{}", told.join("\n"));
    }
}

#[track_caller]
fn later(now: Timestamp, span: &str) -> Timestamp {
    let span = Duration::parse(span).unwrap_or_else(|error| panic!("a story says spans of time as `2d 3h`: {error}"));
    span.after(now, &jiff::tz::TimeZone::UTC).expect("stories stay within the range of time")
}
