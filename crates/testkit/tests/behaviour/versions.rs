//! What a version left is carried on by the next: `golden/<version>.json` holds what a version stores while executions stand
//! at all kinds of places, and how they end.
//!
//! `UPDATE=1 cargo test --workspace --test behaviour -- versions` writes the file of the present version. Those of released
//! versions are never written again.

use std::collections::BTreeMap;
use std::path::PathBuf;

use futures::FutureExt;
use jiff::SignedDuration;
use pawl_engine::Control;
use pawl_runtime::ports::{ModelError, ModelErrorKind, StartStateMachine, StateMachines};
use pawl_testkit::memory::Left;
use pawl_testkit::scenario::{
    Scenario, World, answer, carried_on, dies, machine_succeeds, manual, says, scenario, updated, webhook,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::{CUSTOMER, TICKET};

const MACHINE: &str = "arn:aws:states:eu-central-1:123456789012:stateMachine:S";

/// The workflows, each with the place at which its execution stands.
const WORKFLOWS: [(&str, &str, &str); 15] = [
    ("delayed", "", "  - {id: nap, type: delay, for: 2h}"),
    ("edited", "", "  - {id: nap, type: delay, for: 3h}\n  - {id: then, type: note, text: former}"),
    (
        "goal",
        "object: ticket",
        "  - {id: done, type: goal, until: record.status == 'resolved' && record.customer.plan == 'paid', timeout: 30d}",
    ),
    ("retried", "", "  - {id: call, type: http_request, url: 'https://shop.example/busy', timeout: 5s}"),
    (
        "cut-off",
        "object: ticket",
        "  - {id: call, type: http_request, url: 'https://shop.example/dies', timeout: 5s, save_as: answer}\n  \
         - {id: set, type: set_fields, fields: {priority: {add: 1}}}",
    ),
    (
        "asked",
        "",
        "  - {id: ask, type: call_llm, model: test/model, prompt: Hello, output: {fields: {mood: {type: text}}}}",
    ),
    (
        "machine",
        "",
        "  - {id: run, type: run_state_machine, state_machine: MACHINE, \
         input: {n: 1}, wait: true, callback: true, timeout: 1d, save_as: settled}",
    ),
    ("held", "", "  - {id: set, type: set_variables, values: {n: '{{ 1 / 0 }}'}, on_failure: {then: pause}}"),
    ("in-line", "limits: {concurrency: 1}", "  - {id: nap, type: delay, for: 30m}"),
    (
        "keyed",
        "limits: {concurrency: {at_most: 1, per: workflow.id, hold: running}}",
        "  - {id: call, type: http_request, url: 'https://shop.example/busy', timeout: 5s}\n  \
         - {id: nap, type: delay, for: 30m}\n  - {id: end, type: note, text: end}",
    ),
    ("paced", "limits: {starts: {per: 1h, at_most: 1}}", "  - {id: nap, type: delay, for: 30m}"),
    (
        "guarded",
        "object: ticket\nlimits: {reentry: once_per_record, cooldown: 1d}",
        "  - {id: nap, type: delay, for: 1h}",
    ),
    (
        "collected",
        "triggers: [{id: hook, type: webhook}]\nlimits: {debounce: {for: 1h}}",
        "  - {id: count, type: set_variables, values: {n: '{{ size(trigger.events) }}'}}",
    ),
    ("large", "triggers: [{id: hook, type: webhook}]", "  - {id: nap, type: delay, for: 1h}"),
    ("undecided", "", "  - {id: end, type: note, text: end}"),
];

/// How executions ended, by workflow and in the order in which they were made.
type Ends = BTreeMap<String, Vec<String>>;

/// A file.
#[derive(Serialize, Deserialize)]
struct Golden {
    ends: Ends,
    left: Left,
}

fn file(workflow: &str, keys: &str, steps: &str) -> String {
    format!("workflow: {workflow}\nowner: owner@example.com\nactive: true\n{keys}\nsteps:\n{steps}")
        .replace("MACHINE", MACHINE)
}

fn long() -> String {
    let set = |n: usize| format!("  - {{id: s{n}, type: set_variables, values: {{copy: '{}'}}}}\n", "long ".repeat(20));
    let sets: String = (0..30).map(set).collect();
    file("long", "", &format!("{sets}  - {{id: nap, type: delay, for: 1h}}"))
}

/// A world in which executions stand at all kinds of places.
fn midway() -> Scenario {
    let ticket = json!({"title": "Printer", "priority": 3, "customer": "c1"});
    let mut story = scenario().object(CUSTOMER).object(TICKET);
    for (workflow, keys, steps) in WORKFLOWS {
        story = story.workflow(&file(workflow, keys, steps));
    }
    let mut story = story.workflow(&long()).record("customer", "c1", json!({"name": "Ada", "plan": "paid"}));
    story = story.record("ticket", "t1", ticket);
    story = story.http(|request| if request.url.contains("dies") { dies() } else { answer(503) });
    story = story
        .model(|_| Err(ModelError::new(ModelErrorKind::Throttled, "later")))
        .state_machine(|_| machine_succeeds(json!({"n": 2})).after("3h").calls_back("2h", json!({"n": 2})));
    for workflow in [
        "delayed", "edited", "retried", "asked", "machine", "held", "in-line", "in-line", "keyed", "keyed", "paced",
        "paced", "long",
    ] {
        story = story.event(manual(workflow)).settle();
    }
    for workflow in ["goal", "cut-off", "guarded", "guarded"] {
        story = story.event(manual(workflow).on("ticket", "t1")).settle();
    }
    let body = json!({"text": "0123456789abcdef".repeat(2_500)});
    story = story.event(webhook("large", "hook").body(body).key("k-1")).settle();
    for number in 1..3 {
        story = story.event(webhook("collected", "hook").body(json!({"number": number}))).settle();
    }
    story = story.workflow(&file(
        "edited",
        "",
        "  - {id: nap, type: delay, for: 4h}\n  - {id: then, type: note, text: new}",
    ));
    story.event(manual("undecided"))
}

/// The outside system that runs state machines is no part of what is left: it runs what was started there.
fn knows_machine(world: &World) {
    let waits = world.executions().into_iter().find(|execution| execution.workflow == "machine").expect("it was made");
    let start = StartStateMachine {
        machine: MACHINE.to_owned(),
        name: format!("{}-run-1", waits.id),
        input: json!({}),
        timeout: SignedDuration::from_secs(10),
    };
    world.state_machines.start(&start).now_or_never().expect("it answers at once").expect("it is scripted");
}

/// Goes on with what was left until nothing is under way; tells how it ended.
fn ends(left: &Left) -> Ends {
    let story = carried_on(left).http(|_| answer(200).body(json!({"ok": true})));
    let story = story.model(|_| says("{\"mood\": \"good\"}"));
    let story = story.state_machine(|_| machine_succeeds(json!({"n": 2})).after("4h").without_event());
    let world = story.world();
    knows_machine(world);
    let held = world.executions().into_iter().find(|execution| execution.workflow == "held").expect("it was made");
    world.control(&held.id, &Control::Skip { take: None }).expect("what is paused can be skipped");
    let resolved = updated("ticket", "t1", json!({"status": "resolved"}));
    let story = story.settle().event(resolved).run_until_idle();
    let mut ends = Ends::new();
    for execution in story.world().executions() {
        let trace = story.world().trace(&execution.id);
        let end = format!("{}: {}", trace.state(), trace.path().join(" "));
        ends.entry(execution.workflow).or_default().push(end);
    }
    let at_rest = story.world().replayed();
    assert!(at_rest.is_empty(), "{}", at_rest.join("\n"));
    ends
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn read(path: &std::path::Path) -> Golden {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_world_holds_each_kind_of_item_of_what_is_under_way() {
    let left = serde_json::to_string(&midway().world().store.left()).expect("it is JSON");
    let kinds = ["line#", "guard#", "waiter#", "unique#", "delivery#", "record#", "notices", "rows#"];
    let missing: Vec<_> = kinds.into_iter().filter(|kind| !left.contains(&format!("\"{kind}"))).collect();
    assert!(missing.is_empty(), "nothing in the world is stored as {missing:?}");
}

#[test]
fn what_each_version_left_comes_to_its_end() {
    let files: Vec<_> = std::fs::read_dir(folder()).expect("the folder is there").filter_map(Result::ok).collect();
    assert!(!files.is_empty(), "there is a file at least of the present version");
    for file in files {
        let golden = read(&file.path());
        assert_eq!(ends(&golden.left), golden.ends, "{}", file.path().display());
    }
}

#[test]
fn what_the_present_version_stores_is_known() {
    let path = folder().join(concat!(env!("CARGO_PKG_VERSION"), ".json"));
    let left = midway().world().store.left();
    if std::env::var_os("UPDATE").is_some_and(|update| update == "1") {
        let golden = Golden { ends: ends(&left), left: left.clone() };
        let text = serde_json::to_string_pretty(&golden).expect("it is JSON");
        std::fs::write(&path, text + "\n").expect("the folder is writable");
    }
    let Golden { left: known, .. } = read(&path);
    assert!(
        left == known,
        "what is stored differs from {}. If this version is released, give the next one its number, and see that \
         each can read what the other writes (docs/operations.md, Upgrade and roll back); then write the file with UPDATE=1",
        path.display()
    );
}
