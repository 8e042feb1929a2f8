//! Which executions a listing shows.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use pawl_engine::{Execution, OutcomeStatus, Status, Subject};
use serde::Deserialize;

use crate::describe::IntoParams;
use crate::{Code, Problem};

/// All states.
const STATES: [Status; 7] = [
    Status::Queued,
    Status::Running,
    Status::Waiting,
    Status::Paused,
    Status::Completed,
    Status::Canceled,
    Status::Failed,
];

/// All indicators beside a state.
const INDICATORS: [&str; 5] = ["throttled", "stalled", KILLED, "has_failures", "over_budget"];

/// The indicator that an execution may also have from its workflow or from the installation.
const KILLED: &str = "killed";

/// Which executions.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Executions whose id has this prefix, such as `exe_1b24`.
    id: Option<String>,
    /// Executions of this workflow.
    workflow: Option<String>,
    /// Executions on this record, `<object>/<id>`.
    record: Option<String>,
    /// Executions in one of these states, separated by commas: `queued`, `running`, `waiting`, `paused`, `completed`,
    /// `canceled`,
    /// `failed`.
    status: Option<String>,
    /// Executions at this step.
    step: Option<String>,
    /// Executions with a failure of this code: the failure that ended the execution, or the last one of one of its
    /// steps.
    code: Option<String>,
    /// Executions with this indicator: `throttled`, `stalled`, `killed`, `has_failures` or `over_budget`.
    indicator: Option<String>,
    /// Executions with this outcome: `reached`, `not_reached` or `unknown`.
    outcome: Option<String>,
    /// Executions created at this time or later: RFC 3339, or a date, which begins at midnight in UTC.
    since: Option<String>,
    /// Executions created before this time: RFC 3339, or a date, which begins at midnight in UTC.
    until: Option<String>,
    /// Most entries, 1–200; 50 if absent. A page may have fewer although more follow.
    #[param(minimum = 1, maximum = 200)]
    pub(super) limit: Option<usize>,
    /// `next` of the previous page.
    pub(super) cursor: Option<String>,
}

/// Which executions, understood.
#[derive(Debug)]
pub(super) struct Filter {
    /// Beginning of the id.
    id: Option<String>,
    pub(super) workflow: Option<String>,
    pub(super) record: Option<Subject>,
    /// None is any.
    pub(super) states: BTreeSet<Status>,
    step: Option<String>,
    code: Option<String>,
    indicator: Option<&'static str>,
    outcome: Option<OutcomeStatus>,
    pub(super) since: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
}

impl Filter {
    /// Understands a request.
    pub(super) fn of(which: &Which) -> Result<Self, Problem> {
        let states = which.status.as_deref().map(states).transpose()?.unwrap_or_default();
        Ok(Self {
            id: which.id.as_deref().map(beginning).transpose()?,
            workflow: which.workflow.clone(),
            record: which.record.as_deref().map(record).transpose()?,
            states,
            step: which.step.clone(),
            code: which.code.clone(),
            indicator: which.indicator.as_deref().map(indicator).transpose()?,
            outcome: which.outcome.as_deref().map(outcome).transpose()?,
            since: which.since.as_deref().map(|text| time("since", text)).transpose()?,
            until: which.until.as_deref().map(|text| time("until", text)).transpose()?,
        })
    }

    /// Whether an execution fits, as far as its head says.
    pub(super) fn fits(&self, execution: &Execution) -> bool {
        let states = self.states.is_empty() || self.states.contains(&execution.status);
        let id = self.id.as_ref().is_none_or(|id| execution.id.starts_with(id));
        let workflow = self.workflow.as_ref().is_none_or(|workflow| *workflow == execution.workflow);
        let step = self.step.is_none() || self.step == execution.cursor;
        let indicator = self.indicator.is_none_or(|indicator| match indicator {
            KILLED => !execution.status.is_ended(),
            own => execution.indicators().contains(&own),
        });
        let outcome = self.outcome.is_none() || self.outcome == execution.outcome;
        id && states && workflow && step && indicator && outcome && self.has_code(execution)
    }

