//! The trigger `schedule`: when it fires, and what comes of firings that overlap, were missed or are repeated.

use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};
use pawl_definition::{DefinitionKind, Source};
use pawl_engine::schedule::Firing;
use pawl_engine::{Act, Status};
use pawl_runtime::items;
use pawl_runtime::ports::QueueName;
use pawl_testkit::scenario::{Scenario, World, completed, scenario};

use crate::support::with;

/// The time at which scenarios begin is a midnight.
fn nightly(keys: &str) -> String {
    let triggers = format!("triggers: [{{type: schedule, id: nightly, cron: '0 3 * * *'{keys}}}]");
    with(
        &triggers,
        "  - {id: at, type: set_variables, values: {at: '{{ trigger.scheduled_at }}', missed: '{{ trigger.missed }}'}}",
    )
}

fn slow(keys: &str) -> String {
    let triggers = format!("triggers: [{{type: schedule, id: each, every: 1h{keys}}}]");
    with(&triggers, "  - {id: work, type: delay, for: 150m}")
}

fn started(world: &World) -> Vec<String> {
    let mut all: Vec<_> = world.executions().iter().map(|one| one.created_at.to_string()).collect();
    all.sort();
    all
}

fn hours(story: &Scenario) -> Vec<i64> {
    let world = story.world();
    let begin = world.executions().iter().map(|one| one.created_at).min();
    let begin = begin.map_or(0, Timestamp::as_second);
    world.executions().iter().map(|one| (one.created_at.as_second() - begin) / 3600).collect()
}

fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("memory answers")
}

fn act() -> Act {
    Act { actor: "ops@example.com".to_owned(), reason: None, at: Timestamp::UNIX_EPOCH, id: None }
}

fn codes(world: &World) -> Vec<String> {
    world.refusals("w").into_iter().map(|refusal| refusal.code).collect()
}

fn schedules(world: &World) -> Vec<items::schedule::Schedule> {
    let stored = world.store.items(items::schedule::TABLE).into_iter();
    let stored = stored.filter(|item| items::schedule::names(&item.key.partition).is_some());
    stored.map(|item| items::schedule::parse(&item).expect("it is read")).collect()
}

#[test]
fn it_fires_at_its_times_and_tells_the_planned_one() {
    let story = scenario().workflow(&nightly("")).run_for("3d");
    let world = story.world();
    assert_eq!(started(world), ["2026-01-01T03:00:00Z", "2026-01-02T03:00:00Z", "2026-01-03T03:00:00Z"]);
    let story = story.expect(completed().of("w").variable("at", "2026-01-03T03:00:00Z").variable("missed", 0));
    assert_eq!(story.world().replayed(), [""; 0]);
}

#[test]
fn a_change_of_clocks_skips_and_repeats_no_firing() {
    let in_berlin = nightly(", timezone: Europe/Berlin").replace("0 3 * * *", "30 2 * * *");
    let spring = scenario().at("2026-03-28T12:00:00Z").workflow(&in_berlin).run_for("36h");
    assert_eq!(started(spring.world()), ["2026-03-29T01:00:00Z"], "02:30 is skipped: it runs when clocks show 03:00");
    let autumn = scenario().at("2026-10-24T12:00:00Z").workflow(&in_berlin).run_for("36h");
    assert_eq!(started(autumn.world()), ["2026-10-25T00:30:00Z"], "02:30 is shown twice: it runs at the first");
}

#[test]
fn nothing_fires_before_it_is_active_or_after_it_is_switched_off() {
    let story = scenario().workflow(&nightly("")).run_for("1d");
    let world = story.world();
    at_once(world.system.workflows.set_active("w", false)).expect("it is switched off");
    assert_eq!(schedules(world), []);
    let story = story.run_for("3d");
    assert_eq!(story.world().executions().len(), 1);
    story.world().activate("w");
    let story = story.run_for("1d");
    assert_eq!(started(story.world()), ["2026-01-01T03:00:00Z", "2026-01-05T03:00:00Z"]);
}

#[test]
fn an_edit_moves_the_next_firing_and_another_edit_leaves_it() {
    let story = scenario().workflow(&nightly("")).run_for("1h");
    let edited = nightly("").replace("0 3 * * *", "0 5 * * *");
    let story = story.workflow(&edited);
    assert_eq!(schedules(story.world())[0].next, Some("2026-01-01T05:00:00Z".parse().expect("a time")));
    let named = format!("name: Other\n{edited}");
    let story = story.workflow(&named).run_for("1d");
    assert_eq!(started(story.world()), ["2026-01-01T05:00:00Z"]);
}

#[test]
fn a_trigger_that_is_taken_away_fires_no_more() {
    let story = scenario().workflow(&nightly("")).run_for("1h");
    let story = story.workflow(&with("", "  - {id: at, type: note, text: nothing}")).run_for("2d");
    assert_eq!((story.world().executions().len(), schedules(story.world()).len()), (0, 0));
}

