//! `date`: a time on or around the date that a field of the record has.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::{Listen, TypeFacts};
use crate::describe::JsonSchema;
use crate::recurrence::AroundDate;
use crate::types::{Kinds, Type};
use crate::validate::words::quoted;
use crate::validate::{Facts, literal};
use crate::{BusinessDays, Check, Duration, FieldType, Object, WorkflowCalendar, code};

/// A length of time after something, or before it if it is negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct Offset(pub Duration);

#[cfg(feature = "describe")]
impl schemars::JsonSchema for Offset {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Offset".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["string", "integer"],
            "description": "A length of time forward, `2d 3h`, or back, `-60d`; a number is seconds.",
            "examples": ["-60d", "-15m", "1w"],
        })
    }
}

/// The trigger `date`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Date {
    /// The field of the record, of the type `date` or `datetime`.
    pub field: String,
    /// How long after its value; before it, if negative: `-60d`.
    #[serde(default)]
    pub offset: Option<Offset>,
    /// The time of day, `HH:MM`, from which `offset` is counted. Absent, it is that of the field's value, and midnight of a date.
    #[serde(default)]
    pub at: Option<String>,
    /// The time zone of its days and times; that of the workflow if absent.
    #[serde(default)]
    pub timezone: Option<String>,
    /// It fires in each year, from that of the value on.
    #[serde(default)]
    pub every_year: bool,
    /// What becomes of a firing on a day that is no business day: `skip` (it does not happen), `next` (it moves to the next business
    /// day, at the same time). Absent, all days are the same.
    #[serde(default)]
    pub business_days: Option<BusinessDays>,
    /// Its business days, in place of those of the workflow: the id of a calendar, or a list of holidays beside Saturdays and Sundays.
    #[serde(default)]
    pub calendar: Option<WorkflowCalendar>,
}

impl Date {
    /// When it fires, before business days move it. A time zone of its own counts more than that of the workflow.
    ///
    /// # Errors
    /// The key that is wrong, with what was expected and found.
    pub fn around(&self, of_workflow: &TimeZone) -> Result<AroundDate, (&'static str, String)> {
        let zone = match &self.timezone {
            Some(name) => TimeZone::get(name).map_err(|_| {
                ("timezone", format!("expected a time zone such as `Europe/Berlin`, found {}", quoted(name)))
            })?,
            None => of_workflow.clone(),
        };
        let time = |at: &String| {
            let read = literal::is_time_of_day(at).then(|| at.parse::<Time>().ok()).flatten();
            read.ok_or_else(|| ("at", format!("expected a time of day such as \"09:00\", found {}", quoted(at))))
        };
        let at = self.at.as_ref().map(time).transpose()?;
        Ok(AroundDate::new(self.offset.unwrap_or_default().0, at, self.every_year, zone))
    }

    fn check_field(&self, cx: &mut Check<'_, '_>) {
        let (path, Some(object)) = (cx.key("field"), cx.facts.object()) else { return };
        if !cx.field_name(object, &self.field, &path) {
            return;
        }
        let field = object.field(&self.field).filter(|_| !Object::BUILT_IN.contains(&self.field.as_str()));
        let is_date = |kind| matches!(kind, FieldType::Date | FieldType::Datetime);
        if !field.is_some_and(|field| is_date(field.kind) && !field.many) {
            let message =
                format!("expected a field of the type date or datetime with one value, found {}", quoted(&self.field));
            cx.error(code::INVALID_VALUE, &path, message);
        }
    }
}

impl Listen for Date {
    fn words(&self) -> String {
        let field = &self.field;
        let offset = self.offset.unwrap_or_default().0;
        let words = match offset.to_string() {
            zero if offset == Duration::default() || zero == "0s" => format!("the date {field} comes"),
            back if back.starts_with('-') => format!("it is {} before {field}", back.replace('-', "")),
            length => format!("it is {length} after {field}"),
        };
        let at = self.at.as_ref().map_or(String::new(), |at| format!(", at {at}"));
        let again = if self.every_year { ", in each year" } else { "" };
        words + &at + again
    }

    fn facts() -> TypeFacts {
        TypeFacts { follows_dates: true, ..TypeFacts::default() }
    }

    fn date(&self) -> Option<&Date> {
        Some(self)
    }

    fn event(&self, _facts: &Facts<'_>) -> Vec<(&'static str, Type)> {
        vec![("date", Type::of(Kinds::TEXT)), ("scheduled_at", Type::of(Kinds::TEXT))]
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        if cx.waits {
            let message = "a step cannot wait for a date: write its `timeout`, such as `\"{{ record.due }}\"`";
            cx.error(code::NOT_ALLOWED, &cx.key("type"), message);
        }
        cx.needs_record();
        self.check_field(cx);
        cx.calendar_of_days(self.calendar.as_ref(), self.business_days.is_some());
        if let Err((key, why)) = self.around(&cx.facts.timezone())
            && !cx.has_problem(key)
        {
            cx.error(code::INVALID_TIME, &cx.key(key), why);
        }
    }
}
