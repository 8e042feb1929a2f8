//! Notes what a decision observed, in what is written of it.

use std::collections::{BTreeMap, BTreeSet};

use super::seen::Part;
use super::{Given, LeaseSeen, LookupSeen, Observed, Seen};
use crate::{
    ChildSeen, Commit, Context, Control, Decision, Execution, Hold, Input, Reads, Row, RowKind, Status, context, ids,
    steps,
};

/// Notes what a decision observed: a row takes it with all that was observed since the row before; a head that is written
/// without a row keeps it for the next one.
pub(crate) fn note(cx: &Context<'_>, before: &Execution, input: &Input<'_>, decision: &mut Decision) {
    match decision {
        Decision::Stay(_) | Decision::Read(_) => {}
        Decision::Commit(commit) => in_row(cx, before, input, commit),
        Decision::Perform(claim) => {
            let callback = new_callback(before, &claim.execution);
            // What it took over of its children stands in no row yet.
            let children = seen(cx, before);
            keep(&mut claim.execution, before, Observed { callback, children, ..alone(cx, before, input) });
        }
        Decision::Postpone(after) if after.is_in_line() => {
            // It waits for a slot, and has read no record for that.
            let seen = Observed { objects: None, record: None, related: BTreeMap::new(), ..alone(cx, before, input) };
            keep(after, before, seen);
        }
        Decision::Postpone(after) => keep(after, before, alone(cx, before, input)),
    }
}

/// What was observed since the last row; what nobody can read is as good as not observed, and replay tells it.
fn since(before: &Execution) -> Vec<Observed> {
    Observed::list(&before.since).unwrap_or_default()
}

fn in_row(cx: &Context<'_>, before: &Execution, input: &Input<'_>, commit: &mut Commit) {
    let row = &commit.row;
    let mut observed = since(before);
    for earlier in &mut observed {
        earlier.revision = earlier.revision.filter(|revision| *revision != row.revision);
        earlier.at = earlier.at.filter(|at| Some(*at) != row.attempt_began());
    }
    let mut own = of(cx, before, input, Some(row));
    let by_head_alone = matches!(input, Input::Control(control, _) if !looks_at_plan(control));
    own.revision = (cx.plan.revision != row.revision && !by_head_alone).then_some(cx.plan.revision);
    observed.push(own);
    commit.row.observed = Observed::stored(&observed);
    commit.execution.since = serde_json::Value::Null;
}

/// Of a decision without a row.
fn alone(cx: &Context<'_>, before: &Execution, input: &Input<'_>) -> Observed {
    Observed { at: Some(cx.now), revision: Some(cx.plan.revision), ..of(cx, before, input, None) }
}

/// Keeps it in the head. A place in the line that is kept, and a look that finds what the look before found, take the
/// place of those before: the head after is the same, and a wait of days stays short. An event that comes in the line stays.
fn keep(after: &mut Execution, before: &Execution, observed: Observed) {
    let mut list = since(before);
    if before.is_in_line() && after.is_in_line() && observed.no_place {
        list.pop_if(|last| last.no_place);
    }
    list.push(observed);
    if let [.., claim, found, again, found_again] = list.as_slice()
        && matches!(found.given, Given::Performed(_))
        && is_same(claim, again)
        && is_same(found, found_again)
    {
        list.drain(list.len() - 4..list.len() - 2);
    }
    without_idle_looks(&mut list);
    after.since = Observed::stored(&list);
}

/// Takes away looks at children that came to nothing: each decides by what it finds itself. If one was asked for by news, those
/// stay that show how the execution came to wait for news, and the last news.
fn without_idle_looks(list: &mut Vec<Observed>) {
    let is_look = |one: &Observed| matches!(one.given, Given::Run | Given::LookAgain) && !one.children.is_empty();
    let from = list.iter().rposition(|one| !is_look(one)).map_or(0, |at| at + 1);
    let asked_by = match &list[from..] {
        [.., before, latest] if latest.given == Given::Run => before.given.clone(),
        _ => return,
    };
    let before = list.len() - 2;
    if asked_by == Given::Run {
        list.remove(before);
    } else if let Some(first) = list[from..before].iter().position(|one| one.given == Given::Run) {
        list.drain(from + first + 1..before);
    }
}

fn is_same(one: &Observed, other: &Observed) -> bool {
    *one == Observed { at: one.at, ..other.clone() }
}

fn of(cx: &Context<'_>, before: &Execution, input: &Input<'_>, row: Option<&Row>) -> Observed {
    let reads = if looks_at_records(before, input, row) { context::reads(cx.plan, before) } else { Reads::default() };
    let step = before.cursor.as_deref().and_then(|id| cx.plan.step(id));
    let may_look = !matches!(input, Input::Performed(_) | Input::Rejected(_) | Input::Control(..));
    let names_object = may_look && step.is_some_and(|step| step.kind.shape().object().is_some());
    let asks_model = may_look && step.is_some_and(|step| step.kind.shape().asks_model().is_some());
    let runs = matches!(input, Input::Run | Input::Found(_));
    let asks = runs && before.asks_for_slot();
    // A control that stops an execution is decided on its head alone.
    let is_blind = matches!(input, Input::Control(control, _) if !looks_at_plan(control));
    let reads_definitions = cx.plan.reads_definitions && !is_blind;
    let reads_object = reads.record || names_object || matches!(input, Input::Found(_)) || reads_definitions;
    // A lookup that finds no value to look for has asked the object too.
    let reads_object = reads_object || (!cx.plan.looks_up.is_empty() && !is_blind);
    Observed {
        at: None,
        revision: None,
        objects: reads_object.then_some(cx.objects_revision),
        given: Given::of(cx, before, input, row),
        record: if reads.record { own(cx, before, &reads) } else { None },
        related: if reads.record { related(cx, &reads) } else { BTreeMap::new() },
        lookups: cx.lookups.known().iter().map(LookupSeen::of).collect(),
        lease: if runs || *input == Input::LookAgain { lease(cx, before) } else { None },
        killed: cx.killed && matches!(input, Input::Control(control, _) if looks_at_plan(control)),
        no_place: asks && cx.free_slot.is_none(),
        slot: cx.free_slot.filter(|_| asks).unwrap_or_default(),
        slot_key: None,
        deaths: if runs { before.deaths } else { 0 },
        spent: if asks_model { cx.spent_today } else { crate::Usage::default() },
        spent_by_parts: if asks_model { cx.spent_by_parts } else { crate::Usage::default() },
        callback: None,
        children: children(cx, before, row),
        orphan: orphan(cx, input),
    }
}

