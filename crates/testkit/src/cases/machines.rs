//! State machines of a case.

use pawl_definition::{Duration, Path, code};
use pawl_runtime::ports::{StartStateMachine, StateMachineError};
use serde::Deserialize;
use serde_json::Value;

use super::check::Found;
use super::fits_pattern;
use crate::cases::describe::JsonSchema;
use crate::scenario::{
    ExpectedMachine, MachineReply, World, contains, machine_fails, machine_refused, machine_succeeds,
};

/// How a state machine ends: exactly one of `output`, `fail` and `refuse`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MachineScript {
    /// Which starts it is for; absent: all.
    #[serde(default)]
    pub(super) when: MachineTest,
    /// It succeeds with this output.
    #[serde(default)]
    pub(super) output: Option<Value>,
    /// Or it fails.
    #[serde(default)]
    pub(super) fail: Option<MachineEnd>,
    /// Or it is not started.
    #[serde(default)]
    pub(super) refuse: Option<MachineRefusal>,
    /// How long it runs, `2h`; absent: it ends at once.
    #[serde(default)]
    pub(super) takes: Option<String>,
    /// How many starts it is for; absent: any number.
    #[serde(default)]
    pub(super) times: Option<u32>,
}

/// Which starts a script is for. All that is said must fit.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MachineTest {
    /// ARN of the state machine; `*` stands for any text.
    #[serde(default)]
    pub(super) machine: Option<String>,
    /// Its input, or a part of it.
    #[serde(default)]
    pub(super) input: Option<Value>,
}

/// How a state machine fails.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MachineEnd {
    /// Its error.
    #[serde(default)]
    pub(super) error: String,
    /// Its cause in words.
    #[serde(default)]
    pub(super) cause: String,
}

/// Why a state machine is not started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum MachineRefusal {
    /// Step Functions cannot be reached.
    Network,
    /// It asks to come back later.
    Throttled,
    /// It failed.
    Server,
    /// There is no such state machine.
    NotFound,
    /// The installation may not start it.
    Denied,
}

/// A state machine that must have been started.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MachineStart {
    /// ARN of the state machine; `*` stands for any text.
    #[serde(default)]
    pub(super) machine: Option<String>,
    /// Its input, or a part of it.
    #[serde(default)]
    pub(super) input: Option<Value>,
}

impl From<MachineStart> for ExpectedMachine {
    fn from(MachineStart { machine, input }: MachineStart) -> Self {
        Self { machine, input }
    }
}

/// Lets state machines do as the scripts say.
pub(super) fn script(world: &World, mut scripts: Vec<MachineScript>) {
    world.state_machines.script(move |start| {
        let script = scripts.iter_mut().find(|script| script.times != Some(0) && script.when.fits(start))?;
        script.times = script.times.map(|left| left - 1);
        Some(reply(script))
    });
}

/// Checks what the shape of scripts does not say.
pub(super) fn check(found: &mut Found<'_>, path: &Path, scripts: &[MachineScript]) {
    for (index, script) in scripts.iter().enumerate() {
        let path = path.index(index);
        found.span(&path.key("takes"), script.takes.as_deref());
        let there = [script.output.is_some(), script.fail.is_some(), script.refuse.is_some()];
        if there.iter().filter(|there| **there).count() != 1 {
            found.add(&path, code::EXACTLY_ONE, "expected exactly one of output, fail, refuse".to_owned());
        }
    }
}

impl MachineTest {
    /// Whether a start fits.
    fn fits(&self, start: &StartStateMachine) -> bool {
        self.machine.as_ref().is_none_or(|machine| fits_pattern(machine, &start.machine))
            && self.input.as_ref().is_none_or(|input| contains(&start.input, input))
    }
}

fn reply(script: &MachineScript) -> MachineReply {
    let told = |what: &str| format!("Step Functions {what}");
    let reply = match (&script.output, &script.fail, script.refuse) {
        (Some(output), ..) => machine_succeeds(output.clone()),
        (_, Some(MachineEnd { error, cause }), _) => machine_fails(error, cause),
        (.., refusal) => machine_refused(match refusal {
            Some(MachineRefusal::Network) => StateMachineError::Network(told("could not be reached")),
            Some(MachineRefusal::Throttled) => StateMachineError::Throttled(told("asks to come back later")),
            Some(MachineRefusal::Server) => StateMachineError::Server(told("failed")),
            Some(MachineRefusal::NotFound) => StateMachineError::NotFound(told("does not know the state machine")),
            Some(MachineRefusal::Denied) => StateMachineError::Denied(told("does not let this installation start it")),
            None => StateMachineError::Invalid("neither output, fail nor refuse is scripted".to_owned()),
        }),
    };
    match script.takes.as_deref().filter(|span| Duration::parse(span).is_ok()) {
        Some(span) => reply.after(span),
        None => reply,
    }
}
