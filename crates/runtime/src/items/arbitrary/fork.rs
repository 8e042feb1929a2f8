//! Any fork.

use pawl_engine::{Fork, ForkStart, ForkState, ReturnTo};
use proptest::collection::btree_map;
use proptest::option::of;
use proptest::prelude::*;

use super::execution::{step_state, steps};
use super::{Arbitrary, act, derived_id, map, part_id, value};

pub(super) fn fork() -> Arbitrary<Fork> {
    (derived_id("exe"), of(part_id()), any::<u64>(), of(part_id()))
        .prop_map(|(execution, at, seq, refused)| Fork { execution, at, seq, refused })
        .boxed()
}

fn state() -> Arbitrary<ForkState> {
    let visits = btree_map(part_id(), any::<u32>(), 0..2);
    let returns_to = of(of(part_id()).prop_map(|step| ReturnTo { step }));
    (map(), btree_map(part_id(), step_state(), 0..2), visits, steps(), returns_to)
        .prop_map(|(variables, steps, visits, failed_steps, returns_to)| ForkState {
            variables,
            steps,
            visits,
            failed_steps,
            returns_to,
        })
        .boxed()
}

pub(super) fn fork_start() -> Arbitrary<ForkStart> {
    (fork(), derived_id("evt"), act(), map(), of(state()), of(any::<u64>()), value())
        .prop_map(|(fork, event, act, values, state, revision, read)| ForkStart {
            fork,
            event,
            act,
            values,
            state,
            revision,
            read,
        })
        .boxed()
}