#[test]
fn it_ends_and_leaves_nothing() {
    let story = scenario().workflow(&nightly(", ends: 2026-01-02")).run_for("9d");
    assert_eq!(started(story.world()), ["2026-01-01T03:00:00Z", "2026-01-02T03:00:00Z"]);
    assert_eq!((schedules(story.world()).len(), story.world().store.pending_timers().len()), (0, 0));
}

#[test]
fn a_filter_refuses_a_firing_visibly() {
    let story = scenario().workflow(&nightly(", filter: 'trigger.missed > 5'")).run_for("1d");
    assert_eq!((story.world().executions().len(), codes(story.world())), (0, vec!["filtered".to_owned()]));
}

#[test]
fn executions_overlap_unless_it_says_otherwise() {
    let at_once = scenario().workflow(&slow("")).run_for("4h 30m");
    assert_eq!(hours(&at_once), [0, 1, 2, 3]);
    let skipped = scenario().workflow(&slow(", overlap: skip")).run_for("7h 30m");
    assert_eq!(hours(&skipped), [0, 3, 6]);
    assert_eq!(codes(skipped.world()), ["overlap"; 4]);
}

#[test]
fn one_firing_waits_for_the_end_of_an_execution() {
    let story = scenario().workflow(&slow(", overlap: queue")).run_for("7h 10m");
    // The first ends after two hours and a half, and the firing of the second hour begins; that of the third was refused.
    let minutes: Vec<_> = started(story.world()).iter().map(|at| at[11..16].to_owned()).collect();
    assert_eq!(minutes, ["01:00", "03:34", "06:19"]);
    let refused = codes(story.world());
    assert!(!refused.is_empty() && refused.iter().all(|code| code == "overlap"), "{refused:?}");
    let open = story.world().executions().iter().filter(|one| one.status == Status::Waiting).count();
    assert_eq!(open, 1, "one runs at a time");
}

#[test]
fn a_firing_that_waits_is_refused_when_the_schedule_is_switched_off() {
    let story = scenario().workflow(&slow(", overlap: queue")).run_for("2h 10m");
    assert!(schedules(story.world())[0].queued.is_some());
    at_once(story.world().system.workflows.set_active("w", false)).expect("it is switched off");
    assert_eq!((codes(story.world()), schedules(story.world()).len()), (vec!["inactive".to_owned()], 0));
}

#[test]
fn firings_that_are_due_are_all_told_when_the_schedule_is_switched_off() {
    let story = scenario().workflow(&slow(", overlap: queue")).run_for("2h 10m");
    let world = story.world();
    let mut schedule = schedules(world).remove(0);
    let queued = schedule.queued.clone().expect("one waits");
    schedule.due =
        (1..=6_i64).map(|hour| Firing { at: queued.at + SignedDuration::from_hours(hour), missed: 0 }).collect();
    let item = items::schedule::item(&schedule, 1);
    world.store.damage(items::schedule::TABLE, &item.key, &item.body);
    at_once(world.system.workflows.set_active("w", false)).expect("it is switched off");
    let refusals = world.refusals("w");
    assert_eq!((refusals.len(), refusals.iter().map(|refusal| refusal.count).sum::<u64>()), (4, 7));
    assert!(refusals.iter().all(|refusal| refusal.code == "inactive" && refusal.has_event), "{refusals:?}");
}

/// A world in which nobody worked for a time.
fn after_an_outage(keys: &str, of: SignedDuration) -> Scenario {
    let story = scenario().workflow(&nightly(keys)).run_for("1d");
    let world = story.world();
    world.clock.advance_to(world.now() + of);
    story.run_for("1m")
}

#[test]
fn what_was_missed_starts_once_not_or_each() {
    let three_days = SignedDuration::from_hours(72);
    let one = after_an_outage("", three_days);
    assert_eq!(one.world().executions().len(), 2);
    let one = one.expect(completed().of("w").variable("at", "2026-01-04T03:00:00Z").variable("missed", 2));
    assert_eq!(codes(one.world()), [""; 0]);
    let none = after_an_outage(", catch_up: none", three_days);
    assert_eq!((none.world().executions().len(), codes(none.world())), (1, vec!["missed".to_owned()]));
    let all = after_an_outage(", catch_up: all", three_days);
    assert_eq!(all.world().executions().len(), 4);
}

#[test]
fn a_message_that_comes_again_starts_nothing_twice() {
    let story = scenario().workflow(&nightly("")).run_for("3h");
    let world = story.world();
    for _ in 0..3 {
        let body = r#"{"schedule":{"workflow":"w","trigger":"nightly"}}"#;
        at_once(world.system.evaluator.handle(body, None)).expect("it is handled");
    }
    assert_eq!(world.executions().len(), 1);
}

