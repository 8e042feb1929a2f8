//! Executions that begin again: from what another one had come to before a step, or anew from its event.

mod kept;
mod refused;
mod replayed;
mod revisions;

use pawl_engine::{Control, Execution, Status};
use pawl_runtime::ForkFailed;
use pawl_testkit::scenario::{Scenario, World, answer, completed, manual, paused, scenario, signal, waiting, webhook};
use serde_json::{Map, Value, json};

use crate::outages::at_once;
use crate::support::{TICKET, on_tickets_with, with};

fn values(given: Value) -> Map<String, Value> {
    match given {
        Value::Object(values) => values,
        _ => Map::new(),
    }
}

/// The last execution is forked, and everything that is due is done.
#[track_caller]
fn forked(story: Scenario, at: &str, given: Value) -> Scenario {
    let original = story.last().execution.id;
    story.world().fork(&original, Some(at), values(given)).unwrap_or_else(|error| panic!("{error}"));
    story.run_until_idle()
}

/// The last execution is begun anew.
#[track_caller]
fn rerun(story: Scenario, given: Value) -> Scenario {
    let original = story.last().execution.id;
    story.world().fork(&original, None, values(given)).unwrap_or_else(|error| panic!("{error}"));
    story.run_until_idle()
}

/// Why the last execution is not forked.
#[track_caller]
fn not_forked(story: &Scenario, at: Option<&str>) -> String {
    refusal(story.world(), &story.last().execution.id, at)
}

#[track_caller]
fn refusal(world: &World, id: &str, at: Option<&str>) -> String {
    match world.fork(id, at, Map::new()) {
        Err(ForkFailed::Refused(why)) => why.to_string(),
        other => panic!("expected a refusal, found {other:?}"),
    }
}

/// The executions that were called, by their paths.
fn calls(story: &Scenario) -> Vec<String> {
    let path = |url: &str| url.rsplit('/').next().unwrap_or_default().to_owned();
    story.world().http.calls().iter().map(|call| path(&call.url)).collect()
}

/// An original stays as it was.
fn heads(world: &World) -> Vec<Execution> {
    world.executions()
}

const ORDER: &str = "  - {id: find, type: http_request, method: POST, url: 'https://x.example/find', save_as: found}
  - {id: tell, type: http_request, method: POST, url: 'https://x.example/{{ vars.path }}', body: {found: '{{ vars.found.body.n }}'},
     on_failure: {retry: {attempts: 0}, then: pause}}
  - {id: end, type: note, text: '{{ steps.find.output.body.n }} {{ trigger.id }}'}";

fn order(path: &str) -> String {
    with(
        &format!("variables: [{{name: path, type: text, default: {path}}}, {{name: n, type: number, default: 1}}]"),
        ORDER,
    )
}

/// Its second call failed.
fn failed_call() -> Scenario {
    let story = scenario().workflow(&order("wrong")).http(|request| match request.url.as_str() {
        "https://x.example/find" => answer(200).body(json!({"n": 7})),
        "https://x.example/right" => answer(200).body(json!({})),
        _ => answer(404),
    });
    story.event(manual("w")).run_until_idle().expect(paused())
}

#[test]
fn a_fork_goes_on_from_the_step_that_failed_with_other_values() {
    let story = failed_call();
    let before = heads(story.world()).remove(0);
    let story = forked(story, "tell", json!({"path": "right"}));
    let story = story.expect(completed().path(["tell", "end"]).variable("path", "right"));
    assert_eq!(calls(&story), ["find", "wrong", "right"], "what was found is not asked for again");
    assert_eq!(heads(story.world())[0], before, "the original is not written to");

    let trace = story.last();
    let first = &trace.rows[0];
    assert_eq!(first.note.as_deref(), Some(&*format!("fork of {} before step tell", before.id)));
    assert_eq!(first.actor.as_deref(), Some("operator@example.com"));
    let fork = trace.execution.fork.clone().expect("it is one");
    assert_eq!((fork.execution, fork.at.as_deref()), (before.id, Some("tell")));
    assert_eq!(trace.rows[1].output, json!({"found": trace.execution.variables["found"], "n": 1, "path": "right"}));
    // What expressions see of the trigger is that of the original.
    let end = trace.rows.iter().find(|row| row.step.as_deref() == Some("end")).expect("it was carried out");
    assert_eq!(end.note.as_deref(), Some(&*format!("7 {}", before.event_id)));
}

#[test]
fn a_fork_goes_on_by_the_workflow_in_force() {
    let story = failed_call().workflow(&order("right"));
    // The variable was set when the original began.
    let story = forked(story, "tell", json!({})).expect(paused().variable("path", "wrong"));
    let edited = ORDER.replace("{{ vars.path }}", "right");
    let story = story.workflow(&with("variables: [{name: path, type: text}]", &edited));
    let story = forked(story, "tell", json!({})).expect(completed().path(["tell", "end"]));
    assert_eq!(calls(&story), ["find", "wrong", "wrong", "right"]);
}

