//! When the schedules of a workflow fire next.

use serde_json::{Value, json};

use crate::surface::surface;

const REPORT: &str = "
workflow: report
owner: tests@example.com
active: true
timezone: Europe/Berlin
triggers:
  - {id: nightly, type: schedule, cron: '30 2 * * *'}
  - {id: over, type: schedule, every: 1d, ends: 2025-01-01}
  - {id: off, type: schedule, every: 1d, enabled: false}
steps:
  - {id: n, type: note, text: x}
";

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().expect("it is a list")
}

#[test]
fn the_next_firings_are_told_as_clocks_there_show_them() {
    let surface = surface().workflow(REPORT);
    let seen = surface.get("/v1/workflows/report/schedule?firings=2").send().expect(200);
    assert_eq!((&seen["active"], list(&seen, "triggers").len()), (&json!(true), 2), "{seen}");
    let nightly = &seen["triggers"][0];
    assert_eq!(nightly["timezone"], "Europe/Berlin");
    let first = &list(nightly, "firings")[0];
    assert!(first["at"].as_str().is_some_and(|at| at.ends_with("T01:30:00Z")), "{seen}");
    assert!(first["local"].as_str().is_some_and(|at| at.ends_with("T02:30:00+01:00")), "{seen}");
    assert_eq!((list(nightly, "firings").len(), list(&seen["triggers"][1], "firings").len()), (2, 0));
    surface.post("/v1/workflows/report/deactivate").send().expect(200);
    let seen = surface.get("/v1/workflows/report/schedule").send().expect(200);
    assert_eq!((&seen["active"], list(&seen["triggers"][0], "firings").len()), (&json!(false), 10));
}

#[test]
fn a_firing_that_was_moved_says_from_when() {
    let surface = surface().workflow(
        "workflow: weekly\nowner: tests@example.com\nactive: true\n\
         triggers: [{type: schedule, cron: '0 9 * * 6', business_days: next}]\nsteps: [{id: n, type: note, text: x}]",
    );
    let seen = surface.get("/v1/workflows/weekly/schedule?firings=1").send().expect(200);
    let firing = &seen["triggers"][0]["firings"][0];
    let time =
        |key: &str| firing[key].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok()).expect("it is a time");
    assert_eq!(time("at").duration_since(time("moved_from")).as_hours(), 48, "{seen}");
}

#[test]
fn a_wrong_question_is_refused() {
    let surface = surface().workflow(REPORT);
    for firings in ["0", "101", "many"] {
        let path = format!("/v1/workflows/report/schedule?firings={firings}");
        surface.get(&path).send().problem(400, "bad_query");
    }
    surface.get("/v1/workflows/none/schedule").send().problem(404, "no_workflow");
}
