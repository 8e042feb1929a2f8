//! `*.calendar.yaml`: days on which no business is done.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use jiff::civil::{self, Date};
use serde::Deserialize;
use serde_json::Value;

use super::{Definitions, Kind, KindCheck};
use crate::describe::JsonSchema;
use crate::path::Path;
use crate::problem::code;
use crate::validate::{literal, words};

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl From<civil::Weekday> for Weekday {
    fn from(day: civil::Weekday) -> Self {
        match day {
            civil::Weekday::Monday => Self::Mon,
            civil::Weekday::Tuesday => Self::Tue,
            civil::Weekday::Wednesday => Self::Wed,
            civil::Weekday::Thursday => Self::Thu,
            civil::Weekday::Friday => Self::Fri,
            civil::Weekday::Saturday => Self::Sat,
            civil::Weekday::Sunday => Self::Sun,
        }
    }
}

/// Days on which no business is done, as written in a `*.calendar.yaml` file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Id, `[a-z0-9_-]{1,64}`.
    #[serde(rename = "calendar")]
    #[schemars(regex(pattern = r"^[a-z0-9_-]{1,64}$"))]
    pub id: String,
    /// Name for people.
    #[serde(default)]
    pub name: Option<String>,
    /// Days of each week that are no business days; Saturday and Sunday if absent, none if the list is empty.
    #[serde(default = "weekend")]
    pub weekend: BTreeSet<Weekday>,
    /// Dates that are no business days.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub holidays: BTreeSet<Date>,
}

fn weekend() -> BTreeSet<Weekday> {
    [Weekday::Sat, Weekday::Sun].into()
}

static STANDARD: LazyLock<Calendar> = LazyLock::new(|| Calendar::of_holidays(BTreeSet::new()));

impl Calendar {
    /// A calendar without a file: Saturdays, Sundays and some holidays.
    pub fn of_holidays(holidays: BTreeSet<Date>) -> Self {
        Self { id: String::new(), name: None, weekend: weekend(), holidays }
    }

    /// The calendar where none is named: Saturdays and Sundays.
    pub fn standard() -> &'static Self {
        &STANDARD
    }

    /// Whether business is done on a day.
    pub fn is_business_day(&self, date: Date) -> bool {
        !self.weekend.contains(&date.weekday().into()) && !self.holidays.contains(&date)
    }

    /// The first business day that is not before a day; `None` if the calendar of years ends before it.
    pub fn business_day_from(&self, date: Date) -> Option<Date> {
        let mut day = date;
        while !self.is_business_day(day) {
            day = day.tomorrow().ok()?;
        }
        Some(day)
    }
}

impl Kind for Calendar {
    fn check(file: &Value, check: &mut KindCheck<'_, '_>) {
        let root = Path::root();
        let list = |key: &str| file.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for key in ["weekend", "holidays"] {
            let values = list(key);
            for (at, value) in values.iter().enumerate().filter(|(at, value)| values[..*at].contains(value)) {
                let message = format!("expected each day once, found {} again", words::found(value));
                check.error(code::DUPLICATE_ID, &root.key(key).index(at), message);
            }
        }
        let days: BTreeSet<_> = list("weekend").iter().filter_map(Value::as_str).collect();
        if days.len() == 7 {
            check.error(code::INVALID_VALUE, &root.key("weekend"), "expected at least one business day in a week");
        }
        check_dates(list("holidays"), &root.key("holidays"), check.report);
    }
}

/// Tells of what is no date.
pub(crate) fn check_dates(days: &[Value], path: &Path, report: &mut crate::validate::Report<'_>) {
    for (at, day) in days.iter().enumerate() {
        if day.as_str().is_some_and(|day| !literal::is_date(day)) {
            let message = format!("expected a date such as 2026-12-25, found {}", words::found(day));
            report.error(code::INVALID_TIME, &path.index(at), message);
        }
    }
}

/// The business days of a workflow: a calendar of the installation by its id, or holidays beside Saturdays and Sundays.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum WorkflowCalendar {
    /// The id of a calendar.
    Named(String),
    /// Dates.
    Holidays(Vec<String>),
}

impl Default for WorkflowCalendar {
    fn default() -> Self {
        Self::Holidays(Vec::new())
    }
}

impl WorkflowCalendar {
    /// The id of the calendar that it names.
    pub fn named(&self) -> Option<&str> {
        match self {
            Self::Named(id) => Some(id),
            Self::Holidays(_) => None,
        }
    }

    /// Its business days; `None` if the calendar that it names is not there.
    pub fn resolve<'a>(&self, definitions: &'a Definitions) -> Option<Cow<'a, Calendar>> {
        match self {
            Self::Named(id) => definitions.calendars.get(id).map(Cow::Borrowed),
            Self::Holidays(days) => {
                let days = days.iter().filter_map(|day| day.parse().ok()).collect();
                Some(Cow::Owned(Calendar::of_holidays(days)))
            }
        }
    }
}
