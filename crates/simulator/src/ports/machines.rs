//! State machines outside: one name is started once, ends at its time, and says so on a bus that may lose, repeat and
//! hold up what it says.

use async_trait::async_trait;
use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};
use pawl_engine::{StartedMachine, ids};
use pawl_runtime::ports::{MachineState, StartStateMachine, StateMachineError, StateMachines};
use serde_json::{Value, json};

use super::outside::Outside;
use crate::chance::hash;
use crate::hub::Hub;
use crate::ledger::Machine;
use pawl_testkit::scenario::{bus_timer, callback, execution_arn, status_change};

/// How the start of a machine goes wrong at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    Throttled,
    BeforeEffect,
    AfterEffect,
}

/// What machines do, by the first word of their names.
struct Nature {
    /// None if it never ends.
    takes: Option<SignedDuration>,
    calls_back_after: Option<SignedDuration>,
    status: &'static str,
}

fn nature(start: &StartStateMachine) -> Nature {
    let seconds = SignedDuration::from_secs;
    let bits = hash(&start.machine);
    let one_of = |spans: [i64; 3]| seconds(spans[usize::try_from(bits % 3).expect("below three")]);
    let (takes, calls_back_after, status) = match start.machine.rsplit(':').next().unwrap_or_default() {
        name if name.starts_with("quick") => (Some(one_of([0, 1, 5])), None, "SUCCEEDED"),
        name if name.starts_with("slow") => (Some(one_of([40, 400, 1_200])), None, "SUCCEEDED"),
        name if name.starts_with("fails") => (Some(one_of([0, 5, 90])), None, "FAILED"),
        name if name.starts_with("calls") => (Some(seconds(1_200)), Some(one_of([0, 0, 20])), "SUCCEEDED"),
        name if name.starts_with("hangs") => (None, None, "RUNNING"),
        _ => (Some(seconds(6 * 3_600)), None, "ABORTED"),
    };
    Nature { takes, calls_back_after, status }
}

/// Whether a start fails at first, and how.
fn scripted(start: &StartStateMachine, asked: u32) -> Option<Failure> {
    let kinds = [Some(Failure::Throttled), Some(Failure::BeforeEffect), Some(Failure::AfterEffect), None, None];
    let nth = hash(&format!("{}|start", start.machine)) % 5;
    kinds[usize::try_from(nth).expect("below five")].filter(|_| asked == 0)
}

#[async_trait]
impl StateMachines for Outside {
    async fn start(&self, start: &StartStateMachine) -> Result<StartedMachine, StateMachineError> {
        let claimed = self.attempt(&start.machine);
        if let Some((execution, claim)) = &claimed {
            let expected = ids::state_machine_name(execution, &claim.step, claim.visit);
            if start.name != expected {
                self.hub.violate(4, format!("the machine for {expected} has another name: {}", start.name));
            }
        }
        self.way(start.timeout).await;
        let asked = self.hub.lock().ledger.ask(&format!("machine|{}", start.name));
        let failure = scripted(start, asked);
        if let Some(failure) = failure {
            self.hub.count("outside failures");
            self.hub.note(&format!("{} is not started: {failure:?}", start.machine));
        }
        match failure {
            Some(Failure::Throttled) => {
                self.refused(claimed.as_ref());
                return Err(StateMachineError::Throttled("come back later".to_owned()));
            }
            Some(Failure::BeforeEffect) => {}
            Some(Failure::AfterEffect) | None => {
                let started = begin(&self.hub, start);
                if failure.is_none() {
                    self.performed(claimed.as_ref());
                    self.way(start.timeout).await;
                    return Ok(started);
                }
            }
        }
        self.hub.pause_for(start.timeout).await;
        Err(StateMachineError::Network("no answer".to_owned()))
    }

    async fn describe(&self, arn: &str, timeout: SignedDuration) -> Result<MachineState, StateMachineError> {
        if self.claimed().is_none() {
            self.hub.violate(4, format!("{arn} is looked at without a claim"));
        }
        self.way(timeout).await;
        let now = self.hub.now();
        let state = {
            let mut state = self.hub.lock();
            state.counts.add("looks at machines");
            let asked = state.ledger.ask(&format!("look|{arn}"));
            // Who asks for the second time about some of them is told to come back.
            let busy = asked == 1 && hash(arn).is_multiple_of(3);
            match state.ledger.machine(arn) {
                _ if busy => Err(StateMachineError::Throttled("come back later".to_owned())),
                None => Err(StateMachineError::NotFound("there is no such execution".to_owned())),
                Some(machine) if machine.ends_at <= now => Ok(machine.end.clone()),
                Some(_) => Ok(MachineState { status: "RUNNING".to_owned(), ..MachineState::default() }),
            }
        };
        self.way(timeout).await;
        state
    }
}

/// Starts a machine, unless one of its name is there: then that is it, and it must have been asked for the same.
fn begin(hub: &Hub, start: &StartStateMachine) -> StartedMachine {
    let known = hub.lock().ledger.machine(&execution_arn(start)).cloned();
    if let Some(machine) = known {
        if machine.input != start.input {
            hub.violate(4, format!("{} is asked for again with another input", start.name));
        }
        hub.count("machines asked for again");
        return machine.started;
    }
    let now = hub.now();
    let Nature { takes, calls_back_after, status } = nature(start);
    let started = StartedMachine { execution_arn: execution_arn(start), started_at: now };
    let error = (status != "SUCCEEDED").then(|| "Simulated".to_owned());
    let output = json!({"said": start.input["n"]});
    let end = MachineState { status: status.to_owned(), output: output.clone(), error, cause: None };
    let ends_at = takes.map_or(Timestamp::MAX, |takes| now + takes);
    if takes.is_some() {
        say(hub, &start.name, ends_at, &status_change(&started.execution_arn, ends_at, &end));
    }
    if let (Some(span), Some(token)) = (calls_back_after, start.input.pointer("/pawl/token").and_then(Value::as_str)) {
        let name = format!("{}-callback", start.name);
        say(hub, &name, now + span, &callback(token, now + span, &json!({"output": output})));
        // Somebody guesses: that must change nothing.
        let guess = callback("pawl_guessed", now, &json!({"output": "guessed"}));
        say(hub, &format!("{}-guess", start.name), now, &guess);
    }
    let mut state = hub.lock();
    state.counts.add("machines started");
    let machine = Machine { input: start.input.clone(), started: started.clone(), ends_at, end };
    state.ledger.begin_machine(machine);
    started
}

/// The bus says something at a time: late, twice, or not at all.
fn say(hub: &Hub, name: &str, at: Timestamp, event: &Value) {
    let times = {
        let mut state = hub.lock();
        let profile = state.profile;
        let mut times = vec![at];
        if state.disturbs(profile.lose.div_ceil(8)) {
            state.counts.add("bus events lost");
            times.clear();
        } else if state.disturbs(profile.duplicate) {
            state.counts.add("bus events repeated");
            times.push(at + state.chance.millis(0, 90_000));
        }
        if profile.budget > 0 && state.chance.percent(30) {
            let late = state.chance.millis(0, 60_000);
            for due in &mut times {
                *due += late;
            }
        }
        times
    };
    for (number, due) in times.into_iter().enumerate() {
        let digest = hash(&format!("{name} {number}"));
        let message = bus_timer(&format!("bus-{digest:016x}"), due, event);
        let set = hub.store.timers().set(message).now_or_never();
        set.expect("memory answers at once").expect("timers in memory take this call");
    }
}
