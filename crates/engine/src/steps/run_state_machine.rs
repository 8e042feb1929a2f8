//! `run_state_machine`.
//!
//! Waiting for the end of a state machine rests on two legs. The event of its end, or a callback with its token, is an
//! input like the event that a goal waits for. And since an event may be lost, or may come before the wait begins, the
//! step looks at the machine from time to time: a poll is the claimed look at what was started, counts as no attempt,
//! and leaves no row in history unless it finds an end.

use jiff::{SignedDuration, Timestamp};
use pawl_definition::step::RunStateMachine;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{After, Listening, OnEvent, Perform, StepContext, StepDecision, StepHandler, StepResult, Waits, goal};
use crate::{
    Activity, Event, MachinePoll, MachineRun, Performed, StartedMachine, Status, StepCode, StepError, StepState,
    coerce, ids,
};

/// Longest time of one call of Step Functions, in seconds, if the step does not say.
const CALL_S: i64 = 30;

/// The machine is looked at again after half the time that was waited already, within these bounds in seconds: what is
/// missed is found half as late again as it took, and a machine of a day costs a hundred looks.
const LOOK_LEAST_S: i64 = 30;
const LOOK_MOST_S: i64 = 900;

/// Most bytes of a machine's error and cause in the message of a failure; Step Functions allows 256 and 32,768.
const ERROR_MOST: usize = 256;
const CAUSE_MOST: usize = 1_024;

/// The states in which a machine has ended, and the one of a wait that was ended by a callback.
const ENDS: &[&str] = &[SUCCEEDED, "FAILED", "TIMED_OUT", "ABORTED", CALLED_BACK];
const SUCCEEDED: &str = "SUCCEEDED";
const CALLED_BACK: &str = "CALLED_BACK";

/// What the step keeps of a visit in which it waits. Stored, do not rename.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Checkpoint {
    /// When the wait ends although the machine has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    /// The token by which the machine calls back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// The topic of callbacks with that token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    callback: Option<String>,
    /// What was started, once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    started: Option<StartedMachine>,
    /// The end, received while the execution could not go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<End>,
}

/// What ended a wait: the machine's own end, or a callback.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct End {
    status: String,
    #[serde(default)]
    output: Value,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    cause: Option<String>,
}

impl StepHandler for RunStateMachine {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        let checkpoint = match Checkpoint::of(at.state) {
            None if self.wait => Checkpoint::begin(self, at)?,
            None => return Ok(StepDecision::perform(Activity::RunStateMachine(run(self, at, None)?))),
            Some(checkpoint) => checkpoint,
        };
        if let Some(end) = &checkpoint.end {
            return Ok(StepDecision::done(checkpoint.ended(end)));
        }
        let activity = match &checkpoint.started {
            Some(started) => {
                let timeout = SignedDuration::from_secs(CALL_S);
                Activity::PollStateMachine(MachinePoll { started: started.clone(), timeout })
            }
            None if checkpoint.is_over(at.cx.now) => return Ok(StepDecision::done(checkpoint.timed_out(None))),
            None => Activity::RunStateMachine(run(self, at, Some(&checkpoint))?),
        };
        Ok(StepDecision::Perform(Perform { activity, checkpoint: json!(checkpoint), part: None }))
    }

    fn performed(&self, at: &StepContext<'_>, activity: &Activity, performed: &Performed) -> Result<After, StepError> {
        let (input, said) = (activity.input(), &performed.output);
        let started = StartedMachine::deserialize(said).ok();
        let waits = match activity {
            Activity::RunStateMachine(run) => run.wait,
            Activity::PollStateMachine(_) => true,
            // Calls of other steps: what an edit puts in the place of a step takes no result of it.
            Activity::HttpRequest(_)
            | Activity::CallLlm(_)
            | Activity::FindPaused(_)
            | Activity::StartWorkflows(_)
            | Activity::StartRegions(_)
            | Activity::FindExecutions(_)
            | Activity::ControlExecutions(_)
            | Activity::SendSignal(_)
            | Activity::CallCloud(_) => false,
        };
        if !waits {
            let output = started.map_or_else(|| said.clone(), |started| json!(started));
            return Ok(After::done(StepResult { input, output, ..StepResult::default() }));
        }
        let checkpoint = Checkpoint::of(at.state).unwrap_or_default();
        let checkpoint = Checkpoint { started: started.or(checkpoint.started.clone()), ..checkpoint };
        let end = checkpoint.end.clone().or_else(|| End::read(said));
        Ok(match end {
            Some(end) => After::done(StepResult { input, ..checkpoint.ended(&end) }),
            None if checkpoint.is_over(at.cx.now) => {
                After::done(StepResult { input, ..checkpoint.timed_out(said.get("status")) })
            }
            None => After::Wait(Box::new(checkpoint.waits(at, input))),
        })
    }

    fn due(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        self.enter(at)
    }

    fn event(&self, at: &StepContext<'_>, event: &Event) -> Result<OnEvent, StepError> {
        let Some(checkpoint) =
            Checkpoint::of(at.state).filter(|checkpoint| checkpoint.end.is_none() && checkpoint.is_meant(event))
        else {
            return Ok(OnEvent::Nothing);
        };
        let Some(end) = End::read(&Value::Object(event.data.clone())) else { return Ok(OnEvent::Nothing) };
        if event.data.get("output_left_out") == Some(&Value::Bool(true)) {
            // Its output was too large for the event: the machine is looked at, now.
            return Ok(OnEvent::Due(json!(checkpoint)));
        }
        if at.execution.status == Status::Waiting {
            return Ok(OnEvent::Done(Box::new(checkpoint.ended(&end))));
        }
        Ok(OnEvent::Due(json!(Checkpoint { end: Some(end), ..checkpoint })))
    }

    fn only_looks(&self, checkpoint: &Value) -> bool {
        Checkpoint::read(checkpoint).is_some_and(|checkpoint| checkpoint.started.is_some() || checkpoint.end.is_some())
    }

    fn listens(&self, at: &StepContext<'_>) -> Option<Listening> {
        Checkpoint::of(at.state).map(|checkpoint| checkpoint.listening())
    }
}

