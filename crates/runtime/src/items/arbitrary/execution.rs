//! Executions and rows, each optional part of them there or not.

use std::collections::BTreeSet;

use pawl_definition::FailureClass;
use pawl_engine::{
    Address, Execution, Frame, Item, Lease, Leases, OpenPart, OutcomeStatus, Parent, Parts, Pause, PauseReason, Region,
    RegionStart, Requested, ReturnTo, Row, RowKind, StartedBy, Status, StepCode, StepError, StepState, StepStatus,
    Stepping, TimerPurpose, Usage, Waiting, Wake, event, ids, signal,
};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::{
    Arbitrary, act, cause, derived_id, field_name, filled, map, part_id, subject, text, time, value, workflow_id,
};

fn status() -> Arbitrary<Status> {
    let all = [
        Status::Queued,
        Status::Running,
        Status::Waiting,
        Status::Paused,
        Status::Completed,
        Status::Canceled,
        Status::Failed,
    ];
    select(all.to_vec()).boxed()
}

fn step_status() -> Arbitrary<StepStatus> {
    let all = [
        StepStatus::Running,
        StepStatus::Waiting,
        StepStatus::Retrying,
        StepStatus::Completed,
        StepStatus::Partial,
        StepStatus::Failed,
        StepStatus::Skipped,
        StepStatus::Canceled,
        StepStatus::TimedOut,
    ];
    select(all.to_vec()).boxed()
}

fn wake() -> Arbitrary<Wake> {
    let purposes = [TimerPurpose::Throttle, TimerPurpose::Concurrency, TimerPurpose::Delay, TimerPurpose::Retry];
    prop_oneof![
        select(vec![Wake::Job, Wake::Person, Wake::Never]),
        (time(), select(purposes.to_vec())).prop_map(|(at, purpose)| Wake::Timer { at, purpose }),
        of(time()).prop_map(|until| Wake::Signal { until }),
    ]
    .boxed()
}

fn error() -> Arbitrary<StepError> {
    let classes = [FailureClass::Timeout, FailureClass::Network, FailureClass::Throttled, FailureClass::Server];
    (select(StepCode::ALL), text(), of(select(classes.to_vec())), of(any::<u64>()))
        .prop_map(|(code, message, class, retry_after_s)| StepError { code, message, class, retry_after_s })
        .boxed()
}

/// What models cost: what is estimated is more than nothing.
fn usage() -> Arbitrary<Usage> {
    let usage = (any::<u64>(), prop_oneof![Just(0.0), 0.0..1e6], any::<bool>())
        .prop_map(|(tokens, usd, estimated)| Usage { tokens, usd, estimated: estimated && tokens > 0 });
    prop_oneof![Just(Usage::default()), usage].boxed()
}

fn address() -> Arbitrary<Address> {
    (part_id(), of(2_u32..))
        .prop_map(|(step, call)| {
            call.into_iter().fold(Address::of(&step), |address, call| address.part(&call.to_string()))
        })
        .boxed()
}

fn leases() -> Arbitrary<Leases> {
    let lease = (filled(), any::<u32>(), time(), time()).prop_map(|(owner, attempt, claimed_at, until)| Lease {
        owner,
        attempt,
        claimed_at,
        until,
    });
    vec((address(), lease), 0..3)
        .prop_map(|claims| {
            claims.into_iter().fold(Leases::default(), |mut leases, (address, lease)| {
                leases.claim(address, lease);
                leases
            })
        })
        .boxed()
}

pub(super) fn step_state() -> Arbitrary<StepState> {
    let counts = (any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>());
    (step_status(), value(), of(error()), counts, time(), of(time()), [value(), value()])
        .prop_map(|(status, output, error, counts, started_at, attempt_started_at, [checkpoint, kept])| {
            let (visit, fresh_visits, attempt, interrupted) = counts;
            StepState {
                status,
                output,
                error,
                visit,
                fresh_visits,
                attempt,
                interrupted,
                started_at,
                attempt_started_at,
                checkpoint,
                kept,
            }
        })
        .boxed()
}

