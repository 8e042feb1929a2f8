//! Generated steps that wait for signals and send them.

use serde_json::{Value, json};

use super::Maker;
use crate::script::signal;

impl Maker<'_> {
    /// A wait for a signal. In a confluent world it times out for certain: who of several receives a signal depends on what
    /// overtakes what.
    pub(super) fn wait_for_signal(&mut self, depth: usize, most: usize) -> Value {
        let chance = self.plan.chance;
        let (received, timed_out) = (self.steps(depth + 1, most), self.steps(depth + 1, most));
        let mut step = json!({
            "type": "wait_for_signal", "signal": signal::NAME, "received": received, "timed_out": timed_out,
        });
        if self.plan.confluent {
            step["key"] = json!(signal::NOBODYS);
            step["timeout"] = json!(chance.pick(&["10s", "20m"]));
            return step;
        }
        step["key"] = json!(signal::key(chance));
        step["timeout"] = json!(chance.pick(&["never", "20s", "10m", "1d", "2020-01-01T00:00:00Z"]));
        step["earlier"] = json!(chance.percent(50));
        if chance.percent(30) {
            step["schema"] = json!({"type": "object", "properties": {"n": {"type": "number", "maximum": 6}}});
        }
        if chance.percent(30) {
            step["save_as"] = json!("found");
        }
        step
    }

    /// Sends a signal; in a confluent world one that nobody waits for.
    pub(super) fn send_signal(&mut self) -> Value {
        let chance = self.plan.chance;
        let key = if self.plan.confluent { "void" } else { signal::key(chance) };
        json!({
            "type": "send_signal", "signal": signal::NAME, "key": key, "payload": {"n": "{{ vars.n }}"},
            "on_failure": self.policy(false),
        })
    }
}
