//! Operators who begin executions again, from a step on or anew.
//!
//! Everything about them is chosen apart from all else. What an execution has come to when it is forked depends on what overtakes
//! what, so no world whose outcome is compared has forks.

use super::{Action, Script, What};
use crate::chance::Chance;

/// How many seeds of a hundred have forks, of those whose outcome may vary.
const SHARE: u32 = 35;

/// How many seeds of a hundred have replays of refused events, of those whose outcome may vary.
const REPLAYS: u32 = 20;

/// Lets an operator replay refused events of some worlds.
pub(super) fn settle_replays(seed: u64, script: &mut Script) {
    let chance = &Chance::new(seed, "replays");
    if script.confluent || !chance.percent(REPLAYS) {
        return;
    }
    for number in 0..=chance.below(3) {
        let at = chance.millis(20_000, *chance.pick(&[90_000, 200_000, 8_000_000]));
        let what = What::Replay { choice: chance.below(100), key: format!("replay {number}") };
        script.actions.push(Action { at, what });
    }
    script.actions.sort_by_key(|action| action.at);
}

/// Lets an operator fork some executions of some worlds.
pub(super) fn settle(seed: u64, script: &mut Script) {
    let chance = &Chance::new(seed, "forks");
    if script.confluent || !chance.percent(SHARE) {
        return;
    }
    for number in 0..=chance.below(3) {
        let at = chance.millis(0, *chance.pick(&[30_000, 200_000, 8_000_000]));
        let step = chance.percent(75).then(|| chance.below(100));
        let what = What::Fork { choice: chance.below(100), step, key: format!("fork {number}") };
        script.actions.push(Action { at, what });
    }
    script.actions.sort_by_key(|action| action.at);
}