#[test]
fn a_rerun_begins_anew_from_the_event() {
    let story = failed_call().workflow(&order("right"));
    let original = heads(story.world()).remove(0);
    let story = rerun(story, json!({"n": 2})).expect(completed().path(["find", "tell", "end"]).variable("n", 2));
    assert_eq!(calls(&story), ["find", "wrong", "find", "right"]);
    let trace = story.last();
    assert_eq!(trace.rows[0].note.as_deref(), Some(&*format!("rerun of {}", original.id)));
    assert_eq!(trace.rows.last().expect("it has rows").note.as_deref(), Some(&*format!("7 {}", original.event_id)));
    // What was given to it holds for its own rerun, until something else is given.
    let story = rerun(story, json!({})).expect(completed().variable("n", 2));
    rerun(story, json!({"n": 3})).expect(completed().variable("n", 3));
}

#[test]
fn a_fork_of_a_fork_goes_on_from_what_both_have_done() {
    let story = forked(failed_call(), "tell", json!({"path": "right"})).expect(completed());
    let story =
        forked(story, "end", json!({"found": "text"})).expect(completed().path(["end"]).variable("path", "right"));
    assert_eq!(calls(&story), ["find", "wrong", "right"]);
    // Anew is from the event of the first one.
    let story = rerun(story, json!({"path": "right"})).expect(completed().path(["find", "tell", "end"]));
    assert_eq!(calls(&story), ["find", "wrong", "right", "find", "right"]);
}

#[test]
fn of_a_step_that_was_visited_twice_the_last_visit_counts() {
    let steps = "  - {id: count, type: set_variables, values: {n: '{{ vars.n + 1 }}'}}
  - {id: call, type: http_request, url: 'https://x.example/{{ vars.n }}'}
  - {id: again, type: condition, if: 'vars.n < 3', yes: [{id: back, type: go_to, step: count}]}";
    let story = scenario().workflow(&with("variables: [{name: n, type: number, default: 0}]", steps));
    let story = story.http(|_| answer(200)).event(manual("w")).run_until_idle().expect(completed());
    let visits = |story: &Scenario| story.last().execution.steps["call"].visit;
    assert_eq!((calls(&story), visits(&story)), (vec!["1".to_owned(), "2".to_owned(), "3".to_owned()], 3));
    let story = forked(story, "call", json!({})).expect(completed().path(["call", "again:no"]));
    assert_eq!((calls(&story).pop(), visits(&story)), (Some("3".to_owned()), 3));
    let story = forked(story, "call", json!({"n": 1})).expect(completed().variable("n", 3));
    assert_eq!(visits(&story), 5, "visits are counted on");
}

#[test]
fn an_execution_that_stands_before_a_step_is_forked_as_it_stands() {
    let steps = "  - {id: nap, type: delay, for: 1h}\n  - {id: end, type: note, text: end}";
    let story = scenario().workflow(&with("", steps)).event(manual("w")).run_for("1m").expect(waiting());
    let original = story.last().execution.id;
    assert_eq!(not_forked(&story, Some("end")), "it has never stood before step \"end\"");
    let story = forked(story, "nap", json!({})).expect(completed().path(["nap", "end"]));
    assert_eq!(story.world().execution(&original).status, Status::Completed, "and the original goes on by itself");
    // Paused before a step that it has not entered.
    let story = scenario().workflow(&with("", &format!("  - {{id: stop, type: stop, as: paused}}\n{steps}")));
    let story = story.event(manual("w")).run_until_idle().expect(paused());
    forked(story, "nap", json!({})).expect(completed().path(["nap", "end"]));
}

#[test]
fn a_fork_takes_over_nothing_of_a_visit_that_an_edit_cut_off() {
    let steps = "  - {id: nap, type: delay, for: 1h}\n";
    let end = "  - {id: end, type: note, text: end}";
    let story = scenario().workflow(&with("", &format!("{steps}{end}"))).event(manual("w")).run_for("1m");
    let story = story.expect(waiting()).workflow(&with("", end)).run_until_idle();
    let story = forked(story.expect(completed().path(["nap:moved", "end"])), "end", json!({}));
    let fork = story.expect(completed().path(["end"])).last().execution;
    assert_eq!((fork.steps.get("nap"), fork.visits.get("nap")), (None, Some(&1)));
}

#[test]
fn a_step_of_a_failure_policy_goes_back_to_where_the_failure_was() {
    let keys = "on_failure: {then: [{id: sorry, type: note, text: sorry}], retry: {attempts: 0}}";
    let steps = "  - {id: call, type: http_request, url: 'https://x.example/a'}\n  - {id: end, type: note, text: end}";
    let story = scenario().workflow(&with(keys, steps)).http(|_| answer(404)).event(manual("w")).run_until_idle();
    let story = story.expect(completed().failed_steps(["call"]));
    let story = forked(story, "sorry", json!({})).expect(completed().path(["sorry", "end"]).failed_steps(["call"]));
    assert_eq!(calls(&story), ["a"]);
}

