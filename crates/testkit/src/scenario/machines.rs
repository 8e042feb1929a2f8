//! State machines of Step Functions as a story scripts them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use pawl_definition::Duration;
use pawl_engine::StartedMachine;
use pawl_runtime::ports::{
    Clock, MachineState, Message, QueueName, StartStateMachine, StateMachineError, StateMachines, Timer,
};
use pawl_runtime::{EventMessage, bus};
use serde_json::{Value, json};

use super::at_once;
use crate::VirtualClock;
use crate::memory::MemoryStore;

/// What a state machine does.
pub struct MachineReply {
    outcome: Result<MachineState, StateMachineError>,
    takes: SignedDuration,
    is_heard: bool,
    callbacks: Vec<(SignedDuration, Value)>,
    looks: VecDeque<Look>,
    dies: bool,
    meanwhile: Option<Box<dyn FnOnce() + Send>>,
}

/// What becomes of a look.
enum Look {
    Fails(StateMachineError),
    Dies,
}

/// A machine that succeeds at once with this output.
pub fn machine_succeeds(output: impl Into<Value>) -> MachineReply {
    let state = MachineState { status: "SUCCEEDED".to_owned(), output: output.into(), ..MachineState::default() };
    MachineReply::of(Ok(state))
}

/// A machine that fails at once.
pub fn machine_fails(error: &str, cause: &str) -> MachineReply {
    let (error, cause) = (Some(error.to_owned()), Some(cause.to_owned()));
    MachineReply::of(Ok(MachineState { status: "FAILED".to_owned(), error, cause, ..MachineState::default() }))
}

/// A machine that is not started.
pub fn machine_refused(error: StateMachineError) -> MachineReply {
    MachineReply::of(Err(error))
}

impl MachineReply {
    fn of(outcome: Result<MachineState, StateMachineError>) -> Self {
        let (callbacks, looks) = (Vec::new(), VecDeque::new());
        Self { outcome, takes: SignedDuration::ZERO, is_heard: true, callbacks, looks, dies: false, meanwhile: None }
    }

    /// Ends after a time, `2h`.
    #[must_use]
    pub fn after(mut self, span: &str) -> Self {
        self.takes = time(span);
        self
    }

    /// The event of its end gets lost.
    #[must_use]
    pub fn without_event(mut self) -> Self {
        self.is_heard = false;
        self
    }

    /// After a time it sends a callback with its token and this: `{"output": …}` or `{"error": …}`.
    #[must_use]
    pub fn calls_back(mut self, span: &str, detail: Value) -> Self {
        self.callbacks.push((time(span), detail));
        self
    }

    /// The next look at it fails.
    #[must_use]
    pub fn look_fails(mut self, error: StateMachineError) -> Self {
        self.looks.push_back(Look::Fails(error));
        self
    }

    /// The process of Pawl ends in the middle of the next look at it.
    #[must_use]
    pub fn look_dies(mut self) -> Self {
        self.looks.push_back(Look::Dies);
        self
    }

    /// The process of Pawl ends right after the machine was started.
    #[must_use]
    pub fn dies(mut self) -> Self {
        self.dies = true;
        self
    }

    /// While it is being started, this happens.
    #[must_use]
    pub fn meanwhile(mut self, happens: impl FnOnce() + Send + 'static) -> Self {
        self.meanwhile = Some(Box::new(happens));
        self
    }
}

fn time(span: &str) -> SignedDuration {
    Duration::parse(span).unwrap_or_else(|error| panic!("a story says spans of time as `2d 3h`: {error}")).approximate()
}

/// An execution under way or ended.
struct Running {
    started: StartedMachine,
    ends_at: Timestamp,
    end: MachineState,
    looks: VecDeque<Look>,
}

type Script = Box<dyn FnMut(&StartStateMachine) -> Option<MachineReply> + Send>;

struct State {
    script: Script,
    starts: Vec<StartStateMachine>,
    looks: usize,
    running: BTreeMap<String, Running>,
    unanswered: Vec<String>,
    events: usize,
}

/// The state machine port as a script. The events of ends and the callbacks come on the queue of events, as the
/// function that hears the bus would put them there.
pub struct ScriptedMachines {
    clock: VirtualClock,
    store: MemoryStore,
    state: Mutex<State>,
}

impl ScriptedMachines {
    pub(super) fn new(clock: VirtualClock, store: MemoryStore) -> Self {
        let (starts, running, unanswered) = (Vec::new(), BTreeMap::new(), Vec::new());
        let state = State { script: Box::new(|_| None), starts, looks: 0, running, unanswered, events: 0 };
        Self { clock, store, state: Mutex::new(state) }
    }

    /// Replaces the script. A machine that it does not know is noted, and refused for good.
    pub fn script(&self, script: impl FnMut(&StartStateMachine) -> Option<MachineReply> + Send + 'static) {
        self.lock().script = Box::new(script);
    }

    /// The machines that were started, oldest first, with tokens in their places; a repeated start is not counted.
    pub fn starts(&self) -> Vec<StartStateMachine> {
        self.lock().starts.clone()
    }

    /// How often somebody looked how one stands.
    pub fn looks(&self) -> usize {
        self.lock().looks
    }

