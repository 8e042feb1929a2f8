//! The commit protocol, checked at every commit of a head.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use pawl_engine::{Execution, Given, Hold, Observed, Requested, Row, RowKind, Status, TimerPurpose, Wake};

use super::{Broken, is_control, visit};

/// How far the clocks of two processes may be apart. Leases are longer than calls by much more.
const SKEW: SignedDuration = SignedDuration::from_secs(4);

/// One commit of a head.
pub(super) struct Commit<'a> {
    pub(super) before: Option<&'a Execution>,
    pub(super) after: &'a Execution,
    pub(super) rows: &'a [Row],
    /// The task that commits is the one that holds the lease.
    pub(super) own: bool,
    /// Whether the task's last look at the world showed a kill; `None` if it has not looked since its last commit.
    pub(super) killed: Option<bool>,
    /// The heads of other executions as the task last read them.
    pub(super) relatives: &'a BTreeMap<String, Execution>,
    pub(super) now: Timestamp,
    /// There is one process, and it began at this time: leases from before are over.
    pub(super) alone_since: Option<Timestamp>,
}

pub(super) fn check(commit: &Commit<'_>, broken: &mut Vec<Broken>) {
    one_reason_to_wake(commit.after, broken);
    let Some(before) = commit.before else {
        begins(commit, broken);
        return;
    };
    counts(commit, before, broken);
    obeys(commit, before, broken);
    keeps_leases(commit, before, broken);
}

fn begins(commit: &Commit<'_>, broken: &mut Vec<Broken>) {
    let kinds: Vec<_> = commit.rows.iter().map(|row| (row.seq, row.kind)).collect();
    // One more if it was written over a refusal that did not stand.
    if !(1..=2).contains(&commit.after.version) || commit.after.seq != 0 || kinds != [(0, RowKind::Created)] {
        broken.push((1, format!("begins with version {} and rows {kinds:?}", commit.after.version)));
    }
}

fn counts(commit: &Commit<'_>, before: &Execution, broken: &mut Vec<Broken>) {
    let after = commit.after;
    // Transitions that were held are written with the next; each counts a version, and so does a claim or a place in the line.
    let transitions = after.seq.saturating_sub(before.seq);
    let versions = after.version.saturating_sub(before.version);
    let claims = transitions == 0 || after.is_in_line() || claims(before, after);
    if versions == 0 || (versions != transitions && !(claims && versions == transitions + 1)) {
        broken.push((1, format!("version {} was committed over version {}", after.version, before.version)));
    }
    let seqs: Vec<_> = commit.rows.iter().map(|row| row.seq).collect();
    let expected: Vec<u64> = (before.seq + 1..=after.seq).collect();
    if seqs != expected || after.seq < before.seq {
        broken.push((1, format!("transition {} followed {} with the rows {seqs:?}", after.seq, before.seq)));
    }
    if before.status.is_ended() && !tells(before, after) {
        broken.push((1, format!("changed after it was {}", before.status)));
    }
}

/// Whether an effect is claimed. Where a clock steps back, the claims of two visits may be equal.
fn claims(before: &Execution, after: &Execution) -> bool {
    !after.leases.is_empty() && (after.leases != before.leases || visit(after) != visit(before))
}

fn obeys(commit: &Commit<'_>, before: &Execution, broken: &mut Vec<Broken>) {
    if is_control(commit.rows) || counts_a_death(before, commit.after) || tells(before, commit.after) {
        return;
    }
    let after = commit.after;
    if before.status == Status::Paused && after.status != Status::Paused {
        broken.push((5, format!("was {} while it was paused", after.status)));
    }
    let claims = claims(before, after);
    if before.requested.is_some() && claims {
        broken.push((5, "claimed an effect while a control waited".to_owned()));
    }
    let dropped = matches!(before.requested, Some(Requested::Cancel(_))) && after.requested.is_none();
    if dropped && !after.status.is_ended() {
        broken.push((5, "forgot that it is to be canceled".to_owned()));
    }
    if commit.own && !claims {
        return;
    }
    if claims || commit.rows.iter().any(goes_on) {
        obeys_parent(commit, broken);
    }
    if before.killed.is_some() {
        broken.push((5, "went on while it was killed".to_owned()));
    }
    match commit.killed {
        Some(false) => {}
        Some(true) => broken.push((5, "went on although its workflow or the installation was killed".to_owned())),
        None => broken.push((5, "was decided without a look at the kill switches".to_owned())),
    }
}

