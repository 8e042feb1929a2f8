//! What must hold of signals at rest: each that was accepted was taken once, or is kept, or has expired; and none is kept for
//! an execution that waits.

use pawl_engine::{Execution, SentSignal, Status, signal};
use pawl_runtime::items;
use pawl_runtime::ports::{Clock, Item};

use crate::hub::Hub;
use crate::monitor::{Broken, Monitor};
use crate::script::SIGNAL;
use crate::task::Accepted;

/// Checks them.
pub(super) fn check(hub: &Hub, monitor: &Monitor, (items, accepted): (&[Item], &[Accepted]), broken: &mut Vec<Broken>) {
    for Accepted { event, .. } in accepted.iter().filter(|accepted| accepted.trigger == SIGNAL) {
        if !monitor.signals.is_accepted(event) {
            broken.push((2, format!("the signal {event} was acknowledged and is not stored")));
        }
    }
    for sent in monitor.signals.accepted() {
        let entry = items::signal_line::entry_key(&sent.topic(), sent.number);
        let is_kept = items.iter().any(|item| item.key == entry && item.is_live(hub.clock.now()));
        let expires = items::signal_line::KEPT.expires_at(sent.sent_at);
        let has_expired = expires.is_some_and(|at| at <= hub.clock.now());
        match monitor.signals.taker(&sent.id) {
            None if !is_kept && !has_expired => {
                broken.push((2, format!("the signal {} is neither taken nor kept", sent.id)));
            }
            Some(taker) if is_kept => {
                broken.push((4, format!("the signal {} is kept although {taker} has taken it", sent.id)));
            }
            None if is_kept => {
                if let Some(head) = monitor.open().find(|head| waits_for(monitor, head, sent)) {
                    broken.push((3, format!("{}: waits although the signal {} is kept for it", head.id, sent.id)));
                }
            }
            _ => {}
        }
    }
}

/// Whether an execution waits for a signal, and nothing holds it.
fn waits_for(monitor: &Monitor, head: &Execution, sent: &SentSignal) -> bool {
    let topics = head.waiting.iter().flat_map(|waiting| &waiting.topics);
    let mut places = topics.filter_map(|topic| topic.split_once('|'));
    let is_held = head.killed.is_some() || head.stalled || monitor.is_killed(&head.workflow);
    head.status == Status::Waiting
        && !is_held
        && places.any(|(place, topic)| topic == sent.topic() && signal::counts_for(place, sent.sent_at))
}