/// The children that a waiting step looked at. A look that wrote no row used no result of theirs, so it keeps only their states.
/// What parts of it took is counted with any row.
fn children(cx: &Context<'_>, before: &Execution, row: Option<&Row>) -> BTreeMap<String, ChildSeen> {
    let mut seen = seen(cx, before);
    if seen.is_empty() {
        let parts = if row.is_some() { steps::parts(before) } else { BTreeMap::new() };
        seen = cx.children.clone();
        seen.retain(|id, _| row.is_some() && before.parts.open.contains_key(id) || parts.contains_key(id));
    }
    if row.is_none() {
        for child in seen.values_mut() {
            *child = ChildSeen::standing(child.status);
        }
    }
    seen
}

fn seen(cx: &Context<'_>, before: &Execution) -> BTreeMap<String, ChildSeen> {
    let waits = before.pause.as_ref().map_or(before.status, |pause| pause.status) == Status::Waiting;
    if waits { cx.children.clone() } else { BTreeMap::new() }
}

fn orphan(cx: &Context<'_>, input: &Input<'_>) -> Option<String> {
    match cx.hold {
        Hold::Canceled(parent) if matches!(input, Input::Run | Input::LookAgain | Input::Control(Control::Lift, _)) => {
            Some(parent.clone())
        }
        _ => None,
    }
}

/// Whose claim it found; none that is held still, for its holder and its end stand in the head.
fn lease(cx: &Context<'_>, before: &Execution) -> Option<LeaseSeen> {
    if before.leases.is_held_by_another(cx.invocation, cx.now) {
        return None;
    }
    let own = before.leases.is_held_by(cx.invocation);
    (!before.leases.is_empty()).then_some(if own { LeaseSeen::Own } else { LeaseSeen::Over })
}

/// Whether a control looks at more than the head: what it does depends on the workflow.
fn looks_at_plan(control: &Control) -> bool {
    matches!(
        control,
        Control::Resume | Control::Lift | Control::Retry | Control::Skip { .. } | Control::Step | Control::Run
    )
}

/// Whether a decision looks at records, if its step does. What an activity gave is decided upon without them, and so is
/// what a request, an edit or a limit decides.
fn looks_at_records(before: &Execution, input: &Input<'_>, row: Option<&Row>) -> bool {
    match input {
        Input::Run | Input::Found(_) => {
            let is_step = row.is_none_or(|row| matches!(row.kind, RowKind::Started | RowKind::Step));
            is_step && before.requested.is_none()
        }
        Input::Event(_) | Input::LookAgain => true,
        Input::Control(control, _) => matches!(control, Control::Resume | Control::Lift),
        Input::Performed(_) | Input::Rejected(_) => false,
    }
}

fn own(cx: &Context<'_>, before: &Execution, reads: &Reads) -> Option<Seen> {
    before.record.as_ref()?;
    let Some(record) = cx.record else { return Some(Seen::default()) };
    let firsts = reads.paths.iter().filter_map(|path| path.first().cloned());
    let is_whole = reads.paths.contains(&Vec::new());
    let names = || Part::Names(firsts.chain(cx.related.keys().filter(|chain| !chain.contains('.')).cloned()).collect());
    Some(Seen::own(record, &if is_whole { Part::Whole } else { names() }))
}

fn related(cx: &Context<'_>, reads: &Reads) -> BTreeMap<String, Vec<Seen>> {
    let is_whole = reads.paths.contains(&Vec::new());
    let part = |chain: &str| {
        let chain: Vec<_> = chain.split('.').map(str::to_owned).collect();
        let after = || reads.paths.iter().filter_map(|path| path.strip_prefix(chain.as_slice()));
        let names: BTreeSet<String> = after().filter_map(|path| path.first().cloned()).collect();
        if is_whole || after().any(<[String]>::is_empty) { Part::Whole } else { Part::Names(names) }
    };
    let seen = |(chain, records): (&String, &Vec<crate::Record>)| {
        let part = part(chain);
        (chain.clone(), records.iter().map(|record| Seen::other(record, &part)).collect())
    };
    cx.related.iter().map(seen).collect()
}

/// The topic of callbacks on which the execution begins to listen with this claim.
fn new_callback(before: &Execution, after: &Execution) -> Option<String> {
    let listens = |execution: &Execution, topic: &String| {
        execution.waiting.as_ref().is_some_and(|waiting| waiting.topics.contains(topic))
    };
    let mut topics = after.waiting.iter().flat_map(|waiting| &waiting.topics);
    topics.find(|topic| ids::is_callback(topic) && !listens(before, topic)).cloned()
}
