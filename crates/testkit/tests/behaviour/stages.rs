//! The step `set_stage`.

use pawl_testkit::scenario::{completed, manual, paused, scenario};
use serde_json::json;

#[test]
fn a_stage_is_set_on_this_record_and_on_another() {
    let deal = "object: deal\nname: Deal\nfields: {name: {type: text}}\nrelationships: {next: {object: deal}}\n\
                stages: [open, won]\n";
    let workflow = "workflow: w\nowner: a@example.com\nobject: deal\nactive: true\nsteps:\n\
        - {id: own, type: set_stage, stage: \"{{ record.name }}\"}\n\
        - {id: other, type: set_stage, stage: won, target: record.next}\n\
        - {id: again, type: set_stage, stage: won, target: record.next}\n";
    let moved = |name: &str| {
        scenario()
            .object(deal)
            .workflow(workflow)
            .record("deal", "b", json!({"name": "b"}))
            .record("deal", "a", json!({"name": name, "next": "b"}))
            .event(manual("w").on("deal", "a"))
            .run_until_idle()
    };
    let story = moved("won").expect(completed());
    assert_eq!(
        story.last().execution.steps["own"].output,
        json!({"changes": {"stage": {"from": "open", "to": "won"}}})
    );
    assert_eq!(story.last().execution.steps["again"].output, json!({"changes": {}}));
    let deals = story.world().records("deal");
    for id in ["a", "b"] {
        let record = deals.iter().find(|record| record.id == id).expect("it is there");
        assert_eq!(record.fields["stage"], "won");
    }
    let story = moved("lost").expect(paused());
    assert_eq!(story.last().execution.steps["own"].error.as_ref().expect("it failed").code, "wrong_type");
}
