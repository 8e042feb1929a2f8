//! Stored heads of executions: the events in them, and heads that are changed as a fault or another version would.

use futures::FutureExt;
use pawl_engine::{Execution, Row};
use pawl_runtime::items;
use pawl_runtime::ports::Item;
use pawl_testkit::scenario::{World, completed, manual, scenario};
use serde_json::json;

use crate::support::with;

/// The head of an execution as it is stored.
pub(crate) fn head_of(world: &World, id: &str) -> Item {
    let stored = world.store.items(items::execution::TABLE);
    stored.into_iter().find(|item| item.key == items::execution::key(id)).expect("the execution is there")
}

/// Its head with other contents, and with the event that stands in it.
pub(crate) fn changed_head(world: &World, execution: &Execution, rows: &[Row]) -> Item {
    let head = head_of(world, &execution.id);
    items::execution::changed(&head, execution, rows).expect("the head is readable")
}

/// Makes the event unreadable that stands in a head, and nothing else of it.
pub(crate) fn break_event(world: &World, id: &str) {
    let Item { key, body, .. } = head_of(world, id);
    let (before, after) = body.rsplit_once(r#""event":{"#).expect("the event stands in the head");
    world.store.damage(items::execution::TABLE, &key, &format!(r#"{before}"event":[],"was":{{{after}"#));
}

#[test]
fn a_small_event_stands_in_the_head_and_a_larger_one_beside_it() {
    let keys = "variables: [{name: text, type: text, default: '0'}]";
    let steps = "  - {id: wait, type: delay, for: 1d}\n  - {id: end, type: note, text: '{{ vars.text }}'}";
    for (bytes, has_item) in [(10, false), (items::execution::EVENT_MOST, true)] {
        let text = "x".repeat(bytes);
        let story = scenario().workflow(&with(keys, steps)).event(manual("w").values(json!({"text": text})));
        let story = story.run_until_idle().expect(completed().path(["wait", "end"]));
        let (world, id) = (story.world(), story.last().execution.id);
        let stored = world.store.items(items::event::TABLE);
        assert_eq!(stored.iter().any(|item| item.key == items::event::key(&id)), has_item, "{bytes} bytes");
        let event = world.system.history.event(&id).now_or_never().expect("memory answers at once");
        let event = event.expect("it is readable").expect("it is kept as long as its execution");
        assert_eq!(event.data["values"]["text"], text, "{bytes} bytes");
        assert_eq!(world.replayed(), Vec::<String>::new());
    }
}
