//! What the outside world was asked to do, and by whom.

use std::collections::BTreeMap;

use jiff::Timestamp;
use pawl_engine::{Address, StartedMachine};
use pawl_runtime::ports::MachineState;
use serde_json::Value;

use super::monitor::{Broken, Claimed};

/// One effect: a visit of a step with effects outside.
#[derive(Debug, Default)]
struct Effect {
    /// Attempts that reached the sending of a request, and whether the answer said for sure that nothing happened.
    attempts: Vec<(u32, bool)>,
    /// Requests that had their effect.
    performed: u32,
}

/// An execution of a state machine. One name is one machine, and so one effect.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    pub(super) input: Value,
    pub(super) started: StartedMachine,
    pub(super) ends_at: Timestamp,
    pub(super) end: MachineState,
}

/// Every effect, by (execution, address, visit).
#[derive(Debug, Default)]
pub(super) struct Ledger {
    effects: BTreeMap<(String, Address, u32), Effect>,
    /// Requests by what they ask, so that a service that fails at first knows when to stop failing.
    asked: BTreeMap<String, u32>,
    /// State machines by the ARN of their execution.
    machines: BTreeMap<String, Machine>,
}

impl Ledger {
    /// A claimed effect is attempted. `recorded`: history already says that it is done.
    pub(super) fn attempt(&mut self, execution: &str, claim: &Claimed, recorded: bool) -> Option<Broken> {
        let key = (execution.to_owned(), claim.address.clone(), claim.visit);
        let effect = self.effects.entry(key).or_default();
        let what = format!("{execution}:{}:{}", claim.address, claim.visit);
        if recorded {
            return Some((4, format!("the effect {what} is performed although it is recorded as done")));
        }
        if effect.attempts.last().is_none_or(|(last, _)| *last != claim.lease.attempt) {
            effect.attempts.push((claim.lease.attempt, false));
        }
        let uncertain = effect.attempts.iter().rev().skip(1).any(|(_, refused)| !refused);
        if claim.at_most_once && uncertain {
            return Some((4, format!("the at-most-once effect {what} is attempted again: {:?}", effect.attempts)));
        }
        None
    }

    /// A request had its effect.
    pub(super) fn performed(&mut self, execution: &str, claim: &Claimed) {
        let key = (execution.to_owned(), claim.address.clone(), claim.visit);
        self.effects.entry(key).or_default().performed += 1;
    }

    /// The answer said for sure that the last attempt had no effect.
    pub(super) fn refused(&mut self, execution: &str, claim: &Claimed) {
        let key = (execution.to_owned(), claim.address.clone(), claim.visit);
        if let Some((_, refused)) = self.effects.entry(key).or_default().attempts.last_mut() {
            *refused = true;
        }
    }

    /// How often the same was asked before.
    pub(super) fn ask(&mut self, what: &str) -> u32 {
        let asked = self.asked.entry(what.to_owned()).or_default();
        *asked += 1;
        *asked - 1
    }

    /// A state machine that was started.
    pub(super) fn machine(&self, execution_arn: &str) -> Option<&Machine> {
        self.machines.get(execution_arn)
    }

    /// A state machine begins.
    pub(super) fn begin_machine(&mut self, machine: Machine) {
        self.machines.insert(machine.started.execution_arn.clone(), machine);
    }

    /// Effects that happened more than once.
    pub(super) fn repeated(&self) -> usize {
        self.effects.values().filter(|effect| effect.performed > 1).count()
    }
}