impl Checkpoint {
    fn of(state: &StepState) -> Option<Self> {
        Self::read(&state.checkpoint)
    }

    fn read(checkpoint: &Value) -> Option<Self> {
        (!checkpoint.is_null()).then(|| Self::deserialize(checkpoint).unwrap_or_default())
    }

    /// At the first attempt of a visit; those after it find the same time-out and the same token.
    fn begin(step: &RunStateMachine, at: &StepContext<'_>) -> Result<Self, StepError> {
        let (id, visit) = (&at.execution.id, at.state.visit);
        let token = step.callback.then(|| ids::callback_token(at.cx.invocation, id, &at.step.id, visit));
        let topic = |token: &String| at.cx.callback.map_or_else(|| ids::callback_topic(token), str::to_owned);
        let callback = token.as_ref().map(topic);
        Ok(Self { until: goal::timeout(at)?, token, callback, ..Self::default() })
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// The machine's end once it is known which one it is, and whoever has the token, from before the start on.
    fn listening(&self) -> Listening {
        Listening { topics: self.topics().collect(), checks: Vec::new() }
    }

    fn topics(&self) -> impl Iterator<Item = String> {
        let end = self.execution_arn().map(ids::state_machine_topic);
        end.into_iter().chain(self.callback.clone())
    }

    fn execution_arn(&self) -> Option<&str> {
        self.started.as_ref().map(|started| started.execution_arn.as_str())
    }

    /// Whether an event is about this very execution of the machine, or has the token of this visit.
    fn is_meant(&self, event: &Event) -> bool {
        let topics = event.waiter_topics();
        self.topics().any(|topic| topics.contains(&topic))
    }

    /// Waits on, until it is looked at again.
    fn waits(&self, at: &StepContext<'_>, input: Value) -> Waits {
        let now = at.cx.now;
        let waited = now.duration_since(at.state.started_at).as_secs();
        let look = now + SignedDuration::from_secs((waited / 2).clamp(LOOK_LEAST_S, LOOK_MOST_S));
        let look = self.until.map_or(look, |until| look.min(until));
        let note = self.execution_arn().map(|arn| format!("waits for the end of {arn}"));
        let waits = Waits::signal(Some(look), self.listening(), input);
        Waits { due: self.until, note, checkpoint: json!(self), ..waits }
    }

    fn ended(&self, end: &End) -> StepResult {
        let End { status, output, error, cause } = end;
        let arn = self.execution_arn();
        if status == SUCCEEDED || status == CALLED_BACK && error.is_none() {
            let note = (status == CALLED_BACK).then(|| "called back with its token".to_owned());
            let output = json!({"execution_arn": arn, "status": status, "output": output});
            return StepResult { output, note, ..StepResult::default() };
        }
        let of =
            arn.map_or_else(|| "the state machine".to_owned(), |arn| format!("the state machine's execution {arn}"));
        let why: Vec<_> = [(error, ERROR_MOST), (cause, CAUSE_MOST)]
            .into_iter()
            .filter_map(|(text, most)| Some(cut(text.as_deref()?, most)))
            .collect();
        let why = if why.is_empty() { String::new() } else { format!(": {}", why.join(": ")) };
        let message = if status == CALLED_BACK {
            format!("{of} called back with a failure{why}")
        } else {
            format!("{of} ended as {status}{why}")
        };
        StepResult {
            output: json!({"execution_arn": arn, "status": status, "error": error, "cause": cause}),
            error: Some(StepError::new(StepCode::StateMachineFailed, message)),
            ..StepResult::default()
        }
    }

    /// `status` as it was seen last.
    fn timed_out(&self, status: Option<&Value>) -> StepResult {
        let until = self.until.map_or_else(String::new, |until| format!(" {until}"));
        let message = match self.execution_arn() {
            Some(arn) => {
                format!("the time-out{until} passed, and no end of the state machine's execution {arn} is known")
            }
            None => format!("the time-out{until} passed before the state machine was known to be started"),
        };
        StepResult {
            output: json!({"execution_arn": self.execution_arn(), "status": status}),
            error: Some(StepError::new(StepCode::StateMachineTimeout, message)),
            ..StepResult::default()
        }
    }
}

impl End {
    /// Out of what the runtime or an event says; `None` while the machine runs.
    fn read(said: &Value) -> Option<Self> {
        Self::deserialize(said).ok().filter(|end| ENDS.contains(&end.status.as_str()))
    }
}

fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// The run of one visit; `kept` if its end is waited for.
fn run(step: &RunStateMachine, at: &StepContext<'_>, checkpoint: Option<&Checkpoint>) -> Result<MachineRun, StepError> {
    let scope = at.scope();
    let machine = step.state_machine.resolve(&scope).map_err(|error| StepError::from(error).at("state_machine"))?;
    let Some(arn) = machine.as_str().filter(|arn| arn.starts_with("arn:")) else {
        let message =
            format!("`state_machine`: expected the ARN of a state machine, found {}", coerce::short(&machine));
        return Err(StepError::new(StepCode::WrongType, message));
    };
    let input = step.input.as_ref().map(|input| input.resolve(&scope)).transpose();
    let input = input.map_err(|error| StepError::from(error).at("input"))?.filter(|input| !input.is_null());
    let input = input.unwrap_or_else(|| json!({}));
    let token = checkpoint.and_then(|checkpoint| checkpoint.token.clone());
    if token.is_some() && !input.is_object() {
        let found = coerce::short(&input);
        let message = format!("`input`: expected a mapping, which takes the token of the callback, found {found}");
        return Err(StepError::new(StepCode::WrongType, message));
    }
    let timeout = if checkpoint.is_some() { SignedDuration::from_secs(CALL_S) } else { at.timeout(CALL_S) };
    let name = ids::state_machine_name(&at.execution.id, &at.step.id, at.state.visit);
    Ok(MachineRun { machine: arn.to_owned(), name, input, token, wait: checkpoint.is_some(), timeout })
}

impl MachineRun {
    /// Its input for history, without the token.
    pub fn input(&self) -> Value {
        let input = self.with("[token]");
        json!({"state_machine": self.machine, "name": self.name, "input": input})
    }

    /// Its input as the machine gets it.
    pub fn full_input(&self) -> Value {
        self.with(self.token.as_deref().unwrap_or_default())
    }

    fn with(&self, token: &str) -> Value {
        let mut input = self.input.clone();
        if let (Some(_), Some(keys)) = (&self.token, input.as_object_mut()) {
            keys.insert("pawl".to_owned(), json!({"token": token}));
        }
        input
    }
}

impl MachinePoll {
    /// Its input for history.
    pub fn input(&self) -> Value {
        json!({"execution_arn": self.started.execution_arn})
    }
}
