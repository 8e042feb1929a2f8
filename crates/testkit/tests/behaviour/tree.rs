//! Limits that hold for an execution with all its items and lanes: steps, what models cost, depth.

mod budget;

use pawl_engine::{Execution, Status, StepError};
use pawl_testkit::scenario::{Scenario, World, answer, completed, failed, manual, paused, scenario};

use crate::support::with;

/// Two hours.
const NAP: &str = "{id: nap, type: delay, for: 2h}";

/// The execution at the root of the tree.
fn whole(world: &World) -> Execution {
    let mut all = world.executions();
    all.retain(|execution| execution.region.is_none() && execution.workflow == "w");
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn error(story: &Scenario) -> StepError {
    whole(story.world()).error.expect("it failed")
}

fn notes(prefix: &str, count: usize) -> String {
    let notes: Vec<_> = (0..count).map(|n| format!("{{id: {prefix}{n}, type: note, text: x}}")).collect();
    notes.join(", ")
}

/// A loop over so many items with these steps.
fn each(items: usize, steps: &str) -> String {
    let items: Vec<_> = (0..items).collect();
    format!("  - {{id: each, type: for_each, items: {items:?}, do: [{steps}]}}\n")
}

/// A branch with these keys and lanes.
fn fork(keys: &str, lanes: &[(&str, &str)]) -> String {
    let lanes: Vec<_> = lanes.iter().map(|(name, steps)| format!("{name}: [{steps}]")).collect();
    format!("{{id: fork, type: branch, {keys}lanes: {{{}}}}}", lanes.join(", "))
}

fn run(limits: &str, steps: &str) -> Scenario {
    scenario().workflow(&with(&format!("limits: {{{limits}}}"), steps)).event(manual("w")).run_until_idle()
}

const AFTER: &str = "  - {id: after, type: note, text: after}\n";

#[test]
fn each_list_of_steps_counts_by_itself() {
    let items = each(5, &notes("n", 3));
    run("steps: 3", &format!("{items}{AFTER}")).expect(completed());
    let lanes = format!("  - {}\n", fork("", &[("a", &notes("a", 3)), ("b", &notes("b", 3))]));
    let story = run("steps: 3", &format!("{lanes}{AFTER}")).expect(completed());
    assert_eq!(whole(story.world()).steps_done, 8, "the total is that of all");
    let both = each(
        2,
        &fork(
            "",
            &[("a", &each(3, &notes("a", 2)).trim_start_matches("  - ").trim_end().replace("id: each", "id: inner"))],
        ),
    );
    run("steps: 2", &format!("{both}{AFTER}")).expect(completed());
}

#[test]
fn the_list_around_a_loop_goes_on_with_its_count() {
    let first = "  - {id: first, type: note, text: x}\n";
    let items = each(4, &notes("n", 2));
    run("steps: 3", &format!("{first}{items}{AFTER}")).expect(completed());
    let story = run("steps: 2", &format!("{first}{items}{AFTER}")).expect(failed("step_limit"));
    assert_eq!(error(&story).message, "the execution carried out 2 steps; `limits.steps` is 2");
    assert_eq!(whole(story.world()).steps_done, 10);
}

#[test]
fn an_item_and_a_lane_carry_out_so_many_steps_and_no_more() {
    let story = run("steps: 2", &each(4, &notes("n", 3))).expect(failed("step_limit"));
    assert_eq!(error(&story).message, "item 0 of each carried out 2 steps; `limits.steps` is 2");
    let story = run("steps: 2", &format!("  - {}\n", fork("", &[("a", &notes("a", 3))]))).expect(paused());
    let fork = whole(story.world()).steps["fork"].clone();
    assert_eq!(fork.output["a"]["error"]["message"], "fork.a carried out 2 steps; `limits.steps` is 2");
}

#[test]
fn a_tree_carries_out_so_many_steps_and_no_more() {
    let steps = format!("{}{AFTER}", each(10, &notes("n", 3)));
    run("tree_steps: 32", &steps).expect(completed());
    for most in [1, 7, 30, 31] {
        let story = run(&format!("tree_steps: {most}"), &steps).expect(failed("tree_step_limit"));
        assert_eq!(whole(story.world()).steps_done, most);
        let told = format!("the execution and all in it carried out {most} steps; `limits.tree_steps` is {most}");
        assert_eq!(error(&story).message, told);
    }
}

#[test]
fn lanes_share_what_is_left_and_give_back_what_they_do_not_need() {
    let lanes = format!("  - {}\n", fork("", &[("a", &notes("a", 5)), ("b", &notes("b", 1))]));
    let story = run("tree_steps: 11", &lanes).expect(completed());
    assert_eq!(whole(story.world()).steps_done, 7);
    // Four steps are left after the branch: two items of one step, the loop, and the step after it.
    run("tree_steps: 11", &format!("{lanes}{}{AFTER}", each(2, &notes("n", 1)))).expect(completed());
    let story = run("tree_steps: 11", &format!("{lanes}{}{AFTER}", each(3, &notes("n", 1))));
    let story = story.expect(failed("tree_step_limit"));
    assert_eq!(whole(story.world()).steps_done, 11);
    let story = run("tree_steps: 10", &lanes).expect(paused());
    let fork = whole(story.world()).steps["fork"].clone();
    let told = "fork.a and all in it carried out 4 steps; its share of `limits.tree_steps` (10) is 4";
    assert_eq!(fork.output["a"]["error"]["message"], told);
    assert_eq!(fork.error.expect("a lane failed").code, "lane_failed");
}

#[test]
fn a_lane_divides_its_own_share() {
    let inner = fork("", &[("x", &notes("x", 3)), ("y", &notes("y", 3))]).replace("fork", "inner");
    let lanes =
        |steps: &str| format!("  - {}\n", fork("lane_failed: continue, ", &[("a", steps), ("b", &notes("b", 1))]));
    // 15 without the branch itself are 7 for each; 6 of them are divided again.
    let story = run("tree_steps: 15", &lanes(&inner)).expect(completed());
    assert_eq!(whole(story.world()).steps_done, 9);
    let story = run("tree_steps: 14", &lanes(&inner)).expect(completed());
    assert_eq!(whole(story.world()).steps["fork"].output["a"]["status"], "failed");
}

/// A branch whose first lane to complete goes on, in each of many items: what a canceled lane did not use is there again.
#[test]
fn shares_of_lanes_that_were_canceled_come_back() {
    let race = fork("join: any, ", &[("slow", &format!("{NAP}, {}", notes("s", 1))), ("fast", &notes("f", 1))]);
    let story = run("tree_steps: 40", &format!("{}{AFTER}", each(10, &race))).expect(completed());
    let root = whole(story.world());
    assert_eq!((root.steps_done, root.parts.open.len()), (22, 0));
    let lanes = story.world().executions().into_iter().filter(|execution| execution.region.is_some());
    assert_eq!(lanes.filter(|lane| lane.status == Status::Canceled).count(), 10);
    assert_eq!(story.world().replayed(), [""; 0]);
}

/// The same in lanes: who outlives its lane is counted at the root.
#[test]
fn shares_in_lanes_that_have_ended_come_back_too() {
    let race = fork("join: any, ", &[("slow", NAP), ("fast", &notes("f", 1))]).replace("fork", "race");
    let steps = format!(
        "{}{AFTER}",
        each(
            10,
            &fork("", &[("a", &race), ("b", &race.replace("race", "other").replace("nap", "nop").replace("f0", "g0"))])
        )
    );
    let story = run("tree_steps: 160", &steps).expect(completed());
    // Of each item: two lanes with a race and its winner, and the branch.
    assert_eq!(whole(story.world()).steps_done, 10 * 5 + 2);
    assert_eq!(story.world().replayed(), [""; 0]);
}

/// A call that is out when its lane has lost ends, and is counted.
#[test]
fn what_a_lane_still_carries_out_after_it_has_lost_counts() {
    let call =
        "{id: call, type: http_request, method: POST, url: 'https://a.example/'}, {id: never, type: note, text: x}";
    let race = format!(
        "  - {}\n{AFTER}  - {{id: wait, type: delay, for: 1h}}\n",
        fork("join: any, ", &[("a", call), ("b", &notes("b", 1))])
    );
    let story = scenario().workflow(&with("limits: {tree_steps: 50}", &race));
    let world = story.world().clone();
    let story = story.http(move |_| {
        let world = world.clone();
        answer(200).meanwhile(move || {
            world.settle().expect("the others go on");
            let root = whole(&world);
            assert_eq!(
                (root.steps_done, root.parts.open.len()),
                (3, 1),
                "the lane that won, the branch, and the step after it"
            );
            assert_eq!(
                root.parts.open.values().next().map(|part| part.steps),
                Some(24),
                "all of its share may be used"
            );
        })
    });
    let story = story.event(manual("w")).run_until_idle().expect(completed());
    let root = whole(story.world());
    assert_eq!((root.steps_done, root.parts.open.len()), (5, 0), "the call is one of them");
    let lane = story.world().lane(&root.id, "fork.a").expect("it was started");
    assert_eq!((lane.status, lane.steps_done), (Status::Canceled, 1));
    assert_eq!(story.world().replayed(), [""; 0]);
}

/// Lanes that were never started need nothing.
#[test]
fn a_canceled_whole_counts_its_lanes() {
    let lanes = format!("  - {}\n", fork("", &[("a", &format!("{}, {NAP}", notes("a", 2))), ("b", &notes("b", 1))]));
    let story = scenario().workflow(&with("limits: {tree_steps: 21}", &lanes)).event(manual("w")).settle();
    story.world().control(&whole(story.world()).id, &pawl_engine::Control::Cancel).expect("it is open");
    let story = story.run_until_idle();
    let root = whole(story.world());
    assert_eq!((root.status, root.steps_done), (Status::Canceled, 1), "the lane that has ended");
    assert_eq!(root.parts.open.values().map(|part| part.steps).collect::<Vec<_>>(), [10]);
}

#[test]
fn a_start_in_a_lane_is_as_deep_as_one_of_the_whole() {
    let starts = fork("", &[("a", "{id: go, type: start_workflow, workflow: w}")]);
    let story = run("depth: 3, self: 100", &format!("  - {starts}\n"));
    let all = story.world().executions();
    assert_eq!(all.iter().filter(|execution| execution.region.is_none()).count(), 3);
    let refused: Vec<_> = story.world().refusals("w").into_iter().map(|refusal| refusal.code).collect();
    assert_eq!(refused, ["depth_limit"]);
}
