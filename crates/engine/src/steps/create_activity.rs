//! `create_activity`: makes an activity that somebody has to do.

use jiff::Timestamp;
use pawl_definition::step::CreateActivity;

use super::about_records::{enter, made};
use super::{StepContext, StepDecision, StepHandler};
use crate::{ActivityStatus, Found, StepCode, StepError, record_activity};

impl StepHandler for CreateActivity {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        enter(self.new_activity(), at, |found| self.found(at, found))
    }

    fn found(&self, at: &StepContext<'_>, found: &Found) -> Result<StepDecision, StepError> {
        made(self.new_activity(), at, found, (ActivityStatus::Open, due(self, at)?))
    }
}

/// When it is due, on a business day if the step asks for one; `None` if it says no time.
fn due(step: &CreateActivity, at: &StepContext<'_>) -> Result<Option<Timestamp>, StepError> {
    let Some(written) = &step.due else { return Ok(None) };
    let value = written.resolve(&at.scope()).map_err(|error| StepError::from(error).at("due"))?;
    let zone = &at.cx.plan.timezone;
    let due = record_activity::due(&value, (at.cx.now, zone), || at.calendar())?;
    let Some(due) = due.filter(|_| step.business_days) else { return Ok(due) };
    let calendar = at.calendar().map_err(|error| StepError::from(error).at("business_days"))?;
    let local = due.to_zoned(zone.clone()).datetime();
    let range = || StepError::new(StepCode::InvalidDelay, "the time is out of range").at("due");
    let day = calendar.business_day_from(local.date()).ok_or_else(range)?;
    let moved = day.to_datetime(local.time()).to_zoned(zone.clone()).map_err(|_| range())?;
    Ok(Some(if day == local.date() { due } else { moved.timestamp() }))
}
