//! The simulator: whole runs of the runtime in virtual time, with everything going wrong that can, in an order that a
//! seed chooses.
//!
//! - [`simulate`] is one run of a seed: a generated world, watched at every commit and checked at rest. Where the
//!   outcome depends on the inputs alone, it is compared with the undisturbed run of the same seed.
//! - [`Bug`]: protocol bugs made by hand, each of which it must find.
//! - The same seed writes the same [`Trace`], byte for byte.

mod acting;
mod bug;
mod chance;
mod counts;
mod erased;
mod forgetting;
mod forking;
mod hub;
mod ledger;
mod looking;
mod monitor;
mod outcome;
mod ports;
mod posting;
mod process;
mod profile;
mod replayed;
mod rest;
mod run;
mod script;
mod task;
mod trace;
mod unreadable;
mod verdict;

pub use bug::Bug;
pub use counts::Counts;
pub use hub::Violation;
pub use trace::Trace;

use chance::Chance;
use outcome::Outcome;
use profile::Profile;
use run::Run;

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// What happened.
    pub counts: Counts,
    /// Every commit, send, call and disaster.
    pub trace: Trace,
    /// The first invariant that did not hold.
    pub violation: Option<Violation>,
}

/// Runs a seed.
pub fn simulate(seed: u64, bug: Option<Bug>) -> Report {
    let profile = Profile::of(&Chance::new(seed, "profile")).with_unreadable(&Chance::new(seed, "unreadable"));
    let mut run = Run::prepare(seed, profile, bug);
    run.run();
    if run.confluent && run.hub.lock().violation.is_none() {
        compare(seed, &run);
    }
    report(seed, &run)
}

/// Runs a seed's world with nothing going wrong.
pub fn undisturbed(seed: u64) -> Report {
    let mut run = Run::prepare(seed, Profile::calm(), None);
    run.run();
    report(seed, &run)
}

/// Compares with the run in which nothing goes wrong.
fn compare(seed: u64, run: &Run) {
    let mut calm = Run::prepare(seed, Profile::calm(), None);
    calm.run();
    let violation = calm.hub.lock().violation.clone();
    if let Some(violation) = violation {
        run.hub.note(&calm.hub.lock().trace.tail(60, &[]));
        run.hub.violate(violation.invariant, format!("in the undisturbed run: {}", violation.text));
        return;
    }
    // The breaker counts executions that have failed when a start comes: which starts it refuses depends on what came first.
    if [run, &calm].iter().any(|run| run.hub.lock().monitor.breaker_opened) {
        return run.hub.count("not compared, since the breaker opened");
    }
    run.hub.count("compared with the undisturbed run");
    if let Some(difference) = Outcome::of(&calm.hub).difference(&Outcome::of(&run.hub)) {
        run.hub.violate(8, difference);
    }
}

fn report(seed: u64, run: &Run) -> Report {
    let mut state = run.hub.lock();
    let (executions, rows): (Vec<_>, Vec<_>) =
        state.monitor.rows.iter().map(|(id, rows)| (id.clone(), rows.clone())).unzip();
    let mut counts = state.counts.clone();
    counts.add("seeds");
    let expired = state.monitor.expired.len();
    counts.add_many("executions expired", u64::try_from(expired).expect("a length fits 64 bits"));
    counts.add_many("forks begun", state.monitor.forks);
    counts.add_many("executions", u64::try_from(executions.len()).expect("a length fits 64 bits"));
    rows.iter().flatten().for_each(|row| outcome::count(&mut counts, row));
    counts.add_many("refusals", u64::try_from(state.monitor.refusals.len()).expect("a length fits 64 bits"));
    counts.add_many("effects repeated", u64::try_from(state.ledger.repeated()).expect("a length fits 64 bits"));
    Report { seed, counts, trace: std::mem::take(&mut state.trace), violation: state.violation.clone() }
}
