//! Activities of people about records: a call, a meeting, a to-do. What the runtime does outside for a step is another thing:
//! [`crate::Activity`].

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use pawl_definition::step::is_date_alone;
use pawl_definition::{Activity, Calendar, ExpressionError, WaitLength};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Cause, StepCode, StepError, Subject, coerce};

/// Largest activity as JSON, in bytes.
const BYTES_MOST: usize = 100 * 1024;

/// Most records that an activity is about: one of an object.
const RECORDS_MOST: usize = 10;

/// The state of an activity. Stored, do not rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivityStatus {
    /// It is to be done.
    Open,
    /// It is done.
    Logged,
    /// It is not to be done any more.
    Canceled,
}

impl ActivityStatus {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Logged => "logged",
            Self::Canceled => "canceled",
        }
    }
}

/// An activity about records. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordActivity {
    /// Id.
    pub id: String,
    /// Its type.
    pub activity: String,
    /// Counts its writes, from 1.
    pub version: u64,
    /// Its state.
    pub status: ActivityStatus,
    /// When it is due; never if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// The member who has to do it, or did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// When it was logged or canceled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Who logged or canceled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
    /// What people read of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Values by field of its type.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub fields: Map<String, Value>,
    /// The records that it is about, at most one of an object.
    pub records: Vec<Subject>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The person who made it; absent if an execution did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// The execution that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<String>,
    /// The chain of executions that led to its last write; absent if a person wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
}

/// A change of one activity.
#[derive(Debug, Clone, PartialEq)]
pub struct ActivityWrite {
    /// The activity as it was read; `None` if it must not exist yet.
    pub before: Option<RecordActivity>,
    /// The activity as it will be.
    pub after: RecordActivity,
    /// The records of a new activity, with the versions at which they were read: they must be so still.
    pub about: Vec<(Subject, u64)>,
}

impl RecordActivity {
    /// As expressions and people see it.
    pub fn view(&self) -> Value {
        let records: Map<_, _> = self
            .records
            .iter()
            .map(|record| (record.object.clone(), json!({"object": record.object, "id": record.id})))
            .collect();
        let logged = self.status == ActivityStatus::Logged;
        json!({
            "id": self.id,
            "activity": self.activity,
            "status": self.status,
            "due": self.due,
            "assignee": self.assignee,
            "logged_at": self.ended_at.filter(|_| logged),
            "logged_by": self.ended_by.as_ref().filter(|_| logged),
            "note": self.note,
            "fields": self.fields,
            "records": records,
            "created_at": self.created_at,
        })
    }

    /// The same, logged or canceled. One that has ended so stays as it is.
    ///
    /// # Errors
    /// It has ended otherwise; its state stands here.
    pub fn end(&self, status: ActivityStatus, (at, by): (Timestamp, Option<&str>)) -> Result<Self, ActivityStatus> {
        match self.status {
            ActivityStatus::Open => Ok(Self {
                version: self.version + 1,
                status,
                ended_at: Some(at),
                ended_by: by.map(str::to_owned),
                cause: None,
                ..self.clone()
            }),
            present if present == status => Ok(self.clone()),
            present => Err(present),
        }
    }

    /// The same, due at another time; never if there is none.
    ///
    /// # Errors
    /// It has ended; its state stands here.
    pub fn reschedule(&self, due: Option<Timestamp>) -> Result<Self, ActivityStatus> {
        match self.status {
            ActivityStatus::Open if self.due == due => Ok(self.clone()),
            ActivityStatus::Open => Ok(Self { version: self.version + 1, due, cause: None, ..self.clone() }),
            present => Err(present),
        }
    }

    /// What is left of it when a record that it is about is forgotten: neither values nor that record. `None` if it was about
    /// nothing else.
    pub fn forget(&self, record: &Subject) -> Option<Self> {
        let records: Vec<_> = self.records.iter().filter(|other| *other != record).cloned().collect();
        if records.is_empty() {
            return None;
        }
        let version = self.version + 1;
        Some(Self { version, note: None, fields: Map::new(), records, cause: None, ..self.clone() })
    }

    /// Requires that it can be stored: it is not too large, and is found by its assignee.
    ///
    /// # Errors
    /// It cannot.
    pub fn check(&self) -> Result<(), StepError> {
        if let Some(assignee) = self.assignee.as_ref().filter(|assignee| !crate::fields::is_key(assignee)) {
            let found = coerce::short(&assignee.as_str().into());
            let message = format!("expected the id of a member, found {found}");
            return Err(StepError::new(StepCode::UnknownMember, message).at("assignee"));
        }
        let size = serde_json::to_string(self).map_or(0, |text| text.len());
        if size <= BYTES_MOST {
            return Ok(());
        }
        let message = format!("expected an activity of at most {BYTES_MOST} bytes, found {size}");
        Err(StepError::new(StepCode::RecordTooLarge, message))
    }
}

