//! Signals of a generated world.

use serde_json::json;

use super::{Action, Plan, What};
use crate::chance::Chance;

/// The name of all of them.
pub(super) const NAME: &str = "ping";

/// A key that nobody sends.
pub(super) const NOBODYS: &str = "nobody's";

/// A key that several wait for.
pub(super) fn key(chance: &Chance) -> &'static str {
    let key: &&'static str = chance.pick(&["a", "a", "b"]);
    key
}

/// Signals that people send, most of them in bursts: those who wait and those that come race.
pub(super) fn make(plan: &Plan<'_>, actions: &mut Vec<Action>) {
    let chance = plan.chance;
    if plan.confluent || chance.percent(30) {
        return;
    }
    let mut number = 0;
    for _ in 0..=chance.below(4) {
        let at = chance.millis(0, *chance.pick(&[5_000, 60_000, 1_200_000]));
        for _ in 0..=chance.below(3) {
            number += 1;
            let what = What::Signal {
                name: NAME.to_owned(),
                key: key(chance).to_owned(),
                payload: json!({"n": chance.below(9), "number": number}),
                idempotency_key: format!("signal {number}"),
            };
            let at = at + chance.millis(0, 50);
            if chance.percent(20) {
                actions.push(Action { at: at + chance.millis(0, 90_000), what: what.clone() });
            }
            actions.push(Action { at, what });
        }
    }
}
