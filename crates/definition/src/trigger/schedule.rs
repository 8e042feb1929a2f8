//! `schedule`: what recurs. It has no record.

use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;

use super::{Listen, TypeFacts};
use crate::describe::JsonSchema;
use crate::expression::short;
use crate::recurrence::{Bound, bound};
use crate::source::TextPlaces;
use crate::types::{Kinds, Type};
use crate::validate::Facts;
use crate::validate::words::quoted;
use crate::{BusinessDays, Check, Duration, Pattern, Recurrence, WorkflowCalendar, code};

/// What happens at a firing while an execution of an earlier one has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// It starts all the same.
    #[default]
    Allow,
    /// It is refused.
    Skip,
    /// It starts when that execution has ended; one firing waits, others are refused.
    Queue,
}

/// What becomes of firings that nobody could carry out at their time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// The last of them starts.
    #[default]
    One,
    /// They are refused.
    None,
    /// Each of them starts; of more than 100, the last 100.
    All,
}

/// The trigger `schedule`. Exactly one of `cron`, `every` and `rrule` says when it fires.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Five fields of cron: minute, hour, day, month, day of the week; or `@daily` and the like.
    #[serde(default)]
    pub cron: Option<String>,
    /// A length of at least a minute: `15m`, `1d`. It is counted from `starts`, else from the midnight of 1 January 2024.
    #[serde(default)]
    pub every: Option<Duration>,
    /// A rule of RFC 5545, `FREQ=WEEKLY;BYDAY=MO`, or lines with DTSTART, RRULE, RDATE and EXDATE.
    #[serde(default)]
    pub rrule: Option<String>,
    /// The time zone of its times; that of the workflow if absent. A TZID in `rrule` counts more.
    #[serde(default)]
    pub timezone: Option<String>,
    /// It fires from then on: a date, a time in its zone, or a time with an offset.
    #[serde(default)]
    pub starts: Option<String>,
    /// It fires until then; a date means all of its day.
    #[serde(default)]
    pub ends: Option<String>,
    /// What becomes of a firing on a day that is no business day: `skip` (it does not happen), `next` (it moves to the next business
    /// day, at the same time). Absent, all days are the same.
    #[serde(default)]
    pub business_days: Option<BusinessDays>,
    /// Its business days, in place of those of the workflow: the id of a calendar, or a list of holidays beside Saturdays and Sundays.
    #[serde(default)]
    pub calendar: Option<WorkflowCalendar>,
    /// What happens at a firing while an execution of an earlier one has not ended: `allow` (absent), `skip`, `queue`.
    #[serde(default)]
    pub overlap: Overlap,
    /// What becomes of firings that nobody could carry out at their time: `one` (absent), `none`, `all`.
    #[serde(default)]
    pub catch_up: CatchUp,
}

/// The key that is wrong, and why.
type Wrong = (&'static str, String);

impl Schedule {
    /// When it fires. A time zone of its own counts more than that of the workflow.
    ///
    /// # Errors
    /// The key that is wrong, with what was expected and found.
    pub fn recurrence(&self, of_workflow: &TimeZone) -> Result<Recurrence, Wrong> {
        let zone = match &self.timezone {
            Some(name) => TimeZone::get(name).map_err(|_| {
                ("timezone", format!("expected a time zone such as `Europe/Berlin`, found {}", quoted(name)))
            })?,
            None => of_workflow.clone(),
        };
        let read = |key, text: &Option<String>, which| {
            let wrong = |text: &str| {
                (
                    key,
                    format!(
                        "expected a date or time such as `2027-01-31` or `2027-01-31T09:00`, found {}",
                        quoted(text)
                    ),
                )
            };
            text.as_deref().map(|text| bound(text, which, &zone).ok_or_else(|| wrong(text))).transpose()
        };
        let starts = read("starts", &self.starts, Bound::Starts)?;
        let ends = read("ends", &self.ends, Bound::Ends)?;
        let (key, pattern) = match (&self.cron, self.every, &self.rrule) {
            (Some(cron), None, None) => ("cron", Pattern::Cron(cron)),
            (None, Some(every), None) => ("every", Pattern::Every(every)),
            (None, None, Some(rrule)) => ("rrule", Pattern::Rrule(rrule)),
            _ => return Err(("type", "expected exactly one of cron, every and rrule".to_owned())),
        };
        Recurrence::new(pattern, zone.clone(), (starts, ends)).map_err(|why| (key, why))
    }
}

impl Schedule {
    /// The recurrence on the days that are known of its calendar while it is checked.
    fn on_its_days(&self, recurrence: Recurrence, cx: &Check<'_, '_>) -> Recurrence {
        match self.business_days.zip(cx.business_days(self.calendar.as_ref())) {
            Some((rule, calendar)) => recurrence.on_business_days(rule, calendar),
            None => recurrence,
        }
    }
}

impl Listen for Schedule {
    fn words(&self) -> String {
        match (&self.cron, &self.every, &self.rrule) {
            (Some(cron), ..) => format!("the time of `{cron}` comes"),
            (None, Some(every), _) => format!("{every} have passed, again and again"),
            (None, None, Some(rule)) => format!("the time of `{}` comes", short(rule)),
            (None, None, None) => "a time comes".to_owned(),
        }
    }

    fn facts() -> TypeFacts {
        TypeFacts { recurs: true, ..TypeFacts::default() }
    }

    fn wants_text(_keys: &Value, place: &[&str], _file: &TextPlaces<'_>) -> bool {
        matches!(place, ["starts" | "ends"])
    }

    fn schedule(&self) -> Option<&Schedule> {
        Some(self)
    }

    fn event(&self, _facts: &Facts<'_>) -> Vec<(&'static str, Type)> {
        vec![("scheduled_at", Type::of(Kinds::TEXT)), ("missed", Type::of(Kinds::NUMBER))]
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        if cx.waits {
            let message = "a step cannot wait for a schedule: write its `timeout`, or a `delay` before it";
            cx.error(code::NOT_ALLOWED, &cx.key("type"), message);
        }
        if let Some(object) = cx.facts.object_id {
            let message =
                format!("expected a workflow without `object`, found {}: a schedule has no record", quoted(object));
            cx.error(code::NOT_ALLOWED, &cx.key("type"), message).suggest(
                "take `object` away and find the records by `find_records`, or let another workflow start this one on each by `start_workflow`"
                    .to_owned(),
            );
        }
        cx.exactly_one(&["cron", "every", "rrule"]);
        cx.calendar_of_days(self.calendar.as_ref(), self.business_days.is_some());
        let patterns = [self.cron.is_some(), self.every.is_some(), self.rrule.is_some()];
        if patterns.into_iter().filter(|written| *written).count() != 1 {
            return;
        }
        let read = self.recurrence(&cx.facts.timezone()).map(|recurrence| self.on_its_days(recurrence, cx));
        match read {
            Err((key, why)) if !cx.has_problem(key) => {
                let code = if key == "rrule" || key == "cron" { code::INVALID_VALUE } else { code::INVALID_TIME };
                cx.error(code, &cx.key(key), why);
            }
            Ok(recurrence) if recurrence.next_after(jiff::Timestamp::UNIX_EPOCH).is_none() => {
                let message = "this trigger never fires: there is no such time, or it ends before it";
                let key = ["cron", "every", "rrule"].into_iter().find(|key| cx.written(key)).unwrap_or("type");
                cx.error(code::INVALID_VALUE, &cx.key(key), message);
            }
            _ => {}
        }
    }
}
