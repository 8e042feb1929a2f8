//! The input of a decision, as its row keeps it: without what the row has anyway.

use jiff::Timestamp;
use pawl_definition::Take;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::Seen;
use crate::context::plain_view;
use crate::control;
use crate::{
    Act, Address, Cause, Context, Control, Event, Execution, Found, Input, PeopleFound, Performed, RecordActivity, Row,
    StepError, Usage,
};

/// The input of a decision. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Given {
    /// A message let it go on.
    #[default]
    Run,
    /// A read that it asked for.
    Found(Looked),
    /// An activity ended.
    Performed(Answer),
    /// What it decided before could never be committed; the error is absent if it is the row's.
    Rejected {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<StepError>,
    },
    /// An event on a topic that it waits on, without its causes, which no step reads.
    Event(Box<Event>),
    /// What it waits for may be otherwise.
    LookAgain,
    /// A person or system acted.
    Control(Asked),
}

/// What a read gave.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Looked {
    /// The records; absent if they are those that the row's output shows.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub records: Option<Vec<Seen>>,
    /// Stored values; absent if the row shows them.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Value>>,
    /// Number of stored values that the row shows: one is the item of its input, and of a loop that is over the first results of
    /// its output.
    #[serde(rename = "n", default, skip_serializing_if = "is_none")]
    pub shown: usize,
    /// Activities about records.
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    pub activities: Vec<RecordActivity>,
    /// What a choice among members depends on.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub people: Option<PeopleFound>,
    /// Why they were not looked for to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<StepError>,
}

/// What an activity gave; what is absent is as the row has it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Answer {
    /// Which claim it is of, if there were several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// Its output.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "there")]
    pub output: Option<Value>,
    /// Why it failed; null if it did not.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "there")]
    pub error: Option<Option<StepError>>,
    /// What models cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// How it came about.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "there")]
    pub trace: Option<Value>,
}

/// What a person or system asked for; who it was, the row has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// The control, with the path that it takes.
    #[serde(rename = "do")]
    pub control: String,
    /// When it was asked for, if not at the time of the row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Why, if the row's note does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "there")]
    pub reason: Option<Option<String>>,
    /// Its id, if a step made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

/// So many values that a row shows.
fn shown_values(row: &Row, count: usize) -> Option<Vec<Value>> {
    if let Some(item) = row.input.get("item").filter(|_| count == 1) {
        return Some(vec![item.clone()]);
    }
    let items = row.output.get("items")?.as_array()?;
    Some(items.get(..count)?.to_vec())
}

/// What is there although it is null.
fn there<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A value, unless the row has the same.
fn unless<T: PartialEq + Clone>(own: &T, of_row: Option<&T>) -> Option<T> {
    (of_row != Some(own)).then(|| own.clone())
}

impl Given {
    pub(super) fn is_run(&self) -> bool {
        *self == Self::Run
    }

    /// Of an input and the row that came of it; none came of what is written of the head alone.
    pub(super) fn of(cx: &Context<'_>, before: &Execution, input: &Input<'_>, row: Option<&Row>) -> Self {
        match input {
            Input::Run => Self::Run,
            Input::LookAgain => Self::LookAgain,
            Input::Found(found) => Self::Found(Looked::of(cx, found, row)),
            Input::Performed(of) => {
                let address = (before.leases.iter().count() > 1).then(|| of.address.clone());
                Self::Performed(Answer { address, ..Answer::of(of.performed, row) })
            }
            Input::Rejected(error) => {
                let known = row.is_some_and(|row| row.error.as_ref() == Some(*error));
                Self::Rejected { error: (!known).then(|| (*error).clone()) }
            }
            Input::Event(event) => {
                let mut event = (*event).clone();
                event.cause = Cause::default();
                Self::Event(Box::new(event))
            }
            Input::Control(control, act) => Self::Control(Asked::of(control, act, row)),
        }
    }
}

impl Looked {
    fn of(cx: &Context<'_>, found: &Found, row: Option<&Row>) -> Self {
        Self { people: found.people.clone(), activities: found.activities.clone(), ..Self::records(cx, found, row) }
    }

