//! Limits that are split into blocks: they hold as those that are not, and no one waits while a block has room.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use pawl_engine::{Control, Execution, Status, TimerPurpose, Wake};
use pawl_runtime::BlockSizes;
use pawl_runtime::items::guard::{self, Guard};
use pawl_runtime::items::{line, usage};
use pawl_testkit::scenario::{Scenario, World, manual, paused, says, scenario};

use crate::support::with;

const STEPS: &str = "  - {id: wait, type: delay, for: 10m}";

/// Each unit of a limit is a block of its own.
const SINGLE: BlockSizes = BlockSizes { starts: 1, slots: 1 };

fn limited(concurrency: u32) -> String {
    with(&format!("limits: {{concurrency: {concurrency}}}"), STEPS)
}

/// So many executions of which at most some run at once.
fn at_once(sizes: BlockSizes, concurrency: u32, many: usize) -> Scenario {
    (0..many)
        .fold(scenario().blocks(sizes).workflow(&limited(concurrency)), |story, _| story.event(manual("w")))
        .settle()
}

/// How many slots of each block are taken, by the counters.
fn counted(world: &World) -> Vec<u64> {
    let stored = world.store.items(guard::TABLE);
    let block = |block| stored.iter().find(|item| item.key == guard::key("w", Guard::ConcurrencySlots(block)));
    let counts = (0..32).map(|number| block(number).map_or(0, |item| usage::counter(item).expect("it is a counter")));
    let mut counts: Vec<_> = counts.collect();
    counts.truncate(counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1));
    counts
}

fn running(world: &World) -> Vec<Execution> {
    world.executions().into_iter().filter(|one| one.status == Status::Waiting).collect()
}

fn in_line(world: &World) -> usize {
    world.store.items(line::TABLE).iter().filter(|item| item.key.partition == line::partition("w", None)).count()
}

#[test]
fn a_limit_in_blocks_is_used_up_and_never_exceeded() {
    let story = at_once(BlockSizes { starts: 2, slots: 2 }, 5, 12);
    let world = story.world();
    assert_eq!(counted(world), [2, 2, 1], "the shares of three blocks");
    assert_eq!((running(world).len(), in_line(world)), (5, 7));
    let mut held = BTreeMap::<u16, u64>::new();
    for one in running(world) {
        *held.entry(one.holds_slot.expect("it runs")).or_default() += 1;
    }
    assert_eq!(held, [(0, 2), (1, 2), (2, 1)].into(), "each knows the block of its slot");
    let mut story = story;
    for _ in 0..40 {
        story = story.run_for("1m");
        assert!(running(story.world()).len() <= 5);
    }
    let story = story.run_until_idle();
    assert!(story.world().executions().iter().all(|one| one.status == Status::Completed));
    assert_eq!(counted(story.world()), [] as [u64; 0], "each gave its slot back to the block that it was from");
    assert_eq!(story.world().replayed(), [] as [String; 0], "rows tell the block");
}

#[test]
fn a_low_limit_is_one_counter() {
    let story = at_once(BlockSizes::default(), 5, 12);
    assert_eq!(counted(story.world()), [5]);
}

/// Whoever ends, and whichever block the one that waits would be counted in first.
#[test]
fn who_waits_takes_the_slot_of_any_block_that_becomes_free() {
    for ends in 0..4 {
        let story = at_once(SINGLE, 4, 5);
        let world = story.world();
        let waits = world.executions().into_iter().find(|one| one.status == Status::Queued).expect("one waits");
        let first = running(world).swap_remove(ends);
        world.control(&first.id, &Control::Cancel).expect("it runs");
        let story = story.settle();
        assert_eq!(story.world().execution(&waits.id).holds_slot, first.holds_slot);
        assert_eq!(counted(story.world()), [1; 4]);
    }
}

#[test]
fn many_that_end_at_once_hand_on_as_many_slots() {
    let story = at_once(SINGLE, 6, 18).run_for("10m");
    // The ends and the wake-ups are there; nobody waits for a timer.
    assert_eq!((running(story.world()).len(), in_line(story.world())), (6, 6));
    let begun: Vec<_> = running(story.world()).iter().filter_map(|one| one.started_at).collect();
    assert!(begun.iter().all(|at| story.world().now().duration_since(*at) < SignedDuration::from_secs(1)), "{begun:?}");
}

