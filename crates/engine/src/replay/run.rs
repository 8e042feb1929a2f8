//! An execution that is decided again, on its way from row to row.

use std::collections::BTreeMap;

use pawl_definition::{Definitions, Reentry};
use serde_json::Value;

use super::fed::Fed;
use super::{Recording, ReplayError, differing, json_of};
use crate::{
    Activity, Address, Context, Decision, Execution, Given, Hold, LeaseSeen, LookupSeen, Lookups, Observed, Plan,
    Record, Row, RowKind, create, slots, transition,
};

/// The row that came of it is the one that was recorded.
fn same(made: &Row, row: &Row) -> Result<(), ReplayError> {
    let names = differing(&json_of(made), &json_of(row));
    if names.is_empty() {
        return Ok(());
    }
    Err(ReplayError::Differs { seq: row.seq, what: format!("expected the same {}", names.join(", ")) })
}

/// What a row or a head keeps.
pub(super) fn list(seq: u64, stored: &Value) -> Result<Vec<Observed>, ReplayError> {
    Observed::list(stored).map_err(|error| ReplayError::Unreadable { seq, why: format!("{:?}", error.classify()) })
}

/// An execution on its way.
pub(super) struct Replay<'a> {
    recording: &'a Recording<'a>,
    pub(super) head: Execution,
    /// What was claimed, by its address.
    claimed: BTreeMap<Address, Activity>,
    invocations: u64,
    /// A step, and the head as it stood before the step last.
    watched: Option<String>,
    pub(super) stood: Option<Execution>,
}

impl<'a> Replay<'a> {
    /// As it was made.
    pub(super) fn begin(recording: &'a Recording<'a>) -> Result<Self, ReplayError> {
        let found = recording.rows.first();
        let Some(row) = found.filter(|row| row.seq == 0 && row.kind == RowKind::Created) else {
            return Err(ReplayError::Rows { expected: 0, found: found.map(|row| row.seq) });
        };
        let plan = plan_of(recording, 0, row.revision)?;
        let (mut head, mut made) = create(plan, &recording.event.event, row.at, row.due);
        let one_active = plan.workflow.limits.reentry == Reentry::OneActivePerRecord;
        head.holds_record = one_active && head.record.is_some() && head.region.is_none() && head.fork.is_none();
        let created = list(0, &row.observed)?.pop().unwrap_or_default();
        slots::count_for(&mut head, &mut made, created.slot_key);
        // Which trigger let the event pass was found before there was an execution.
        made.trigger.clone_from(&row.trigger);
        let replay = Self { recording, head, claimed: BTreeMap::new(), invocations: 0, watched: None, stood: None };
        same(&made, row).map(|()| replay)
    }

    /// Keeps the head as it stands before a step.
    pub(super) fn watching(self, step: &str) -> Self {
        Self { watched: Some(step.to_owned()), ..self }
    }

    /// Whether it stands before the watched step, which it has not entered.
    pub(super) fn stands_before(&self) -> bool {
        self.watched.is_some() && self.head.cursor == self.watched && self.head.entered.is_none()
    }

    /// The next transition, with what was written before it.
    pub(super) fn row(&mut self, row: &Row) -> Result<(), ReplayError> {
        let mut earlier = list(row.seq, &row.observed)?;
        let own = earlier.pop().unwrap_or_default();
        for observed in &earlier {
            self.decide(observed, Some(row))?;
        }
        let own = Observed { at: Some(row.at), ..own };
        match self.transition(&own, row.seq, Some(row))? {
            Decision::Commit(commit) => {
                self.head = commit.execution;
                same(&commit.row, row)
            }
            other => Err(otherwise(row.seq, "a row", &other)),
        }
    }

    /// A decision that was written of the head alone, before this row if there is one.
    pub(super) fn decide(&mut self, observed: &Observed, row: Option<&Row>) -> Result<(), ReplayError> {
        let seq = self.head.seq + 1;
        // What is left out is told by the row.
        let at = observed.at.or_else(|| row?.attempt_began());
        let observed = Observed { at, ..observed.clone() };
        let revision = observed.revision.or_else(|| Some(row?.revision));
        match self.transition(&Observed { revision, ..observed }, seq, None)? {
            Decision::Perform(claim) => {
                self.head = claim.execution;
                self.claimed.insert(claim.address, claim.activity);
                Ok(())
            }
            Decision::Postpone(after) => {
                self.head = *after;
                Ok(())
            }
            other => Err(otherwise(seq, "a head without a row", &other)),
        }
    }