#[test]
fn the_sweeper_finds_a_firing_whose_timer_was_lost() {
    let story = scenario().workflow(&nightly(""));
    let world = story.world();
    at_once(world.system.ports.timers.cancel(&world.store.pending_timers()[0].name)).expect("it is canceled");
    let story = story.run_for("3h 1m");
    assert_eq!(story.world().executions().len(), 0);
    at_once(story.world().system.sweeper.sweep(None)).expect("it sweeps");
    assert_eq!(story.world().store.messages(QueueName::Events).len(), 1);
    let story = story.run_for("1s");
    assert_eq!(story.world().executions().len(), 1);
}

#[test]
fn nothing_starts_while_it_is_killed() {
    let story = scenario().workflow(&nightly(""));
    at_once(story.world().system.workflows.set_killed("w", true, &act())).expect("it is killed");
    let story = story.run_for("1d");
    assert_eq!((story.world().executions().len(), codes(story.world())), (0, vec!["killed".to_owned()]));
    at_once(story.world().system.workflows.set_killed("w", false, &act())).expect("it is lifted");
    let story = story.run_for("1d");
    assert_eq!(started(story.world()), ["2026-01-02T03:00:00Z"]);
}

#[test]
fn the_next_firings_are_told() {
    let story = scenario().workflow(&nightly(", timezone: Europe/Berlin"));
    let told = at_once(story.world().system.schedules.ahead("w", 2)).expect("it is read").expect("it is there");
    let shown: Vec<_> = told[0].firings.iter().map(|firing| firing.at.to_string()).collect();
    assert_eq!(
        (told[0].timezone.as_str(), shown),
        ("Europe/Berlin", vec!["2026-01-01T02:00:00Z".to_owned(), "2026-01-02T02:00:00Z".to_owned()])
    );
    assert_eq!(at_once(story.world().system.schedules.ahead("other", 2)).expect("it is read"), None);
}

#[test]
fn a_text_of_rfc_5545_fires_at_its_dates() {
    let rule = "triggers:\n  - type: schedule\n    rrule: |\n      DTSTART;TZID=America/New_York:20260105T090000\n      RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=3\n      RDATE;TZID=America/New_York:20260107T120000\n      EXDATE;TZID=America/New_York:20260112T090000\n";
    let story = scenario().workflow(&with(rule, "  - {id: at, type: note, text: fired}")).run_for("60d");
    assert_eq!(started(story.world()), ["2026-01-05T14:00:00Z", "2026-01-07T17:00:00Z", "2026-01-19T14:00:00Z"]);
}

#[test]
fn a_workflow_is_checked_again_when_it_is_saved() {
    let broken = nightly("").replace("0 3 * * *", "0 3 30 2 *");
    let source = Source::parse("w.workflow.yaml", &broken).expect("it is YAML");
    let problems = scenario().world().save_workflow(&source).expect_err("it never fires");
    assert!(problems[0].message.contains("never fires"), "{problems:?}");
}

const SHOP: &str = "calendar: shop\nweekend: [sun]\nholidays: [2026-01-02]";

#[test]
fn firings_keep_to_business_days() {
    // Scenarios begin on a Thursday.
    let skip = scenario().workflow(&nightly(", business_days: skip")).run_for("5d");
    let firings = ["2026-01-01T03:00:00Z", "2026-01-02T03:00:00Z", "2026-01-05T03:00:00Z"];
    assert_eq!(started(skip.world()), firings);
    let shop = nightly(", business_days: next, calendar: shop").replace("0 3 * * *", "0 3 * * 5");
    let next = scenario().definition(DefinitionKind::Calendar, SHOP).workflow(&shop).run_for("8d 12h");
    assert_eq!(started(next.world()), ["2026-01-03T03:00:00Z", "2026-01-09T03:00:00Z"]);
    next.expect(completed().of("w").variable("at", "2026-01-09T03:00:00Z"));
}

#[test]
fn a_calendar_that_changes_counts_for_what_is_not_planned_yet() {
    let shop = nightly(", business_days: skip, calendar: shop");
    let story = scenario().definition(DefinitionKind::Calendar, SHOP).workflow(&shop).run_for("12h");
    // The firing of the third is planned. Its day becomes a holiday, so that it is taken back.
    assert_eq!(schedules(story.world())[0].next.map(|at| at.to_string()), Some("2026-01-03T03:00:00Z".to_owned()));
    let story = story.definition(DefinitionKind::Calendar, &SHOP.replace("[2026-01-02]", "[2026-01-03, 2026-01-05]"));
    let story = story.run_for("5d");
    assert_eq!(started(story.world()), ["2026-01-01T03:00:00Z", "2026-01-06T03:00:00Z"]);
}

#[test]
fn another_calendar_plans_the_next_firing_anew() {
    let shop = nightly(", business_days: skip, calendar: shop");
    let story = scenario().definition(DefinitionKind::Calendar, SHOP).workflow(&shop).run_for("12h");
    let story = story.workflow(&shop.replace(", calendar: shop", "")).run_for("24h");
    assert_eq!(started(story.world()), ["2026-01-01T03:00:00Z", "2026-01-02T03:00:00Z"]);
}