/// A counter that cannot be read is not free; those who find a slot elsewhere begin.
#[test]
fn a_block_that_cannot_be_read_holds_up_nobody_who_finds_another() {
    let story = at_once(SINGLE, 4, 1);
    let taken = running(story.world())[0].holds_slot.expect("it runs");
    let broken = guard::key("w", Guard::ConcurrencySlots(u8::try_from(taken).expect("it is a block")));
    story.world().store.damage(guard::TABLE, &broken, "no JSON");
    let story = (0..3).fold(story, |story, _| story.event(manual("w"))).settle();
    assert_eq!(running(story.world()).len(), 4);
}

/// The shares change with the limit, and a block with more in use than its share takes nothing new.
#[test]
fn an_edit_changes_the_shares() {
    let story = at_once(SINGLE, 2, 6);
    let story = story.workflow(&limited(4)).run_for("6m");
    assert_eq!(counted(story.world()), [1; 4], "a raised limit adds blocks");
    let story = story.workflow(&limited(2));
    let world = story.world();
    let (gone, kept): (Vec<_>, Vec<_>) = running(world).into_iter().partition(|one| one.holds_slot >= Some(2));
    for one in gone {
        world.control(&one.id, &Control::Cancel).expect("it runs");
    }
    let story = story.settle();
    assert_eq!((counted(story.world()), in_line(story.world())), (vec![1, 1], 2), "blocks that are gone take nothing");
    story.world().control(&kept[0].id, &Control::Cancel).expect("it runs");
    let story = story.settle();
    assert_eq!((counted(story.world()), in_line(story.world())), (vec![1, 1], 1));
}

/// When executions begin or are to begin, in order.
fn planned(world: &World) -> Vec<Timestamp> {
    let start = |one: &Execution| match one.wake {
        Wake::Timer { at, purpose: TimerPurpose::Throttle } => at,
        _ => one.started_at.unwrap_or(one.created_at),
    };
    let mut planned: Vec<_> = world.executions().iter().map(start).collect();
    planned.sort();
    planned
}

#[test]
fn no_span_holds_more_starts_than_the_blocks_have_together() {
    let workflow = with("limits: {starts: {per: 1m, at_most: 5}}", "  - {id: n, type: note, text: n}");
    let story = scenario().blocks(BlockSizes { starts: 2, slots: 2 }).workflow(&workflow);
    let story = (0..60).fold(story, |story, _| story.event(manual("w"))).settle();
    let planned = planned(story.world());
    let begun = planned.iter().filter(|at| **at == planned[0]).count();
    assert_eq!(begun, 5, "all that is allowed begins at once: {planned:?}");
    let close = planned.windows(6).find(|window| window[5].duration_since(window[0]) < SignedDuration::from_mins(1));
    assert_eq!(close, None);
    let last = planned[59].duration_since(planned[0]).as_secs() / 60;
    assert!((11..=15).contains(&last), "blocks are about equally far: the last after {last} minutes, at best after 11");
    let story = story.run_until_idle();
    assert!(story.world().executions().iter().all(|one| one.status == Status::Completed), "none is dropped");
}

#[test]
fn what_models_cost_in_a_day_is_the_sum_of_its_blocks() {
    let ask = "  - {id: a, type: call_llm, model: test/model, prompt: one}";
    let workflow = with("limits: {budget: {tokens: 1000, per: day}}", ask);
    let story = scenario().workflow(&workflow).model(|_| says("x"));
    let story = (0..10).fold(story, |story, _| story.event(manual("w")).run_until_idle());
    let ended = story.world().executions();
    let spent: u64 = ended.iter().map(|one| one.usage.tokens).sum();
    let blocks: Vec<_> = (story.world().store.items(usage::TABLE).into_iter())
        .filter(|item| item.key.sort.ends_with("#tokens"))
        .map(|item| usage::counter(&item).expect("it is a counter"))
        .collect();
    assert!(blocks.len() > 1, "executions are counted in blocks: {blocks:?}");
    assert_eq!(blocks.iter().sum::<u64>(), spent);
    assert!((1_000..1_200).contains(&spent), "one call goes beyond the budget: {spent}");
    story.expect(paused().path(["a:failed"]));
    assert!(ended.iter().any(|one| one.status == Status::Completed));
}
