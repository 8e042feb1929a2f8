//! The simulator repeats itself, finds nothing in the runtime, and finds every bug that was made by hand.

use std::collections::BTreeSet;

use pawl_simulator::{Bug, Counts, simulate};

#[test]
fn the_same_seed_writes_the_same_bytes() {
    for seed in 1..=20 {
        let (left, right) = (simulate(seed, None), simulate(seed, None));
        assert_eq!(left.trace.text(), right.trace.text(), "seed {seed}");
        assert_eq!(left, right);
    }
}

#[test]
fn other_seeds_write_other_bytes() {
    assert_ne!(simulate(1, None).trace, simulate(2, None).trace);
}

#[test]
fn every_invariant_holds_for_the_first_seeds_which_meet_every_disaster() {
    let mut counts = Counts::default();
    for seed in 1..=100 {
        let report = simulate(seed, None);
        assert_eq!(report.violation, None, "seed {seed}: {}", report.trace.tail(40, &[]));
        counts.merge(&report.counts);
    }
    for disaster in [
        "crashes",
        "panics",
        "power losses",
        "times storage was full",
        "unreadable items",
        "items mended",
        "listings that passed over an item",
        "oversized values in deliveries",
        "oversized values in http_request",
        "oversized values in set_variables",
        "oversized records refused",
        "records forgotten",
        "records archived by people",
        "events posted",
        "events published",
        "interactions posted",
        "executions forgotten",
        "executions expired",
        "forks begun",
    ] {
        assert!(counts.of(disaster) > 0, "no {disaster}");
    }
}

/// How many seeds a bug may need. The slowest needs a thousand: a goal must be overtaken between decision and commit.
const MOST_SEEDS: u64 = 6_000;

/// One test for each bug, so that they run side by side. The search begins at the seed that found it when this was written, so
/// that all are found within minutes; what changes the runs may change the seed, and the search goes on.
macro_rules! is_found {
    ($($test:ident: $name:literal from $first:literal;)*) => {
        $(#[test]
        fn $test() {
            let bug = Bug::named($name).expect("the bug has this name");
            let found = ($first..=MOST_SEEDS).chain(1..$first).any(|seed| simulate(seed, Some(bug)).violation.is_some());
            assert!(found, "no seed up to {MOST_SEEDS} finds {}", $name);
        })*

        #[test]
        fn every_bug_has_a_test() {
            let tested: BTreeSet<_> = [$($name),*].into();
            let known: BTreeSet<_> = Bug::ALL.iter().map(|(name, _)| *name).collect();
            assert_eq!(tested, known);
        }
    };
}