/// What runs on does so by its own: it was not held, nor was what it waited for canceled, when its task last looked at those
/// who wait for it.
fn obeys_parent(commit: &Commit<'_>, broken: &mut Vec<Broken>) {
    match Hold::of(commit.after, commit.relatives) {
        Hold::Free => {}
        Hold::Held(by) => broken.push((5, format!("went on although {by}, which waits for it, is held"))),
        Hold::Canceled(by) => broken.push((5, format!("went on although {by}, which waited for it, is canceled"))),
    }
}

/// Whether a row came of a step that went on by itself: no event, and no look at what it waits for.
fn goes_on(row: &Row) -> bool {
    let given = Observed::list(&row.observed).unwrap_or_default().pop().unwrap_or_default().given;
    matches!(row.kind, RowKind::Step | RowKind::Started) && matches!(given, Given::Run | Given::Found(_))
}

/// Whether nothing changes but who is still to be told of the end.
fn tells(before: &Execution, after: &Execution) -> bool {
    let told = Execution { version: after.version, to_tell: Vec::new(), announces_end: false, ..before.clone() };
    !after.has_news() && *after == told
}

/// Whether nothing changes but how often processes died.
fn counts_a_death(before: &Execution, after: &Execution) -> bool {
    *after == Execution { version: after.version, deaths: after.deaths, ..before.clone() }
}

fn keeps_leases(commit: &Commit<'_>, before: &Execution, broken: &mut Vec<Broken>) {
    for (address, lease) in before.leases.iter() {
        let dead = commit.alone_since.is_some_and(|since| lease.claimed_at < since);
        let live = lease.until > commit.now + SKEW && !commit.own && !dead;
        if live && commit.after.leases.at(address) != Some(lease) {
            broken.push((4, format!("the lease of {} on {address} was taken before its end", lease.owner)));
        }
    }
}

fn one_reason_to_wake(after: &Execution, broken: &mut Vec<Broken>) {
    let timer =
        |allowed: &[TimerPurpose]| matches!(&after.wake, Wake::Timer { purpose, .. } if allowed.contains(purpose));
    let fits = match after.status {
        Status::Queued => after.wake == Wake::Job || timer(&[TimerPurpose::Throttle, TimerPurpose::Concurrency]),
        Status::Running => after.wake == Wake::Job || timer(&[TimerPurpose::Retry, TimerPurpose::Concurrency]),
        Status::Waiting => {
            matches!(after.wake, Wake::Signal { .. } | Wake::Job) || timer(&[TimerPurpose::Delay, TimerPurpose::Retry])
        }
        Status::Paused => after.wake == Wake::Person,
        Status::Completed | Status::Canceled | Status::Failed => after.wake == Wake::Never,
    };
    if !fits {
        broken.push((3, format!("is {} and wakes by {:?}", after.status, after.wake)));
    }
    if after.pause.is_some() != (after.status == Status::Paused) {
        broken.push((3, format!("is {} with the pause {:?}", after.status, after.pause)));
    }
    if let Err(why) = after.soundness() {
        broken.push((3, format!("is not sound, expected that {why}")));
    }
    if !after.leases.is_empty() && !matches!(after.status, Status::Running | Status::Paused) {
        broken.push((3, format!("is {} with a lease", after.status)));
    }
}