    /// Whether it may leave out some of the executions of the partitions that are read.
    pub(super) fn leaves_out(&self) -> bool {
        let of_record = self.record.is_some() && self.workflow.is_some();
        let by_state = !self.states.is_empty();
        of_record
            || by_state
            || self.id.is_some()
            || self.step.is_some()
            || self.code.is_some()
            || self.indicator.is_some()
            || self.outcome.is_some()
    }

    /// The indicator that a summary must have: a kill of the workflow or of everything stands in no head.
    pub(super) fn indicator(&self) -> Option<&'static str> {
        self.indicator
    }

    fn has_code(&self, execution: &Execution) -> bool {
        let Some(code) = &self.code else { return true };
        let of_steps = execution.steps.values().filter_map(|state| state.error.as_ref());
        execution.error.iter().chain(of_steps).any(|error| error.code == code.as_str())
    }
}

fn wrong(detail: String) -> Problem {
    Problem::new(Code::BadQuery, detail)
}

fn beginning(written: &str) -> Result<String, Problem> {
    if written.strip_prefix("exe_").is_none_or(str::is_empty) {
        return Err(wrong(format!("expected the beginning of an id such as exe_1b24, found {written:?}")));
    }
    Ok(written.to_owned())
}

fn states(written: &str) -> Result<BTreeSet<Status>, Problem> {
    let state = |word: &str| {
        let known = STATES.into_iter().find(|status| status.as_str() == word);
        let words = STATES.map(Status::as_str).join(", ");
        known.ok_or_else(|| wrong(format!("expected status as some of {words}, separated by commas, found {word:?}")))
    };
    written.split(',').map(|word| state(word.trim())).collect()
}

fn indicator(written: &str) -> Result<&'static str, Problem> {
    let known = INDICATORS.into_iter().find(|indicator| *indicator == written);
    let words = INDICATORS.join(", ");
    known.ok_or_else(|| wrong(format!("expected indicator as one of {words}, found {written:?}")))
}

fn outcome(written: &str) -> Result<OutcomeStatus, Problem> {
    let known = OutcomeStatus::ALL.into_iter().find(|outcome| outcome.as_str() == written);
    let words = OutcomeStatus::ALL.map(OutcomeStatus::as_str).join(", ");
    known.ok_or_else(|| wrong(format!("expected outcome as one of {words}, found {written:?}")))
}

fn record(written: &str) -> Result<Subject, Problem> {
    match written.split_once('/') {
        Some((object, id)) if !object.is_empty() && !id.is_empty() => {
            Ok(Subject { object: object.to_owned(), id: id.to_owned() })
        }
        _ => Err(wrong(format!("expected record as <object>/<id>, found {written:?}"))),
    }
}

fn time(name: &str, written: &str) -> Result<Timestamp, Problem> {
    // A date with a time but without an offset would lose its time.
    let is_date = written.len() == "2026-11-21".len();
    let midnight = || written.parse::<Date>().ok().filter(|_| is_date)?.to_zoned(TimeZone::UTC).ok();
    let time = written.parse().ok().or_else(|| midnight().map(|midnight| midnight.timestamp()));
    time.ok_or_else(|| {
        wrong(format!(
            "expected {name} as a time such as 2026-11-21T08:00:00Z or a date such as 2026-11-21, found {written:?}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_rfc_3339_or_a_date() {
        assert_eq!(time("since", "2026-11-21T08:00:00+01:00").ok(), "2026-11-21T07:00:00Z".parse().ok());
        assert_eq!(time("since", "2026-11-21").ok(), "2026-11-21T00:00:00Z".parse().ok());
        for wrong in ["1h", "yesterday", "2026-13-01", "2026-11-21T08:00", ""] {
            let told = time("since", wrong).expect_err("it is no time");
            assert!(told.detail().starts_with("expected since as a time such as"), "{}", told.detail());
        }
    }
}
