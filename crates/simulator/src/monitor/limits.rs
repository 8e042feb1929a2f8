//! Limits, checked at every commit of a head.

use jiff::{SignedDuration, Timestamp};
use pawl_definition::{BudgetPer, Limits, Reentry};
use pawl_engine::{Execution, Status, Wake};

use super::protocol::Commit;
use super::{Broken, Monitor, passes_guards, same_slots};

pub(super) fn check(monitor: &Monitor, commit: &Commit<'_>, broken: &mut Vec<Broken>) {
    let after = commit.after;
    let definition = monitor.definition(&after.workflow, after.revision);
    let limits = &definition.limits;
    steps_and_visits(after, limits, broken);
    if commit.before.is_none() && passes_guards(after) {
        chain(after, limits, broken);
        on_record(monitor, after, limits, broken);
        spacing(monitor, after, limits, broken);
    }
    slots(monitor, commit, limits, broken);
    let claims = commit.before.is_some_and(|before| before.leases != after.leases) && !after.leases.is_empty();
    let step = after.cursor.as_deref().and_then(|id| definition.step(id));
    let asks_model = step.is_some_and(|step| step.kind.shape().asks_model().is_some());
    if let (true, Some(budget)) = (claims && asks_model, &limits.budget)
        && budget.per == BudgetPer::Execution
        && budget.tokens.is_some_and(|most| after.usage.tokens >= most)
    {
        broken.push((7, format!("a model is called after {} tokens were spent", after.usage.tokens)));
    }
}

/// No more executions of a key hold a slot than the limit says; and one that holds its slot only while it runs makes no call and
/// ends no step without one.
fn slots(monitor: &Monitor, commit: &Commit<'_>, limits: &Limits, broken: &mut Vec<Broken>) {
    let (Some(before), after, Some(limit)) = (commit.before, commit.after, &limits.concurrency) else { return };
    if before.holds_slot.is_none() && after.holds_slot.is_some() {
        // Those that run when a limit is lowered run on.
        let all = monitor.definitions(&after.workflow).filter_map(|workflow| workflow.limits.concurrency.as_ref());
        let most = all.map(|limit| limit.at_most).fold(limit.at_most, u32::max);
        let is_other = |head: &&Execution| head.id != after.id && same_slots(head, after) && head.holds_slot.is_some();
        let running = monitor.open().filter(is_other).count() + 1;
        if running > usize::try_from(most).expect("a limit fits") {
            let key = after.slot_key.as_deref().map_or(String::new(), |key| format!(" of the key {key:?}"));
            broken.push((7, format!("{running} executions{key} run at once, the limit is {most}")));
        }
    }
    let goes_on = before.asks_for_slot() && before.leases.is_empty();
    // Its count of steps also grows when a part of it ends whose step was over.
    let is_step = |row: &pawl_engine::Row| row.step.is_some() && row.status.is_some();
    let carries_out = after.steps_done > before.steps_done && commit.rows.iter().any(is_step);
    if before.lacks_slot() && goes_on && carries_out {
        broken.push((7, "carried out a step without a slot".to_owned()));
    }
    if before.slot_key != after.slot_key && after.forgotten.is_none() {
        broken.push((7, format!("counts for {:?}, and counted for {:?}", after.slot_key, before.slot_key)));
    }
}

fn steps_and_visits(after: &Execution, limits: &Limits, broken: &mut Vec<Broken>) {
    let in_list = after.steps_done.saturating_sub(after.steps_elsewhere);
    if in_list > limits.steps {
        broken.push((7, format!("{in_list} steps of a list were carried out, the limit is {}", limits.steps)));
    }
    for (id, state) in &after.steps {
        let over = state.fresh_visits > limits.visits;
        if over && !(after.status == Status::Failed && state.fresh_visits == limits.visits + 1) {
            broken.push((
                7,
                format!("step {id} was visited {} times, the limit is {}", state.fresh_visits, limits.visits),
            ));
        }
    }
}

fn chain(after: &Execution, limits: &Limits, broken: &mut Vec<Broken>) {
    let chain = &after.cause.chain;
    let depth = usize::try_from(limits.depth).expect("a limit fits");
    if chain.len() >= depth {
        broken.push((7, format!("began at depth {}, the limit is {depth}", chain.len())));
    }
    let own = chain.iter().filter(|link| link.workflow == after.workflow && link.record == after.record).count();
    if own >= usize::try_from(limits.own_chain).expect("a limit fits") {
        broken.push((7, format!("started itself {own} times, the limit is {}", limits.own_chain)));
    }
}

fn on_record(monitor: &Monitor, after: &Execution, limits: &Limits, broken: &mut Vec<Broken>) {
    if after.record.is_none() {
        return;
    }
    let same =
        |head: &&Execution| head.workflow == after.workflow && head.record == after.record && passes_guards(head);
    let others: Vec<_> = monitor.heads.values().filter(same).collect();
    let refused = match limits.reentry {
        Reentry::EveryEvent => false,
        Reentry::OneActivePerRecord => others.iter().any(|other| !other.status.is_ended()),
        Reentry::OncePerRecord => !others.is_empty(),
    };
    if refused {
        broken.push((7, format!("began on a record against {:?}", limits.reentry)));
    }
    let cooldown = limits.cooldown.as_ref().map_or(0, pawl_definition::Duration::as_seconds);
    let since = others.iter().map(|other| after.created_at.duration_since(other.created_at).abs()).min();
    if since.is_some_and(|since| since < SignedDuration::from_secs(cooldown) && cooldown > 0) {
        broken.push((7, format!("began on a record within its cooldown of {cooldown} s")));
    }
}

/// No span of time holds more starts than are allowed, those planned for later among them.
fn spacing(monitor: &Monitor, after: &Execution, limits: &Limits, broken: &mut Vec<Broken>) {
    let Some(starts) = &limits.starts else { return };
    let most = usize::try_from(starts.at_most).expect("a limit fits");
    let mut planned_at = monitor.planned.get(&after.workflow).cloned().unwrap_or_default();
    planned_at.push(planned(after));
    planned_at.sort();
    let is_close = |window: &[Timestamp]| window[most].duration_since(window[0]) < starts.per.approximate();
    if planned_at.windows(most + 1).any(is_close) {
        broken.push((7, format!("more than {most} starts are planned within {} s", starts.per.as_seconds())));
    }
}

/// When a new execution is to begin.
pub(super) fn planned(head: &Execution) -> Timestamp {
    match head.wake {
        Wake::Timer { at, .. } => at,
        _ => head.created_at,
    }
}
