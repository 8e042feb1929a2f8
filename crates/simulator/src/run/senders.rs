//! Senders: who asks for what, and asks again until the answer comes.

use std::mem;

use jiff::{SignedDuration, Timestamp};

use super::Run;
use crate::acting;
use crate::script::{Action, POSTED, What};
use crate::task::{Accepted, Answer, Purpose};

/// An action and what became of it.
pub(super) struct Asked {
    pub(super) action: Action,
    pub(super) next: Timestamp,
    pub(super) tries: u32,
    pub(super) busy: bool,
    pub(super) answer: Option<Answer>,
}

impl Asked {
    pub(super) fn new(action: &Action, now: Timestamp) -> Self {
        Self { next: now + action.at, action: action.clone(), tries: 0, busy: false, answer: None }
    }

    fn event(&self) -> Option<&Accepted> {
        match &self.answer {
            Some(Answer::Done(accepted)) => accepted.as_ref(),
            _ => None,
        }
    }
}

/// By what a repeat is known: the key of a delivery, and the workflow and the trigger that it is for.
fn claim(what: &What) -> Option<(&str, &str, &str)> {
    match what {
        What::Deliver { key: Some(key), workflow, trigger, .. } => Some((key, workflow, trigger)),
        What::Post { id, .. } | What::Interact { id, .. } | What::Mail { id, .. } => Some((id, "", POSTED)),
        _ => None,
    }
}

impl Run {
    /// Whoever repeats a delivery that was answered gets the first answer.
    pub(super) fn check_repeats(&self, index: usize) {
        let Some(own @ (key, ..)) = claim(&self.asked[index].action.what) else { return };
        let same = |asked: &&Asked| claim(&asked.action.what) == Some(own);
        let answers: Vec<_> = self.asked.iter().filter(same).filter_map(Asked::event).collect();
        let fresh = answers.iter().filter(|accepted| !accepted.replayed).count();
        if fresh > 1 {
            self.hub.violate(2, format!("the delivery {key:?} was accepted anew {fresh} times"));
        }
    }

    pub(super) fn start_actions(&mut self) {
        let now = self.hub.now();
        if mem::take(&mut self.hub.lock().hurry) {
            let mut open = self.asked.iter_mut().filter(|asked| asked.answer.is_none() && !asked.busy);
            let overtakes = |what: &What| match what {
                What::Update { fields, .. } => fields.contains_key("state"),
                what => matches!(what, What::Save(_) | What::Define(..)),
            };
            if let Some(asked) = open.find(|asked| overtakes(&asked.action.what)) {
                asked.next = now;
            }
        }
        for index in 0..self.asked.len() {
            let asked = &self.asked[index];
            if asked.answer.is_some() || asked.busy || asked.next > now || !self.may_begin(&asked.action.what) {
                continue;
            }
            let what = asked.action.what.clone();
            self.asked[index].busy = true;
            self.asked[index].tries += 1;
            let process = self.any_process();
            let work = acting::work(&self.hub, &self.processes[process].system, what);
            self.spawn(process, Purpose::Action(index), SignedDuration::ZERO, work);
        }
    }

    /// Nobody writes of a ticket before it was made, and nobody lifts a kill before it was done.
    fn may_begin(&self, what: &What) -> bool {
        let open = |fits: &dyn Fn(&What) -> bool| {
            self.asked.iter().any(|asked| asked.answer.is_none() && fits(&asked.action.what))
        };
        match what {
            What::Update { subject, .. }
            | What::Archive { subject, .. }
            | What::Forget { record: subject, .. }
            | What::Deliver { subject: Some(subject), creates: None, .. } => {
                !open(&|what| matches!(what, What::Create { id, .. } if *id == subject.id))
            }
            // The first ticket that it may be about is there.
            What::Interact { .. } => !open(&|what| matches!(what, What::Create { .. })),
            What::KillAll(false) => !open(&|what| matches!(what, What::KillAll(true))),
            What::KillWorkflow(workflow, false) => {
                !open(&|what| matches!(what, What::KillWorkflow(other, true) if other == workflow))
            }
            _ => true,
        }
    }
}