    /// The records or values of it.
    fn records(cx: &Context<'_>, found: &Found, row: Option<&Row>) -> Self {
        if found.refused.is_some() {
            return Self { records: Some(Vec::new()), refused: found.refused.clone(), ..Self::default() };
        }
        if !found.values.is_empty() {
            let count = found.values.len();
            let are_shown = row.and_then(|row| shown_values(row, count)).is_some_and(|shown| shown == found.values);
            let values = (!are_shown).then(|| found.values.clone());
            return Self { values, shown: if are_shown { count } else { 0 }, ..Self::default() };
        }
        let is_shown = row.and_then(|row| row.output.as_array()).is_some_and(|shown| {
            let views = found.records.iter().map(|record| Value::Object(plain_view(record, cx.objects)));
            shown.len() == found.records.len() && views.zip(shown).all(|(view, shown)| view == *shown)
        });
        let whole = |record| Seen::other(record, &super::seen::Part::Whole);
        let records = (!is_shown).then(|| found.records.iter().map(whole).collect());
        Self { records, ..Self::default() }
    }

    /// What was found, given the row that came of it.
    pub(crate) fn found(&self, row: Option<&Row>) -> Option<Found> {
        let records = match &self.records {
            Some(records) => records.iter().map(|seen| seen.record(None)).collect::<Option<_>>()?,
            None if self.shown > 0 || self.values.is_some() => Vec::new(),
            None => row?.output.as_array()?.iter().map(Seen::shown).collect::<Option<_>>()?,
        };
        let values = match &self.values {
            Some(values) => values.clone(),
            None if self.shown == 0 => Vec::new(),
            None => shown_values(row?, self.shown)?,
        };
        let (activities, people) = (self.activities.clone(), self.people.clone());
        Some(Found { records, values, activities, people, refused: self.refused.clone() })
    }
}

impl Answer {
    fn of(performed: &Performed, row: Option<&Row>) -> Self {
        let Performed { output, usage, trace, error } = performed;
        Self {
            address: None,
            output: unless(output, row.map(|row| &row.output)),
            error: unless(error, row.map(|row| &row.error)),
            usage: unless(usage, row.map_or(Some(&Usage::default()), |row| Some(&row.usage))),
            trace: unless(trace, row.map_or(Some(&Value::Null), |row| Some(&row.trace))),
        }
    }

    /// What the activity gave, given the row that came of it.
    pub(crate) fn performed(&self, row: Option<&Row>) -> Performed {
        Performed {
            output: self.output.clone().or_else(|| row.map(|row| row.output.clone())).unwrap_or_default(),
            usage: self.usage.or_else(|| row.map(|row| row.usage)).unwrap_or_default(),
            trace: self.trace.clone().or_else(|| row.map(|row| row.trace.clone())).unwrap_or_default(),
            error: self.error.clone().or_else(|| row.map(|row| row.error.clone())).flatten(),
        }
    }
}

impl Asked {
    fn of(control: &Control, act: &Act, row: Option<&Row>) -> Self {
        let note = control::note(control, act);
        let is_told = row.is_some_and(|row| row.note.as_ref() == Some(&note));
        Self {
            control: control::name(control),
            at: unless(&act.at, row.map(|row| &row.at)),
            reason: (!is_told).then(|| act.reason.clone()),
            id: act.id.clone(),
        }
    }

    /// The control.
    pub(crate) fn control(&self) -> Option<Control> {
        Some(match self.control.as_str() {
            "pause" => Control::Pause,
            "resume" => Control::Resume,
            "cancel" => Control::Cancel,
            "retry" => Control::Retry,
            "skip" => Control::Skip { take: None },
            "skip yes" => Control::Skip { take: Some(Take::Yes) },
            "skip no" => Control::Skip { take: Some(Take::No) },
            "step" => Control::Step,
            "run" => Control::Run,
            "kill" => Control::Kill,
            "lift" => Control::Lift,
            "stall" => Control::Stall,
            _ => return None,
        })
    }

    /// Who acted and why, given the row that came of it.
    pub(crate) fn act(&self, control: &Control, row: &Row) -> Act {
        let told = || Some(row.note.as_ref()?.strip_prefix(control.word())?.strip_prefix(": ")?.to_owned());
        Act {
            actor: row.actor.clone().unwrap_or_default(),
            reason: self.reason.clone().unwrap_or_else(told),
            at: self.at.unwrap_or(row.at),
            id: self.id.clone(),
        }
    }
}
