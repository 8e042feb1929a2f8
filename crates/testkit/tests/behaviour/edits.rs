//! Edits under executions in flight: section 1 of the language.

use pawl_definition::Source;
use pawl_runtime::SaveError;
use pawl_testkit::scenario::{Scenario, answer, completed, manual, scenario, waiting};

use crate::support::{with, workflow};

const WAITING: &str = "
  - {id: first, type: note, text: one}
  - {id: wait, type: delay, for: 10d}
  - {id: then, type: note, text: two}
  - {id: end, type: note, text: three}";

/// A story that waits in its second step.
fn in_flight(keys: &str) -> Scenario {
    scenario().workflow(&with(keys, WAITING)).event(manual("w")).run_for("1d").expect(waiting().path(["first"]))
}

/// The workflow without one of its steps.
fn without(keys: &str, steps: &[&str]) -> String {
    let kept = WAITING.lines().filter(|line| !steps.iter().any(|step| line.contains(&format!("id: {step},"))));
    with(keys, &kept.collect::<Vec<_>>().join("\n"))
}

#[test]
fn an_edit_reaches_what_is_in_flight() {
    let edited = WAITING.replace("- {id: end, type: note, text: three}", "- {id: new, type: note, text: new}");
    in_flight("")
        .workflow(&workflow(&edited))
        .run_until_idle()
        .expect(completed().path(["first", "wait", "then", "new"]));
}

#[test]
fn a_pinned_workflow_keeps_the_revision_that_an_execution_began_with() {
    let edited = WAITING.replace("- {id: end, type: note, text: three}", "- {id: new, type: note, text: new}");
    let story = in_flight("edits: pinned").workflow(&with("edits: pinned", &edited));
    let story = story.event(manual("w")).run_until_idle();
    let paths: Vec<_> = story.world().executions().iter().map(|one| story.world().trace(&one.id).path()).collect();
    assert_eq!(paths, [["first", "wait", "then", "end"], ["first", "wait", "then", "new"]]);
}

#[test]
fn a_step_deleted_under_a_waiting_execution_moves_it_to_the_former_successor() {
    let story = in_flight("").workflow(&without("", &["wait"])).run_until_idle();
    let story = story.expect(completed().path(["first", "wait:moved", "then", "end"]));
    let trace = story.last();
    let moved = trace.rows.iter().find(|row| row.kind == pawl_engine::RowKind::Moved).expect("history says so");
    assert_eq!(moved.note.as_deref(), Some("the step was deleted; goes on at its former successor then"));
}

#[test]
fn if_the_successor_is_gone_too_it_moves_on_to_the_next_that_is_there() {
    let story = in_flight("").workflow(&without("", &["wait", "then"])).run_until_idle();
    story.expect(completed().path(["first", "wait:moved", "end"]));
}

#[test]
fn if_nothing_is_left_it_completes() {
    let story = in_flight("").workflow(&without("", &["wait", "then", "end"])).run_until_idle();
    story.expect(completed().path(["first", "wait:moved"]));
}

#[test]
fn a_step_deleted_from_a_branch_rejoins_after_it() {
    let nested = "
  - id: check
    type: condition
    if: 'true'
    yes:
      - {id: wait, type: delay, for: 10d}
  - {id: end, type: note, text: end}";
    let edited =
        nested.replace("      - {id: wait, type: delay, for: 10d}", "      - {id: other, type: note, text: other}");
    let story = scenario().workflow(&workflow(nested)).event(manual("w")).run_for("1d").expect(waiting());
    story.workflow(&workflow(&edited)).run_until_idle().expect(completed().path(["check:yes", "wait:moved", "end"]));
}

#[test]
fn two_edits_in_a_row_still_find_the_former_successor() {
    let story =
        in_flight("").workflow(&without("", &["wait"])).workflow(&without("", &["wait", "first"])).run_until_idle();
    story.expect(completed().path(["first", "wait:moved", "then", "end"]));
}

#[test]
fn a_deleted_step_is_not_waited_for() {
    let story = in_flight("").workflow(&without("", &["wait"])).run_until_idle();
    assert_eq!(story.last().rows.iter().filter(|row| row.step.as_deref() == Some("wait")).count(), 2);
}

#[test]
fn a_step_deleted_while_its_call_is_under_way_commits_and_goes_on_at_its_former_successor() {
    let calling = "
  - {id: call, type: http_request, url: 'https://x.example'}
  - {id: end, type: note, text: end}";
    let edited = workflow("  - {id: end, type: note, text: end}");
    let story = scenario().workflow(&workflow(calling));
    let world = story.world().clone();
    let story = story.http(move |_| {
        let (world, edited) = (world.clone(), edited.clone());
        answer(200).meanwhile(move || {
            let source = Source::parse("workflow.yaml", &edited).expect("the edit is YAML");
            world.save_workflow(&source).expect("the edit is right");
        })
    });
    story.event(manual("w")).run_until_idle().expect(completed().path(["call", "end"]));
}

#[test]
fn a_delay_that_is_changed_keeps_the_due_time_it_began_with() {
    let story = in_flight("").workflow(&workflow(&WAITING.replace("for: 10d", "for: 1h"))).run_until_idle();
    assert_eq!(story.expect(completed()).world().now().to_string(), "2026-01-11T00:00:00Z");
}

fn save(story: &Scenario, text: &str, read_at: Option<u64>) -> Result<(u64, bool), SaveError> {
    let source = Source::parse("workflow.yaml", text).expect("the text is YAML");
    let saved = story.world().system.workflows.save(&source, read_at, "someone@example.com");
    let saved = futures::FutureExt::now_or_never(saved).expect("memory answers at once")?;
    Ok((saved.head.revision, saved.unchanged))
}

#[test]
fn a_stale_save_changes_nothing() {
    let story = scenario().workflow(&workflow(WAITING));
    assert_eq!(save(&story, &without("", &["end"]), Some(1)).expect("revision 1 is the present one"), (2, false));
    let stale = save(&story, &without("", &["then"]), Some(1));
    assert!(matches!(stale, Err(SaveError::Stale(2))), "{stale:?}");
    story.event(manual("w")).run_until_idle().expect(completed().path(["first", "wait", "then"]));
}

#[test]
fn saving_the_same_again_is_no_new_revision() {
    let story = scenario().workflow(&workflow(WAITING));
    assert_eq!(save(&story, &workflow(WAITING), None).expect("it is right"), (1, true));
}
