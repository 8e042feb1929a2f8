//! `delay`: waits for a span, until a time, or until a time of day on a business day.

use jiff::Timestamp;
use jiff::civil::Time;
use pawl_definition::WaitLength;
use pawl_definition::step::Delay;
use serde_json::{Value, json};

use super::{StepContext, StepDecision, StepHandler, StepResult, Waits};
use crate::{Plan, StepCode, StepError, coerce};

impl StepHandler for Delay {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        let plan = at.cx.plan;
        let mut business_days = self.business_days;
        let due = match (&self.r#for, &self.until) {
            (Some(span), None) => {
                let value = span.resolve(&at.scope()).map_err(|error| StepError::from(error).at("for"))?;
                let length = length(&value)?;
                business_days |= length.is_business_days();
                let calendar = || at.calendar();
                length.after(at.cx.now, &plan.timezone, calendar).map_err(|error| StepError::from(error).at("for"))?
            }
            (None, Some(until)) => {
                let value = until.evaluate(&at.scope()).map_err(|error| StepError::from(error).at("until"))?;
                point(&value, plan).map_err(|error| error.at("until"))?
            }
            _ => return Err(StepError::new(StepCode::InvalidDelay, "expected either `for` or `until`")),
        };
        let due = adjusted(self, due, at, business_days)?;
        let input = json!({"until": due.to_string()});
        if due <= at.cx.now {
            let note = Some("the time is now or past: goes on at once".to_owned());
            return Ok(StepDecision::done(StepResult { input, note, ..StepResult::default() }));
        }
        Ok(StepDecision::Wait(Box::new(Waits::until(due, input))))
    }
}

/// Moves a time forward to the time of day, if the step asks for one, and to a business day.
fn adjusted(step: &Delay, due: Timestamp, cx: &StepContext<'_>, business_days: bool) -> Result<Timestamp, StepError> {
    let plan = cx.cx.plan;
    let mut local = due.to_zoned(plan.timezone.clone()).datetime();
    if let Some(at) = &step.at {
        let time: Time = at
            .parse()
            .map_err(|_| StepError::new(StepCode::InvalidDelay, format!("`at`: expected HH:MM, found {at:?}")))?;
        if local.time() > time {
            local = local.tomorrow().map_err(|error| out_of_range(&error))?;
        }
        local = local.date().to_datetime(time);
    }
    // A time of day may lead on to the day after.
    if business_days {
        let calendar = cx.calendar().map_err(|error| StepError::from(error).at("business_days"))?;
        while !calendar.is_business_day(local.date()) {
            local = local.tomorrow().map_err(|error| out_of_range(&error))?;
        }
    }
    if step.at.is_none() && !business_days {
        return Ok(due);
    }
    Ok(local.to_zoned(plan.timezone.clone()).map_err(|error| out_of_range(&error))?.timestamp())
}

fn out_of_range(error: &jiff::Error) -> StepError {
    StepError::new(StepCode::InvalidDelay, format!("the time is out of range: {error}"))
}

fn length(value: &Value) -> Result<WaitLength, StepError> {
    let expected = || {
        StepError::new(
            StepCode::WrongType,
            format!("`for`: expected a duration such as \"2d 3h\", found {}", coerce::short(value)),
        )
    };
    let read = WaitLength::from_value(value).filter(|_| !coerce::is_blank(value));
    read.ok_or_else(expected)
}

/// Reads a date and time, or a date (its beginning in the workflow's time zone).
pub(super) fn point(value: &Value, plan: &Plan) -> Result<Timestamp, StepError> {
    let expected =
        || StepError::new(StepCode::WrongType, format!("expected a date and time, found {}", coerce::short(value)));
    let text = value.as_str().ok_or_else(expected)?.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let date: jiff::civil::DateTime = text.parse().map_err(|_| expected())?;
    Ok(date.to_zoned(plan.timezone.clone()).map_err(|_| expected())?.timestamp())
}
