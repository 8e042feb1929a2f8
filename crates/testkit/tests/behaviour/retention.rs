//! Ended executions are kept for as long as their workflow or the installation says, and open ones for ever.

use jiff::SignedDuration;
use pawl_definition::Source;
use pawl_engine::{Control, Event};
use pawl_runtime::Outcome;
use pawl_runtime::ports::{Item, Table};
use pawl_runtime::{ExecutorOptions, Filter, ListScope, items};
use pawl_testkit::scenario::{Scenario, World, completed, manual, scenario, waiting, webhook};
use serde_json::json;

use crate::outages::{at_once, start};
use crate::support::with;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// So many rows that the older ones stand in items of their own.
fn many_steps() -> String {
    let step =
        |n: usize| format!("  - {{id: s{n}, type: set_variables, values: {{copy: '{{{{ trigger.body.id }}}}'}}}}\n");
    (0..30).map(step).collect()
}

/// A delivery with a large body, which goes to the blob store.
fn delivered(keys: &str, steps: &str) -> Scenario {
    let hook = "triggers: [{id: hook, type: webhook, verify: none}]";
    let body = json!({"id": "abc", "text": "x".repeat(100_000)});
    scenario().workflow(&with(&format!("{keys}\n{hook}"), steps)).event(webhook("w", "hook").body(body))
}

/// What is stored of an execution: its items, and those of its blobs and of its event.
pub(crate) fn stored(world: &World, id: &str) -> Vec<String> {
    let partition = format!("execution#{id}");
    let items = world.store.items(Table::Executions).into_iter().filter(|item| item.key.partition == partition);
    let blobs =
        world.store.blob_keys().into_iter().map(|key| key.to_string().split('/').take(2).collect::<Vec<_>>().join("/"));
    items.map(|Item { key, .. }| key.sort).chain(blobs).collect()
}

pub(crate) fn pass(world: &World, span: SignedDuration) {
    world.clock.advance(span);
    world.settle().expect("nothing fails");
}

fn listed(world: &World) -> Vec<String> {
    let scope = ListScope::Workflow("w".to_owned());
    let listed = at_once(world.system.history.executions(&scope, &Filter::default(), 100, None)).expect("readable");
    listed.items.into_iter().map(|execution| execution.id).collect()
}

#[test]
fn an_ended_execution_goes_with_all_that_belongs_to_it() {
    let story = delivered("retention: 7d", &many_steps()).run_until_idle().expect(completed());
    let (world, execution) = (story.world().clone(), story.last().execution);
    let before = stored(&world, &execution.id);
    let (own, of_event) = (format!("execution/{}", execution.id), format!("event/{}", execution.event_id));
    for part in ["head", "event", &own, &of_event] {
        assert!(before.iter().any(|stored| stored == part), "{part} is not among {before:?}");
    }
    assert!(before.iter().any(|stored| stored.starts_with("rows#")), "{before:?}");
    assert_eq!(execution.expires_at, execution.ended_at.map(|at| at + DAY * 7));

    pass(&world, DAY * 6);
    assert_eq!((stored(&world, &execution.id), listed(&world)), (before, vec![execution.id.clone()]));

    pass(&world, DAY * 2);
    assert_eq!(stored(&world, &execution.id), Vec::<String>::new());
    assert_eq!(listed(&world), Vec::<String>::new());
    let found = at_once(world.system.history.execution(&execution.id)).expect("the store is readable");
    assert_eq!(found, None);
}

#[test]
fn an_open_execution_never_expires() {
    let steps = "  - {id: wait, type: goal, 'on': [{id: answer, type: webhook, verify: none}], timeout: never}";
    let story = delivered("retention: 7d", steps).run_for("1h").expect(waiting());
    let (world, execution) = (story.world().clone(), story.last().execution);
    pass(&world, DAY * 3_000);
    assert_eq!((execution.expires_at, listed(&world)), (None, vec![execution.id.clone()]));

    world.control(&execution.id, &Control::Cancel).expect("it is open");
    pass(&world, DAY * 6);
    assert_eq!(listed(&world), [execution.id.as_str()]);
    pass(&world, DAY * 2);
    assert_eq!((stored(&world, &execution.id), listed(&world)), (Vec::new(), Vec::new()));
}