is_found! {
    finds_messages_deleted_before_they_are_handled: "delete-first" from 7;
    finds_commits_that_do_not_require_a_version: "blind-heads" from 5;
    finds_executions_that_are_made_again: "made-again" from 67;
    finds_unknown_outcomes_taken_for_success: "unknown-is-success" from 2;
    finds_effects_without_a_claim: "no-claims" from 1;
    finds_claims_without_a_lease: "no-lease" from 1;
    finds_goals_that_do_not_listen: "no-waiters" from 13;
    finds_lines_that_are_not_stored: "no-line" from 197;
    finds_goals_that_are_not_told: "untold-waiters" from 13;
    finds_goals_that_miss_a_change_on_entry: "no-checks" from 144;
    finds_rows_that_do_not_keep_what_they_were_decided_on: "unobserved-rows" from 2;
    finds_rows_that_are_lost_on_their_way_out_of_the_head: "lost-rows" from 1;
    finds_records_written_before_their_transition: "records-first" from 1;
    finds_guards_that_two_starts_pass: "blind-guards" from 113;
    finds_places_without_a_bound: "unbounded-places" from 610;
    finds_slots_given_back_to_another_block: "slot-to-first-block" from 17;
    finds_lines_that_stand_although_another_block_has_a_slot: "only-home-block" from 709;
    finds_windows_that_lose_an_event: "blind-windows" from 4541;
    finds_slots_of_a_key_that_two_take: "slot-taken-twice" from 1894;
    finds_slots_of_a_key_that_stay_taken: "slot-kept" from 13;
    finds_deliveries_accepted_twice: "blind-keys" from 76;
    finds_sends_answered_before_they_leave: "buffered-sends" from 20;
    finds_answers_that_do_not_wait_for_the_disk: "not-durable" from 9;
    finds_kills_that_nobody_sees: "blind-kill" from 5;
    finds_timers_that_are_not_set: "lost-timers" from 7;
    finds_that_nothing_sweeps: "no-sweeper" from 7;
    finds_messages_of_panicked_handlers_that_are_deleted: "panic-deletes" from 8;
    finds_storage_that_stays_full_for_good: "full-for-good" from 3;
    finds_children_that_are_made_twice: "child-twice" from 62;
    finds_joins_that_happen_twice: "join-twice" from 553;
    finds_children_that_go_on_without_their_parent: "blind-parents" from 2;
    finds_children_that_are_not_told_of_a_cancel: "untold-children" from 6;
    finds_parents_that_are_not_told_of_an_end: "untold-parents" from 1;
    finds_ends_that_are_not_told_to_who_listens: "untold-ends" from 10;
    finds_workflows_that_are_not_listed_under_posted_events: "posts-unlisted" from 5;
    finds_workflows_that_are_not_listed_under_interactions: "interactions-unlisted" from 1;
    finds_posted_events_whose_repeats_have_other_ids: "fresh-posts" from 5;
    finds_published_events_that_lose_what_led_to_them: "published-uncaused" from 79;
    finds_rows_that_keep_the_values_of_who_is_forgotten: "rows-remember" from 10;
    finds_blobs_that_outlive_their_execution: "kept-blobs" from 15;
    finds_open_executions_that_expire: "open-expires" from 7;
    finds_signals_that_two_receive: "signal-twice" from 330;
    finds_signals_that_are_dropped_on_a_race: "signal-dropped" from 285;
    finds_signals_that_a_wait_does_not_look_for: "signal-unseen" from 15;
    finds_executions_that_forget_who_has_controlled_them: "controls-forgotten" from 5;
    finds_controls_that_are_told_and_not_done: "control-dropped" from 6;
    finds_items_that_a_loop_passes_over: "item-skipped" from 12;
    finds_items_that_a_loop_forgets: "slice-forgotten" from 15;
    finds_lanes_that_do_not_keep_to_their_share: "share-ignored" from 457;
    finds_lanes_whose_models_are_not_counted_for_the_tree: "lanes-uncounted" from 574;
    finds_batches_of_actions_that_are_not_stored: "batch-dropped" from 6;
    finds_firings_that_are_not_written_down: "firing-dropped" from 7;
    finds_firings_that_are_written_down_twice: "firing-twice" from 7;
    finds_entries_of_dates_that_an_older_record_writes: "blind-dates" from 235;
    finds_entries_of_dates_that_fire_again_and_again: "dates-kept" from 5;
    finds_records_that_nobody_looks_at_for_a_date: "dates-unlooked" from 68;
    finds_forks_without_what_their_original_had_come_to: "fork-forgets" from 40;
    finds_forks_that_their_original_does_not_list: "fork-unlisted" from 5;
    finds_definitions_that_are_not_kept_as_they_were: "definitions-unkept" from 5;
    finds_steps_that_nobody_asked_for: "steps-unasked" from 35;
    finds_rounds_of_members_that_are_not_fair: "blind-positions" from 10;
    finds_rows_that_do_not_keep_what_was_looked_up: "lookups-unobserved" from 18;
    finds_changes_of_records_that_are_not_told: "changes-lost" from 1;
    finds_histories_that_keep_the_values_of_who_is_forgotten: "changes-remember" from 5;
    finds_activities_written_before_their_transition: "activities-first" from 10;
    finds_rows_of_activities_that_have_ended: "activity-rows-kept" from 10;
    finds_workflows_that_are_not_listed_under_activities: "activities-unlisted" from 35;
    finds_workflows_that_are_not_listed_under_messages: "mail-unlisted" from 7;
    finds_activities_that_nobody_knows_to_be_due: "due-unstored" from 35;
    finds_listings_that_stop_at_an_item_that_cannot_be_read: "unreadable-stops-listing" from 11;
    finds_large_values_that_stand_in_the_items_that_refer_to_them: "oversized-stored" from 2;
}
