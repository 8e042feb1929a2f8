//! `create_activity`: makes an activity that somebody has to do.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::about_records::NewActivity;
use super::{Shape, Step, TypeFacts};
use crate::describe::JsonSchema;
use crate::types::{Kinds, Type};
use crate::validate::{Facts, literal, words};
use crate::who::Who;
use crate::{Check, Template, WaitLength, WorkflowCalendar, code};

/// The step `create_activity`. Output: the activity.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateActivity {
    /// Type of the activity.
    pub activity: String,
    /// When it is due: a length of time or a number of business days from now, a date (its end), a date and time, or a template
    /// that gives one of them. Never if absent or blank.
    #[serde(default)]
    pub due: Option<Template>,
    /// If it would be due on a day that is no business day, it is due on the next one.
    #[serde(default)]
    pub business_days: bool,
    /// The business days, in place of those of the workflow: the id of a calendar, or a list of holidays beside Saturdays and
    /// Sundays.
    #[serde(default)]
    pub calendar: Option<WorkflowCalendar>,
    /// Who has to do it; nobody in particular if absent.
    #[serde(default)]
    pub assignee: Option<Who>,
    /// What people read of it.
    #[serde(default)]
    pub note: Option<Template>,
    /// Values by field of the type.
    #[serde(default)]
    pub fields: BTreeMap<String, Template>,
    /// The records that it is about, by object, beside this record: an id, the name of a relationship (`record.company`), or a
    /// template that gives a record or its id. A blank value is left out.
    #[serde(default)]
    pub records: BTreeMap<String, Template>,
    /// Not available in this version: tells the assignee.
    #[serde(default)]
    pub notify: Option<Value>,
}

impl CreateActivity {
    /// What it says of the activity.
    pub fn new_activity(&self) -> NewActivity<'_> {
        NewActivity {
            activity: &self.activity,
            assignee: self.assignee.as_ref(),
            note: self.note.as_ref(),
            fields: &self.fields,
            records: &self.records,
        }
    }

    /// `due` must be a time, or a length of time.
    fn check_due(&self, cx: &mut Check<'_, '_>) {
        let path = cx.key("due");
        let written = self.due.as_ref().and_then(Template::literal);
        let length = written.and_then(WaitLength::from_value);
        let is_computed = self.due.is_some() && written.is_none();
        let counts = self.business_days || is_computed || length.is_some_and(WaitLength::is_business_days);
        cx.calendar_of_days(self.calendar.as_ref(), counts);
        if self.business_days && self.due.is_none() && !cx.written("due") {
            let message = "`business_days` says nothing here: the activity is never due";
            cx.warning(code::SUSPICIOUS, &cx.key("business_days"), message);
        }
        let Some(due) = &self.due else { return };
        let Some(value) = due.literal() else {
            let given = cx.type_of(due).kinds.present();
            if !given.meets(Kinds::TEXT.or(Kinds::NUMBER).or(Kinds::TIME).or(Kinds::DURATION).or(Kinds::NULL)) {
                cx.error(code::WRONG_TYPE, &path, format!("expected a time or a length of time, found {given}"));
            }
            return;
        };
        let is_time = value.as_str().is_some_and(literal::is_moment);
        if !is_time && length.is_none() {
            let message = format!(
                "expected a date, a date and time, or a length of time such as `2d` or `3 business days`, found {}",
                words::found(value)
            );
            let near = value.as_str().filter(|text| text.contains('.') || text.contains('('));
            let near = near.map(|text| format!("an expression is written `{{{{ {text} }}}}`"));
            cx.error(code::INVALID_TIME, &path, message).suggest(near);
        }
    }
}

impl Shape for CreateActivity {
    fn words(&self, _: &Step) -> String {
        let due = self.due.as_ref().map_or(String::new(), |due| format!(", due {}", due.words().trim_matches('"')));
        let day = if self.business_days { " or on the next business day" } else { "" };
        format!("makes an activity of the type {}{due}{day}{}", self.activity, self.new_activity().words("for"))
    }

    fn facts() -> TypeFacts {
        TypeFacts { reads_record: true, ..TypeFacts::PLAIN }
    }

    fn calendar(&self) -> Option<&WorkflowCalendar> {
        self.calendar.as_ref()
    }

    fn reads_records_of(&self, object: &str) -> bool {
        self.records.contains_key(object)
    }

    fn reads_definitions(&self) -> bool {
        true
    }

    fn reads_owner(&self) -> bool {
        self.assignee.as_ref().is_some_and(Who::reads_owner)
    }

    fn output(&self, facts: &Facts<'_>) -> Type {
        self.new_activity().output(facts)
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        self.new_activity().check(cx);
        self.check_due(cx);
        if cx.written("notify") {
            let message = "`notify` is not available in this version";
            cx.error_at_key(code::NOT_AVAILABLE, &cx.key("notify"), message);
        }
    }
}

/// Whether a value says when something is due by a date alone, whose end is meant.
pub fn is_date_alone(value: &Value) -> bool {
    value.as_str().is_some_and(literal::is_date)
}