/// What a step listens on: a record, a field of one, a webhook, the end of a state machine, a signal, a token.
pub(crate) fn topic() -> Arbitrary<String> {
    let record = (of(field_name()), subject()).prop_map(|(field, record)| {
        let topic = record.topic();
        field.map_or(topic.clone(), |field| event::waiting_on(&topic, &field))
    });
    let hook = (workflow_id(), part_id()).prop_map(|(workflow, trigger)| ids::webhook_topic(&workflow, &trigger));
    let machine = "[A-Za-z0-9_-]{1,80}".prop_map(|name| {
        ids::state_machine_topic(&format!("arn:aws:states:eu-central-1:123456789012:execution:machine:{name}"))
    });
    let signal = (part_id(), filled(), 0..=99_999_999_999_999_999_u64, 0..=99_999_999_999_999_999_u64)
        .prop_map(|(name, key, since, from)| format!("{since:017},{from:017}|{}", signal::topic(&name, &key)));
    prop_oneof![record, hook, machine, signal, filled().prop_map(|token| ids::callback_topic(&token))].boxed()
}

fn waiting() -> Arbitrary<Waiting> {
    (time(), btree_set(topic(), 0..3)).prop_map(|(since, topics)| Waiting { since, topics }).boxed()
}

fn pause() -> Arbitrary<Pause> {
    let reasons = select(vec![PauseReason::Person, PauseReason::Workflow, PauseReason::Failure, PauseReason::Debug]);
    (reasons, of(text()), time(), of(filled()), status(), wake())
        .prop_map(|(reason, note, since, actor, status, wake)| Pause { reason, note, since, actor, status, wake })
        .boxed()
}

fn requested() -> Arbitrary<Requested> {
    prop_oneof![act().prop_map(Requested::Pause), act().prop_map(Requested::Cancel)].boxed()
}

pub(super) fn steps() -> Arbitrary<BTreeSet<String>> {
    btree_set(part_id(), 0..3).boxed()
}

fn started_by() -> Arbitrary<StartedBy> {
    (derived_id("exe"), address(), any::<u32>())
        .prop_map(|(execution, address, visit)| StartedBy { execution, address, visit })
        .boxed()
}

pub(super) fn parent() -> Arbitrary<Parent> {
    (started_by(), any::<u32>(), any::<bool>(), vec(started_by(), 0..3))
        .prop_map(|(by, index, waits, above)| Parent { by, index, waits, above })
        .boxed()
}

fn item() -> Arbitrary<Item> {
    (any::<u32>(), value()).prop_map(|(index, value)| Item { index, value }).boxed()
}

fn frame() -> Arbitrary<Frame> {
    (part_id(), item(), map(), steps(), any::<u32>(), of(error()))
        .prop_map(|(step, item, variables, unset, steps, error)| Frame { step, item, variables, unset, steps, error })
        .boxed()
}

pub(super) fn region() -> Arbitrary<Region> {
    (part_id(), part_id()).prop_map(|(step, name)| Region { step, name }).boxed()
}

pub(super) fn region_start() -> Arbitrary<RegionStart> {
    let before = (any::<u32>(), usage(), of(item()), of(derived_id("evt")));
    (region(), derived_id("evt"), map(), btree_map(part_id(), step_state(), 0..2), before)
        .prop_map(|(region, event, variables, steps, (steps_most, usage, item, of_fork))| RegionStart {
            revision: of_fork.as_ref().map(|_| u64::from(steps_most)),
            shares_data: steps_most % 2 == 1,
            of_fork,
            region,
            event,
            variables,
            steps,
            item,
            steps_most,
            usage,
        })
        .boxed()
}

fn parts() -> Arbitrary<Parts> {
    let part = (any::<u32>(), time()).prop_map(|(steps, since)| OpenPart { steps, since });
    let open = btree_map(derived_id("exe"), part, 0..2);
    (open, usage()).prop_map(|(open, usage)| Parts { open, usage }).boxed()
}

