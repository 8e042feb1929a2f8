//! `delay`: waits for a time, and a month of it costs nothing.

use pawl_testkit::scenario::{completed, manual, scenario, waiting};

#[test]
fn thirty_days_cost_nothing() {
    let story = scenario()
        .workflow("{workflow: w, owner: o@example.com, steps: [{id: wait, type: delay, for: 30d}, {id: done, type: note, text: over}]}")
        .event(manual("w"))
        .run_for("29d 23h")
        .expect(waiting().path([]))
        .run_until_idle()
        .expect(completed().path(["wait", "done"]));
    assert_eq!(story.world().now().to_string(), "2026-01-31T00:00:00Z");
}