#[test]
fn limits_of_starts_hold_no_fork_back_and_slots_do() {
    let keys = "limits: {reentry: once_per_record, cooldown: 1d, starts: {per: 1d, at_most: 1}, concurrency: 1}";
    let steps = "  - {id: a, type: note, text: a}\n  - {id: nap, type: delay, for: 1h}";
    let workflow = on_tickets_with(keys, steps).replace("active: true", "active: false");
    let story = scenario().object(TICKET.split("relationships").next().unwrap_or_default()).workflow(&workflow);
    let story =
        story.record("ticket", "t1", json!({})).event(manual("w").on("ticket", "t1")).settle().expect(waiting());
    let original = story.last().execution.id;
    let fork = story.world().fork(&original, Some("nap"), Map::new()).expect("it can be forked");
    let again = story.world().fork(&original, None, Map::new()).expect("it can be begun anew");
    let story = story.settle();
    let stands = |id: &str| story.world().execution(id).status;
    assert_eq!([&original, &fork, &again].map(|id| stands(id)), [Status::Waiting, Status::Queued, Status::Queued]);
    let story = story.run_until_idle();
    let world = story.world();
    assert_eq!([&original, &fork, &again].map(|id| world.execution(id).status), [Status::Completed; 3]);
    assert!(!world.execution(&again).holds_record);
}

#[test]
fn a_fork_counts_for_the_key_of_its_slot() {
    let keys = "limits: {concurrency: {at_most: 1, per: trigger.body.who}}\ntriggers: [{id: hook, type: webhook, verify: none}]";
    let steps = "  - {id: a, type: note, text: a}\n  - {id: nap, type: delay, for: 1h}";
    let story = scenario().workflow(&with(keys, steps));
    let story = story.event(webhook("w", "hook").body(json!({"who": "ada"}))).run_until_idle().expect(completed());
    let story = forked(story, "nap", json!({})).expect(completed());
    let keys: Vec<_> = story.world().executions().into_iter().map(|one| one.slot_key).collect();
    assert_eq!(keys, [Some("ada".to_owned()), Some("ada".to_owned())]);
}

#[test]
fn the_event_of_a_fork_is_no_news_for_those_who_wait() {
    let keys = "triggers: [{id: hook, type: webhook, verify: none}]";
    let steps =
        "  - {id: go, type: note, text: x}\n  - {id: wait, type: wait_for_signal, signal: s, key: '1', timeout: never}";
    let ring = with("", "  - {id: ring, type: goal, on: [{id: bell, type: webhook, verify: none}], timeout: never}");
    let story = scenario().workflow(&with(keys, steps)).workflow(&ring.replace("workflow: w", "workflow: v"));
    let story = story.event(manual("v")).event(webhook("w", "hook").body(json!({"a": 1}))).settle();
    let waits = story.world().executions().into_iter().find(|one| one.workflow == "v").expect("it began");
    let fork = story.world().fork(&story.world().executions().pop().expect("it began").id, Some("wait"), Map::new());
    assert!(fork.is_ok());
    let story = story.event(signal("s", "1")).settle().event(signal("s", "1")).settle();
    let of_w: Vec<_> = story.world().executions().into_iter().filter(|one| one.workflow == "w").collect();
    assert_eq!(of_w.iter().map(|one| one.status).collect::<Vec<_>>(), [Status::Completed; 2]);
    assert_eq!(story.world().execution(&waits.id).version, waits.version, "nobody looked");
}

#[test]
fn the_forks_of_an_execution_are_known() {
    let story = forked(failed_call(), "tell", json!({"path": "right"}));
    let original = heads(story.world()).remove(0).id;
    let fork = story.last().execution.id;
    let listed = at_once(story.world().system.history.forks(&original, 10, None)).expect("memory is readable");
    assert_eq!((listed.items, listed.next), (vec![fork.clone()], None));
    let none = at_once(story.world().system.history.forks(&fork, 10, None)).expect("memory is readable");
    assert_eq!(none.items, Vec::<String>::new());
}

#[test]
fn an_original_that_goes_on_is_controlled_by_itself() {
    let steps = "  - {id: nap, type: delay, for: 1h}\n  - {id: end, type: note, text: end}";
    let story = scenario().workflow(&with("", steps)).event(manual("w")).settle().expect(waiting());
    let original = story.last().execution.id;
    let fork = story.world().fork(&original, Some("nap"), Map::new()).expect("it stands there");
    let story = story.settle();
    story.world().control(&original, &Control::Cancel).expect("it is open");
    let story = story.run_until_idle();
    assert_eq!(story.world().execution(&original).status, Status::Canceled);
    assert_eq!(story.world().execution(&fork).status, Status::Completed);
}