    /// Starts that the script did not know, as their ARN.
    pub fn unanswered(&self) -> Vec<String> {
        self.lock().unanswered.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the script says of a machine that is not there yet.
    fn reply(&self, start: &StartStateMachine) -> MachineReply {
        let mut state = self.lock();
        let reply = (state.script)(start);
        reply.unwrap_or_else(|| {
            state.unanswered.push(start.machine.clone());
            let message = format!("no answer is scripted for the state machine {}", start.machine);
            machine_refused(StateMachineError::Invalid(message))
        })
    }

    fn begin(&self, start: &StartStateMachine, end: MachineState, reply: &mut MachineReply) -> StartedMachine {
        let now = self.clock.now();
        let started = StartedMachine { execution_arn: execution_arn(start), started_at: now };
        let ends_at = now + reply.takes;
        if reply.is_heard {
            self.will_say(ends_at, &status_change(&started.execution_arn, ends_at, &end));
        }
        let token = start.input.pointer("/pawl/token").and_then(Value::as_str).unwrap_or("none");
        for (span, detail) in &reply.callbacks {
            let at = now + *span;
            self.will_say(at, &callback(token, at, detail));
        }
        let mut state = self.lock();
        state.starts.push(start.clone());
        let looks = std::mem::take(&mut reply.looks);
        state.running.insert(start.name.clone(), Running { started: started.clone(), ends_at, end, looks });
        started
    }

    /// What whoever looks sees; `None` if that is the end of it.
    fn seen(&self, execution_arn: &str) -> Option<Result<MachineState, StateMachineError>> {
        let now = self.clock.now();
        let mut state = self.lock();
        state.looks += 1;
        let running = state.running.values_mut().find(|running| running.started.execution_arn == execution_arn);
        let Some(running) = running else {
            return Some(Err(StateMachineError::NotFound(format!("there is no execution {execution_arn}"))));
        };
        match running.looks.pop_front() {
            Some(Look::Dies) => None,
            Some(Look::Fails(error)) => Some(Err(error)),
            None if running.ends_at <= now => Some(Ok(running.end.clone())),
            None => Some(Ok(MachineState { status: "RUNNING".to_owned(), ..MachineState::default() })),
        }
    }

    /// The bus will say this at a time.
    fn will_say(&self, at: Timestamp, event: &Value) {
        let number = {
            let mut state = self.lock();
            state.events += 1;
            state.events
        };
        let timer = bus_timer(&format!("bus-{number}"), at, event);
        at_once(self.store.timers().set(timer)).expect("timers in memory take this call");
    }
}

#[async_trait]
impl StateMachines for ScriptedMachines {
    async fn start(&self, start: &StartStateMachine) -> Result<StartedMachine, StateMachineError> {
        if let Some(running) = self.lock().running.get(&start.name) {
            return Ok(running.started.clone());
        }
        let mut reply = self.reply(start);
        if let Some(happens) = reply.meanwhile.take() {
            happens();
        }
        let started = self.begin(start, reply.outcome.clone()?, &mut reply);
        if reply.dies {
            std::future::pending::<()>().await;
        }
        Ok(started)
    }

    async fn describe(&self, execution_arn: &str, _: SignedDuration) -> Result<MachineState, StateMachineError> {
        match self.seen(execution_arn) {
            Some(seen) => seen,
            None => std::future::pending().await,
        }
    }
}

/// The ARN of a start's execution, as Step Functions forms it.
pub fn execution_arn(start: &StartStateMachine) -> String {
    let parts: Vec<_> = start.machine.split(':').collect();
    let part = |at: usize| parts.get(at).copied().unwrap_or_default();
    format!("arn:aws:states:{}:{}:execution:{}:{}", part(3), part(4), part(6), start.name)
}

/// What the bus says when an execution has ended.
pub fn status_change(execution_arn: &str, at: Timestamp, end: &MachineState) -> Value {
    let succeeded = end.status == "SUCCEEDED";
    json!({
        "version": "0", "id": format!("{execution_arn}@{at}"), "source": "aws.states", "time": at,
        "detail-type": "Step Functions Execution Status Change", "resources": [execution_arn],
        "detail": {
            "executionArn": execution_arn, "status": end.status, "error": end.error, "cause": end.cause,
            "output": succeeded.then(|| end.output.to_string()),
            "outputDetails": succeeded.then(|| json!({"included": true})),
        },
    })
}

/// What the bus says when somebody calls back.
pub fn callback(token: &str, at: Timestamp, detail: &Value) -> Value {
    let mut detail = detail.clone();
    detail["token"] = json!(token);
    json!({
        "version": "0", "id": format!("callback@{at}"), "source": "pawl.callback", "time": at,
        "detail-type": "Callback", "resources": [], "detail": detail,
    })
}

/// The timer by which what the bus says comes on the queue of events.
pub fn bus_timer(name: &str, due: Timestamp, event: &Value) -> Timer {
    let event = bus::event(event).expect("the bus speaks as it should").expect("somebody may wait for it");
    let message = EventMessage::Event(Box::new(event));
    let body = serde_json::to_string(&message).expect("an event is JSON");
    let message = Message { body, delay: SignedDuration::ZERO, group: "bus".to_owned() };
    Timer { name: name.to_owned(), due, queue: QueueName::Events, message }
}