/// A head with any of its parts. They need not fit each other: storage does not look at that.
pub(crate) fn execution() -> Arbitrary<Execution> {
    let stepping = of(part_id()).prop_map(|may| Stepping { may });
    let kin = (of(parent()), of(region()), of(super::fork::fork()), of(stepping));
    let is = (derived_id("exe"), workflow_id(), derived_id("evt"), of(subject()), cause(), of(filled()), kin);
    let counts =
        (any::<[u64; 3]>(), any::<[u32; 3]>(), any::<[bool; 8]>(), (of(any::<u16>()), of(text()), any::<bool>()));
    let times = (time(), of(time()), of(time()), of(time()), of(time()), time());
    let inside = (vec(frame(), 0..3), of(item()), btree_map(part_id(), any::<u32>(), 0..3));
    let stands =
        (of(part_id()), of(part_id()), of(of(part_id())), btree_map(part_id(), step_state(), 0..3), steps(), inside);
    let waits = (status(), wake(), leases(), of(waiting()), of(pause()), of(requested()), of(act()));
    let ids = (vec(derived_id("exe"), 0..3), vec(derived_id("ctl"), 0..3), of(select(OutcomeStatus::ALL.to_vec())));
    let took = (usage(), parts());
    let holds = (map(), map(), of(text()), of(error()), took, value(), value(), ids);
    (is, counts, times, stands, waits, holds)
        .prop_map(|(is, counts, times, stands, waits, holds)| {
            let (id, workflow, event_id, record, cause, last_control, (parent, region, fork, debug)) = is;
            let ([revision, version, seq], [steps_done, steps_elsewhere, deaths], flags, slot) = counts;
            let (holds_slot, slot_key, slot_while_running) = slot;
            let [high_priority, over_budget, throttled, stalled, holds_record, ends_whole, keeps_revision, announces_end] = flags;
            let (created_at, started_at, ended_at, expires_at, forgotten, updated_at) = times;
            let (cursor, entered, returns_to, steps, failed_steps, (frames, item, visits)) = stands;
            let returns_to = returns_to.map(|step| ReturnTo { step });
            let (status, wake, leases, waiting, pause, requested, killed) = waits;
            let (variables, overrides, reason, error, took, since, output, (to_tell, step_controls, outcome)) = holds;
            let (usage, parts) = took;
            #[rustfmt::skip]
            let execution = Execution {
                id, workflow, revision, keeps_revision, version, seq, status, record, event_id, cause, parent, region, fork: fork.map(Box::new), debug,
                stops: ends_whole, high_priority, created_at,
                started_at, ended_at, expires_at, forgotten, updated_at, cursor, entered, returns_to, frames, item, visits, variables, steps, steps_done,
                steps_elsewhere, parts, failed_steps, wake, leases, waiting, pause, requested, killed, reason, error, output, to_tell, announces_end, overrides, usage,
                over_budget, throttled, stalled, deaths, slot_key, holds_slot, slot_while_running, holds_record, last_control,
                outcome, step_controls, since,
            };
            execution
        })
        .boxed()
}

/// A row with any of its parts.
pub(crate) fn row() -> Arbitrary<Row> {
    use RowKind::{Control, Created, Debug, Moved, Slot, Started, Step};
    let kinds = [Created, Started, Step, Control, Moved, Slot, Debug];
    let is = (any::<u64>(), time(), select(kinds.to_vec()), any::<u64>(), status());
    let step = (of(part_id()), of(address()), of(part_id()), of(step_status()), of(any::<u32>()), of(any::<u32>()));
    let told = (of(part_id()), of(error()), of(text()), of(filled()), usage(), of(part_id()));
    let times = (of(time()), of(time()), of(time()));
    (is, step, told, times, value(), value(), value(), value())
        .prop_map(|(is, of_step, told, times, input, output, trace, observed)| {
            let (seq, at, kind, revision, execution) = is;
            let (step, address, step_type, status, visit, attempt) = of_step;
            let (branch, error, note, actor, usage, trigger) = told;
            let (started_at, attempt_started_at, due) = times;
            #[rustfmt::skip]
            let row = Row {
                seq, at, kind, revision, trigger, step, address, step_type, status, visit, attempt, started_at,
                attempt_started_at, input, output, branch, error, note, actor, due, usage, trace, observed, execution,
            };
            row
        })
        .boxed()
}