#[test]
fn a_workflow_without_retention_is_kept_as_the_installation_says() {
    for (installation, workflow, days) in [("", "", None), ("10d", "", Some(10)), ("10d", "retention: 30d", Some(30))] {
        let retention = installation.parse().expect("it is long enough");
        let now = "2026-11-21T09:00:00Z".parse().expect("a time");
        let world = World::new(now, ExecutorOptions { retention, ..ExecutorOptions::default() });
        let text = with(workflow, "  - {id: n, type: note, text: hi}");
        world.save_workflow(&Source::parse("w.yaml", &text).expect("it is YAML")).expect("it has no mistakes");
        start(&world, "evt_1");
        world.settle().expect("nothing fails");
        let execution = &world.executions()[0];
        let kept = execution.expires_at.map(|at| at.duration_since(now).as_hours() / 24);
        assert_eq!(kept, days, "{installation:?} and {workflow:?}");
        let head = world.store.items(Table::Executions).into_iter().find(|item| item.key.sort == "head");
        assert_eq!(head.expect("it is stored").expires_at, execution.expires_at, "the storage is told");
    }
}

/// The event of an execution, and what comes of it when it is delivered again.
fn again(world: &World, event: &Event) -> Outcome {
    at_once(world.system.evaluator.start("w", event)).expect("the store is readable")
}

#[test]
fn an_event_starts_nothing_again_after_its_execution_has_expired() {
    let story = scenario().workflow(&with("retention: 7d", "  - {id: n, type: note, text: hi}"));
    let story = story.event(manual("w")).run_until_idle().expect(completed());
    let (world, id) = (story.world().clone(), story.last().execution.id);
    let event = at_once(world.system.history.event(&id)).expect("readable").expect("it is there");
    pass(&world, DAY * 7 - SignedDuration::from_secs(1));
    assert_eq!(again(&world, &event), Outcome::Started(id.clone()));
    pass(&world, DAY);
    let Outcome::Refused { code, message } = again(&world, &event) else { panic!("it is too old") };
    assert_eq!(code, "too_old");
    assert!(message.contains("2026-01-01T00:00:00Z") && message.contains("7d"), "{message}");
    assert_eq!(world.refusals("w").len(), 1, "the refusal is seen");
    pass(&world, DAY * 91);
    assert_eq!(world.refusals("w").len(), 0, "refusals have a retention of their own");
}

#[test]
fn what_is_left_of_an_expired_execution_goes_when_the_storage_tells_again() {
    let story = delivered("retention: 7d", &many_steps()).run_until_idle().expect(completed());
    let (world, id) = (story.world().clone(), story.last().execution.id);
    let head = items::execution::key(&id);
    let before = stored(&world, &id);
    at_once(world.system.evaluator.expired(&head)).expect("the store is writable");
    assert_eq!(stored(&world, &id), before, "a head that is there keeps all that belongs to it");

    world.clock.advance(DAY * 8);
    let checkpoint = world.store.checkpoint();
    for survives in 0..3 {
        world.store.restore(&checkpoint);
        // It died before, between or after what it removes.
        if survives > 0 {
            at_once(world.system.ports.blobs.remove(&pawl_runtime::ports::BlobOwner::execution(&id))).expect("memory");
        }
        if survives > 1 {
            at_once(world.system.evaluator.expired(&head)).expect("the store is writable");
        }
        at_once(world.system.evaluator.expired(&head)).expect("the store is writable");
        assert_eq!(stored(&world, &id), Vec::<String>::new());
    }
}
