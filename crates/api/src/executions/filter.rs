//! Which executions a listing shows, or an action concerns.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use pawl_definition::Duration;
use pawl_engine::{OutcomeStatus, Status, Subject};
use pawl_runtime::{Indicator, Selection};
use serde::Deserialize;

use crate::describe::IntoParams;
use crate::state::Api;
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
    /// Executions created longer ago than this, such as `2h` or `7d`.
    older_than: Option<String>,
    /// Most entries, 1–200; 50 if absent. A page may have fewer although more follow.
    #[param(minimum = 1, maximum = 200)]
    pub(super) limit: Option<usize>,
    /// `next` of the previous page.
    pub(super) cursor: Option<String>,
}

/// The keys of a filter as they are written, in a query or in a body.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Keys<'a> {
    pub(crate) id: Option<&'a str>,
    pub(crate) workflow: Option<&'a str>,
    pub(crate) record: Option<&'a str>,
    pub(crate) status: Option<&'a str>,
    pub(crate) step: Option<&'a str>,
    pub(crate) code: Option<&'a str>,
    pub(crate) indicator: Option<&'a str>,
    pub(crate) outcome: Option<&'a str>,
    pub(crate) since: Option<&'a str>,
    pub(crate) until: Option<&'a str>,
    pub(crate) older_than: Option<&'a str>,
}

impl Which {
    pub(super) fn keys(&self) -> Keys<'_> {
        Keys {
            id: self.id.as_deref(),
            workflow: self.workflow.as_deref(),
            record: self.record.as_deref(),
            status: self.status.as_deref(),
            step: self.step.as_deref(),
            code: self.code.as_deref(),
            indicator: self.indicator.as_deref(),
            outcome: self.outcome.as_deref(),
            since: self.since.as_deref(),
            until: self.until.as_deref(),
            older_than: self.older_than.as_deref(),
        }
    }
}

/// Understands a filter.
pub(crate) fn selection(keys: Keys<'_>, now: Timestamp) -> Result<Selection, Problem> {
    let older = keys.older_than.map(|text| age(text, now)).transpose()?;
    let until = keys.until.map(|text| time("until", text)).transpose()?;
    Ok(Selection {
        ids: Vec::new(),
        prefix: keys.id.map(beginning).transpose()?,
        workflow: keys.workflow.map(str::to_owned),
        record: keys.record.map(record).transpose()?,
        states: keys.status.map(states).transpose()?.unwrap_or_default(),
        step: keys.step.map(str::to_owned),
        code: keys.code.map(str::to_owned),
        indicator: keys.indicator.map(indicator).transpose()?,
        outcome: keys.outcome.map(outcome).transpose()?,
        since: keys.since.map(|text| time("since", text)).transpose()?,
        until: [until, older].into_iter().flatten().min(),
    })
}

/// Whether the workflow and the object exist that a filter names: a word that is misspelt is no empty list.
pub(crate) async fn there(api: &Api, filter: &Selection) -> Result<(), Problem> {
    if let Some(workflow) = &filter.workflow
        && api.core.workflows.head(workflow).await?.is_none()
    {
        return Err(Problem::new(Code::NoWorkflow, format!("there is no workflow {workflow:?}")));
    }
    if let Some(record) = &filter.record
        && !api.core.workflows.objects().await?.contains_key(&record.object)
    {
        return Err(Problem::new(Code::NoObject, format!("there is no object {:?}", record.object)));
    }
    Ok(())
}

/// Whether a filter may leave out some of the executions of the partitions that a listing reads.
pub(super) fn leaves_out(filter: &Selection) -> bool {
    let of_record = filter.record.is_some() && filter.workflow.is_some();
    of_record
        || !filter.states.is_empty()
        || filter.prefix.is_some()
        || filter.step.is_some()
        || filter.code.is_some()
        || filter.indicator.is_some()
        || filter.outcome.is_some()
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

fn indicator(written: &str) -> Result<Indicator, Problem> {
    let known = Indicator::ALL.into_iter().find(|indicator| indicator.as_str() == written);
    let words = Indicator::ALL.map(Indicator::as_str).join(", ");
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

/// The time before which an execution of this age was made.
fn age(written: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    let age = Duration::parse(written).ok().map(|age| age.approximate()).filter(SignedDuration::is_positive);
    let time = age.and_then(|age| now.checked_sub(age).ok());
    time.ok_or_else(|| wrong(format!("expected older_than as a duration such as 2h or 7d, found {written:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_a_duration() {
        let now = "2026-11-21T08:00:00Z".parse().expect("a constant time is one");
        assert_eq!(age("2h", now).ok(), "2026-11-21T06:00:00Z".parse().ok());
        for wrong in ["", "2", "-2h", "yesterday", "2026-11-21"] {
            let told = age(wrong, now).expect_err("it is no age");
            assert!(told.detail().starts_with("expected older_than as a duration such as"), "{}", told.detail());
        }
    }

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