/// Brings the values of a new activity to the fields of its type: the given ones, then defaults; required ones must be there.
///
/// # Errors
/// A value does not fit, with its field.
pub fn new_fields(
    activity: &Activity,
    given: Map<String, Value>,
    timezone: &TimeZone,
) -> Result<Map<String, Value>, StepError> {
    let fields = with_fields(activity, Map::new(), given, timezone)?;
    let defaults = activity.fields.iter().filter(|(name, _)| !fields.contains_key(*name));
    let defaults = defaults.filter_map(|(name, field)| Some((name.clone(), field.default.clone()?))).collect();
    let fields = with_fields(activity, fields, defaults, timezone)?;
    check_required(activity, &fields)?;
    Ok(fields)
}

/// Requires that every required field has a value.
///
/// # Errors
/// One has none.
pub fn check_required(activity: &Activity, fields: &Map<String, Value>) -> Result<(), StepError> {
    let is_missing = |name: &String| fields.get(name).is_none_or(coerce::is_blank);
    match activity.fields.iter().find(|(name, field)| field.required && is_missing(name)) {
        Some((name, _)) => {
            let message = format!("activity {:?} requires a value", activity.id);
            Err(StepError::new(StepCode::RequiredField, message).at(&format!("fields.{name}")))
        }
        None => Ok(()),
    }
}

/// Changes values by field, each brought to the type of its field; null empties one.
///
/// # Errors
/// A value does not fit, with its field.
pub fn with_fields(
    activity: &Activity,
    mut fields: Map<String, Value>,
    given: Map<String, Value>,
    timezone: &TimeZone,
) -> Result<Map<String, Value>, StepError> {
    for (name, value) in given {
        let place = format!("fields.{name}");
        let Some(field) = activity.fields.get(&name) else {
            let message = format!("activity {:?} has no field {name:?}", activity.id);
            return Err(StepError::new(StepCode::UnknownField, message).at(&place));
        };
        let value = coerce::field(value, field, timezone).map_err(|error| error.at(&place))?;
        crate::fields::put(&mut fields, &name, value);
    }
    Ok(fields)
}

/// Requires that an activity may be about these records: at least one, and at most one of an object.
///
/// # Errors
/// It may not.
pub fn check_records(activity: &Activity, records: &[Subject]) -> Result<(), StepError> {
    let wrong = |message: String| Err(StepError::new(StepCode::WrongType, message).at("records"));
    if records.is_empty() || records.len() > RECORDS_MOST {
        return wrong(format!("expected from 1 to {RECORDS_MOST} records, found {}", records.len()));
    }
    match records.iter().find(|record| !activity.is_about(&record.object)) {
        Some(record) => wrong(format!("activity {:?} is not about records of {:?}", activity.id, record.object)),
        None => Ok(()),
    }
}

/// When something is due: a date, whose end is meant, a date and time, or a length of time from now.
///
/// # Errors
/// The value is none of them.
pub fn due<'c>(
    value: &Value,
    (now, timezone): (Timestamp, &TimeZone),
    calendar: impl FnOnce() -> Result<Cow<'c, Calendar>, ExpressionError>,
) -> Result<Option<Timestamp>, StepError> {
    if coerce::is_blank(value) {
        return Ok(None);
    }
    let expected = || {
        let found = coerce::short(value);
        let message = format!("expected a date, a date and time, or a length of time such as \"2d\", found {found}");
        StepError::new(StepCode::WrongType, message).at("due")
    };
    if let Some(length) = WaitLength::from_value(value) {
        let at = length.after(now, timezone, calendar).map_err(|error| StepError::from(error).at("due"))?;
        return Ok(Some(at));
    }
    let text = value.as_str().ok_or_else(expected)?.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Some(at));
    }
    let mut at: DateTime = text.parse().map_err(|_| expected())?;
    if is_date_alone(value) {
        at = at.date().to_datetime(Time::constant(23, 59, 59, 0));
    }
    Ok(Some(at.to_zoned(timezone.clone()).map_err(|_| expected())?.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("it is a time")
    }

    fn read(value: &Value) -> Result<Option<Timestamp>, StepError> {
        let zone = TimeZone::get("Europe/Berlin").expect("it is known");
        due(value, (at("2026-11-20T09:00:00Z"), &zone), || Ok(Cow::Borrowed(Calendar::standard())))
    }

    #[test]
    fn a_date_alone_is_due_at_its_end_and_a_length_counts_from_now() {
        assert_eq!(read(&json!("2026-12-01")), Ok(Some(at("2026-12-01T22:59:59Z"))));
        assert_eq!(read(&json!("2026-12-01T10:00")), Ok(Some(at("2026-12-01T09:00:00Z"))));
        assert_eq!(read(&json!("2026-12-01T10:00:00Z")), Ok(Some(at("2026-12-01T10:00:00Z"))));
        assert_eq!(read(&json!("2d")), Ok(Some(at("2026-11-22T09:00:00Z"))));
        assert_eq!(read(&json!("1 business day")), Ok(Some(at("2026-11-23T09:00:00Z"))));
        assert_eq!(read(&json!(" ")), Ok(None));
        assert_eq!(read(&json!("soon")).map_err(|error| error.code), Err(StepCode::WrongType));
        assert_eq!(read(&json!({})), Ok(None));
    }
}
