//! What models cost an execution with all its lanes.

use jiff::SignedDuration;
use pawl_engine::StepCode;
use pawl_runtime::items::{tree_usage, usage};
use pawl_runtime::ports::Item;
use pawl_testkit::scenario::{Scenario, World, completed, manual, paused, says, scenario};

use super::{fork, whole};
use crate::support::with;

fn ask(id: &str) -> String {
    format!("{{id: {id}, type: call_llm, model: test/model, prompt: {id}}}")
}

fn nap(id: &str, span: &str) -> String {
    format!("{{id: {id}, type: delay, for: {span}}}")
}

/// A workflow with these limits; a call costs 120 tokens.
fn story(keys: &str, steps: &str) -> Scenario {
    scenario().workflow(&with(keys, steps)).model(|_| says("x")).event(manual("w"))
}

/// Counters of the parts of trees.
fn counters(world: &World) -> Vec<Item> {
    let mut items = world.store.items(tree_usage::TABLE);
    items.retain(|item| item.key.sort.starts_with("budget#"));
    items
}

#[test]
fn lanes_beside_each_other_see_what_all_of_them_have_spent() {
    let first = format!("{}, {}, {}", ask("a1"), nap("na", "2h"), ask("a2"));
    let second = format!("{}, {}", nap("nb", "1h"), ask("b1"));
    let lanes = |budget: u32| {
        let steps = format!("  - {}\n  - {}\n", ask("own"), fork("", &[("a", &first), ("b", &second)]));
        story(&format!("limits: {{budget: {{tokens: {budget}}}}}"), &steps).run_until_idle()
    };
    // Four calls: 480 tokens. The last one is that of the lane that has spent only 120 itself.
    let story = lanes(361).expect(completed());
    assert_eq!(whole(story.world()).usage.tokens, 480);
    assert_eq!(story.world().replayed(), [""; 0]);
    let story = lanes(360).expect(paused());
    let root = whole(story.world());
    assert_eq!(root.usage.tokens, 360);
    let lane = story.world().lane(&root.id, "fork.a").expect("it was started");
    assert_eq!(lane.error.expect("its second call was refused").code, StepCode::OverBudget);
    assert_eq!(lane.usage.tokens, 120);
    assert_eq!(story.world().replayed(), [""; 0]);
}

#[test]
fn lanes_in_lanes_and_later_branches_draw_on_the_same_budget() {
    let inner = fork("", &[("x", &ask("x1")), ("y", &nap("ny", "1m"))]).replace("fork", "inner");
    let steps = format!(
        "  - {}\n  - {}\n  - {}\n",
        fork("", &[("a", &inner)]),
        ask("own"),
        fork("", &[("b", &ask("b1"))]).replace("fork", "later")
    );
    let run = |budget: u32| story(&format!("limits: {{budget: {{tokens: {budget}}}}}"), &steps).run_until_idle();
    let done = run(241).expect(completed());
    assert_eq!(whole(done.world()).usage.tokens, 360);
    let counted = usage::parse(&counters(done.world()).into_iter().rev().map(Some).collect::<Vec<_>>());
    assert_eq!(counted.expect("they are counters").tokens, 240, "those of the root are not in it");
    let refused = run(240).expect(paused());
    assert_eq!(
        whole(refused.world()).steps["later"].error.clone().expect("its lane failed").code,
        StepCode::LaneFailed
    );
}

#[test]
fn an_execution_without_lanes_counts_nothing_beside_itself_and_the_counters_go_with_the_root() {
    let keys = "retention: 7d\nlimits: {budget: {tokens: 1000}}";
    let alone = story(keys, &format!("  - {}\n", ask("own"))).run_until_idle().expect(completed());
    assert_eq!(counters(alone.world()), []);
    let lanes = story(keys, &format!("  - {}\n", fork("", &[("a", &ask("a1"))]))).run_until_idle().expect(completed());
    assert_eq!(counters(lanes.world()).len(), 2);
    lanes.world().clock.advance(SignedDuration::from_hours(8 * 24));
    lanes.world().settle().expect("nothing fails");
    assert_eq!(lanes.world().executions().len(), 0);
    assert_eq!(counters(lanes.world()), []);
}