    /// Decides again. The row is the one that came of it, if one did.
    fn transition(&mut self, observed: &Observed, seq: u64, row: Option<&Row>) -> Result<Decision, ReplayError> {
        if self.stands_before() {
            self.stood = Some(self.head.clone());
        }
        let lacks = |why: &str| ReplayError::Unreadable { seq, why: why.to_owned() };
        let now = observed.at.ok_or_else(|| lacks("it has no time"))?;
        let revision = observed.revision.or_else(|| row.map(|row| row.revision));
        let plan = plan_of(self.recording, seq, revision.ok_or_else(|| lacks("it has no revision"))?)?;
        let former = self.former(seq, plan)?;
        let none = (BTreeMap::new(), Definitions::default());
        let (objects, definitions) = match observed.objects {
            Some(revision) => self.recording.objects.get(&revision).ok_or(ReplayError::NoObjects { seq, revision })?,
            None => &none,
        };
        let fed =
            Fed::of(&observed.given, &self.head, &self.claimed, row).ok_or_else(|| lacks("its input is incomplete"))?;
        let record = observed.record.as_ref().and_then(|seen| seen.record(self.head.record.as_ref()));
        let related = related(observed).ok_or_else(|| lacks("a record of it has no name"))?;
        let found = observed.lookups.iter().map(LookupSeen::found).collect::<Option<Vec<_>>>();
        let found = found.ok_or_else(|| lacks("a record that it looked up has no name"))?;
        let invocation = self.before(observed, now);
        let hold = observed.orphan.clone().map_or(Hold::Free, Hold::Canceled);
        let cx = Context {
            plan,
            former,
            objects,
            definitions,
            objects_revision: observed.objects.unwrap_or_default(),
            event: self.recording.event,
            record: record.as_ref(),
            related: &related,
            lookups: Lookups::of(&found),
            now,
            invocation: &invocation,
            callback: observed.callback.as_deref(),
            killed: observed.killed,
            free_slot: (!observed.no_place).then_some(observed.slot),
            spent_today: observed.spent,
            spent_by_parts: observed.spent_by_parts,
            children: &observed.children,
            hold: &hold,
        };
        let refused = |error: crate::TransitionError| ReplayError::Differs { seq, what: error.to_string() };
        transition(&cx, &self.head, &fed.input()).map_err(refused)
    }

    /// The revision that the head used last, if its step is not in the one in force.
    fn former(&self, seq: u64, plan: &Plan) -> Result<Option<&'a Plan>, ReplayError> {
        let missing = self.head.cursor.as_deref().is_some_and(|id| plan.step(id).is_none());
        if !missing || self.head.revision == plan.revision {
            return Ok(None);
        }
        plan_of(self.recording, seq, self.head.revision).map(Some)
    }

    /// Brings the head to what the executor made of it before it decided, and names the invocation.
    fn before(&mut self, observed: &Observed, now: jiff::Timestamp) -> String {
        self.head.deaths = observed.deaths;
        self.invocations += 1;
        let other = format!("replay-{}", self.invocations);
        let is_own = matches!(observed.given, Given::Performed(_)) || observed.lease == Some(LeaseSeen::Own);
        let named = match &observed.given {
            Given::Performed(answer) => answer.address.as_ref().and_then(|address| self.head.leases.at(address)),
            _ => None,
        };
        let lease = named.or_else(|| self.head.leases.iter().next().map(|(_, lease)| lease));
        let owner = lease.filter(|_| is_own).map(|lease| lease.owner.clone());
        if observed.lease == Some(LeaseSeen::Over) {
            // They were over, be it that their time had passed or that their process was known to be gone.
            for (_, lease) in self.head.leases.iter_mut() {
                lease.until = lease.until.min(now);
            }
        }
        owner.unwrap_or(other)
    }
}

fn related(observed: &Observed) -> Option<BTreeMap<String, Vec<Record>>> {
    let records = |seen: &Vec<crate::Seen>| seen.iter().map(|seen| seen.record(None)).collect::<Option<_>>();
    observed.related.iter().map(|(name, seen)| Some((name.clone(), records(seen)?))).collect()
}

fn plan_of<'a>(recording: &Recording<'a>, seq: u64, revision: u64) -> Result<&'a Plan, ReplayError> {
    recording.plans.get(&revision).map(|plan| &**plan).ok_or(ReplayError::NoPlan { seq, revision })
}

fn otherwise(seq: u64, expected: &str, found: &Decision) -> ReplayError {
    let found = match found {
        Decision::Stay(stay) => format!("nothing ({stay:?})"),
        Decision::Read(_) => "a read".to_owned(),
        Decision::Perform(_) => "a claim".to_owned(),
        Decision::Commit(_) => "a row".to_owned(),
        Decision::Postpone(_) => "a head without a row".to_owned(),
    };
    ReplayError::Differs { seq, what: format!("expected {expected}, found {found}") }
}
