//! What happens in a case, on its world.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use pawl_definition::Take;
use pawl_engine::{Control, Execution, Subject};
use pawl_runtime::NewRecordActivity;
use serde_json::Value;

use super::file::{
    Change, ControlWord, Delivery as DeliveryShape, Happens, Later, LoggedActivity, NextDate, NextFiring,
    OpenExecution, OverdueActivity, RecordThere, Signal, Start, Whose,
};
use super::load::Loaded;
use super::mail::MailTold;
use crate::scenario::{Delivered, Happening, HappeningError, Manual, SignalSent, World, manual, signal, webhook};

/// One case under way.
pub(super) struct Stage<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) world: &'a World,
}

fn impossible(message: String) -> HappeningError {
    HappeningError { code: "impossible".to_owned(), message }
}

/// How long before the event of a case the signals were sent that it names first.
const EARLIER: SignedDuration = SignedDuration::from_secs(1);

fn sent(Signal { name, key, payload }: &Signal) -> SignalSent {
    signal(name, key).payload(payload.clone())
}

impl Stage<'_> {
    /// Signals that were sent before the event of the case.
    pub(super) fn earlier(&self, signals: &[Signal]) -> Result<(), HappeningError> {
        signals.iter().try_for_each(|signal| self.world.happen(sent(signal).before(EARLIER).into()))
    }

    /// Executions that were started before the event of the case, and are still open.
    pub(super) fn open(&self, executions: &[OpenExecution]) -> Result<(), HappeningError> {
        executions.iter().try_for_each(|open| self.opened(open))
    }

    fn opened(&self, OpenExecution { workflow, record, values, paused }: &OpenExecution) -> Result<(), HappeningError> {
        let known: BTreeSet<_> = self.world.executions().into_iter().map(|execution| execution.id).collect();
        let start = manual(workflow).values(Value::Object(values.clone()));
        self.world.happen(self.on(start, record.as_deref())?.into())?;
        self.world.settle().map_err(|error| impossible(error.to_string()))?;
        let mut executions = self.world.executions();
        executions.retain(|execution| execution.workflow == *workflow && !known.contains(&execution.id));
        let not_open = |found: &str| {
            let message = format!("expected an execution of {workflow:?} that is open before the event, found {found}");
            HappeningError { code: "not_open".to_owned(), message }
        };
        let execution = executions.pop().ok_or_else(|| not_open("that its start was refused"))?;
        if execution.status.is_ended() {
            return Err(not_open(&format!("that it {}", execution.status)));
        }
        if *paused {
            let done = self.world.control(&execution.id, &Control::Pause);
            done.map_err(|error| impossible(error.to_string()))?;
        }
        Ok(())
    }

    /// A start on a record, if one is written.
    fn on(&self, start: Manual, record: Option<&str>) -> Result<Manual, HappeningError> {
        Ok(match record.map(|record| self.subject(record)).transpose()? {
            Some(Subject { object, id }) => start.on(&object, &id),
            None => start,
        })
    }

    /// The event of the case.
    pub(super) fn begin(&self, happens: &Happens) -> Result<(), HappeningError> {
        let Happens {
            webhook,
            manual,
            record_created,
            field_updated,
            record_archived,
            record_unarchived,
            schedule,
            event,
            workflow_ended,
            date,
            activity_logged,
            activity_overdue,
            interaction,
            email,
        } = happens.clone();
        self.later(&Later {
            webhook,
            manual,
            record_created,
            field_updated,
            record_archived,
            record_unarchived,
            schedule,
            event,
            workflow_ended,
            date,
            activity_logged,
            activity_overdue,
            interaction,
            email,
            ..Later::default()
        })
    }

    /// Something later.
    pub(super) fn later(&self, later: &Later) -> Result<(), HappeningError> {
        if let Some(word) = later.control {
            return self.control(word);
        }
        if let Some(next) = &later.schedule {
            return self.fires(next);
        }
        if let Some(next) = &later.date {
            return self.comes(next);
        }
        if let Some(log) = &later.activity_logged {
            return self.logs(log);
        }
        if let Some(overdue) = &later.activity_overdue {
            return self.falls_due(overdue);
        }
        if let Some(told) = &later.email {
            return self.hears(told);
        }
        match self.happening(later)? {
            Some(happening) => self.world.happen(happening),
            None => Ok(()),
        }
    }

    /// Time passes up to the next firing of a schedule.
    fn fires(&self, next: &NextFiring) -> Result<(), HappeningError> {
        let at = self.world.next_firing(&self.loaded.workflow.id, next.trigger.as_deref());
        let at = at.ok_or_else(|| match &next.trigger {
            Some(trigger) => {
                impossible(format!("expected a schedule that fires again, found none of the id {trigger:?}"))
            }
            None => impossible("expected a schedule that fires again, found none".to_owned()),
        })?;
        self.world.run(Some(at)).map(drop).map_err(|error| impossible(error.to_string()))
    }

    /// Time passes up to the next firing of a date trigger.
    fn comes(&self, next: &NextDate) -> Result<(), HappeningError> {
        // Entries follow the records first.
        self.world.settle().map_err(|error| impossible(error.to_string()))?;
        let record = next.record.as_deref().map(|record| self.subject(record)).transpose()?;
        let at = self.world.next_date(&self.loaded.workflow.id, next.trigger.as_deref(), record.as_ref());
        let at = at.ok_or_else(|| impossible("expected a date that is to come, found none".to_owned()))?;
        self.world.run(Some(at)).map(drop).map_err(|error| impossible(error.to_string()))
    }

    /// Time passes up to where an activity is overdue, or a trigger fires that counts from there.
    fn falls_due(&self, overdue: &OverdueActivity) -> Result<(), HappeningError> {
        self.world.settle().map_err(|error| impossible(error.to_string()))?;
        let OverdueActivity { activity, record, assignee, note, fields } = overdue.clone();
        let record = self.subject(&record)?;
        let next = || self.world.next_overdue(&self.loaded.workflow.id, (&activity, &record));
        if next().is_none() {
            let (due, records) = (self.world.now().to_string().into(), vec![record.clone()]);
            let activity = activity.clone();
            let new =
                NewRecordActivity { activity, due, assignee, note, fields, records, ..NewRecordActivity::default() };
            self.world.make_activity(new)?;
        }
        let at = next().ok_or_else(|| impossible("expected an activity that is due, found none".to_owned()))?;
        self.world.run(Some(at)).map(drop).map_err(|error| impossible(error.to_string()))
    }

    /// Somebody logs an activity.
    fn logs(&self, log: &LoggedActivity) -> Result<(), HappeningError> {
        // What is to be done already is made first.
        self.world.settle().map_err(|error| impossible(error.to_string()))?;
        let LoggedActivity { activity, record, note, fields, by } = log.clone();
        let record = self.subject(&record)?;
        self.world.log_activity((&activity, record), (note, fields), by.as_deref().unwrap_or("somebody"))
    }

    /// A provider tells what became of a message.
    fn hears(&self, told: &MailTold) -> Result<(), HappeningError> {
        // The address is the one that the record has after all that is due.
        self.world.settle().map_err(|error| impossible(error.to_string()))?;
        let record = told.record.as_deref().map(|record| self.subject(record)).transpose()?;
        let mail = told.told((self.world, &self.loaded.object_sources), record.as_ref())?;
        self.world.hear_of_mail(mail).map(drop)
    }

    fn happening(&self, later: &Later) -> Result<Option<Happening>, HappeningError> {
        Ok(if let Some(delivery) = &later.webhook {
            Some(self.delivered(delivery)?)
        } else if let Some(Start { record, values }) = &later.manual {
            let start = manual(&self.loaded.workflow.id).values(Value::Object(values.clone()));
            Some(self.on(start, record.as_deref())?.into())
        } else if let Some(RecordThere { object, id, fields }) = later.record_created.clone() {
            Some(Happening::Created { object, id, fields })
        } else if let Some(event) = &later.event {
            let whole = event.file.as_ref().and_then(|name| self.loaded.requests.get(name));
            Some(Happening::Bus(event.envelope(self.world, whole)))
        } else if let Some(ended) = &later.workflow_ended {
            let record = ended.record.as_deref().map(|record| self.subject(record)).transpose()?;
            Some(ended.event(self.world, record).map_err(impossible)?.into())
        } else if let Some(posted) = &later.interaction {
            let record = posted.record.as_deref().map(|record| self.subject(record)).transpose()?;
            Some(posted.posted(record).into())
        } else if let Some(signal) = &later.signal {
            Some(sent(signal).into())
        } else if let Some(Whose { record }) = &later.record_archived {
            Some(Happening::Archived { record: self.subject(record)?, is_archived: true })
        } else if let Some(Whose { record }) = &later.record_unarchived {
            Some(Happening::Archived { record: self.subject(record)?, is_archived: false })
        } else if let Some(Change { record, fields }) = &later.field_updated {
            Some(Happening::Updated { record: self.subject(record)?, fields: fields.clone() })
        } else {
            None
        })
    }

    fn delivered(&self, delivery: &DeliveryShape) -> Result<Happening, HappeningError> {
        let mut delivered = webhook(&self.loaded.workflow.id, &self.loaded.webhook(delivery.trigger.as_deref()));
        if let Some(whole) = delivery.file.as_ref().and_then(|name| self.loaded.requests.get(name)) {
            delivered = request(delivered, whole)?;
        }
        if let Some(method) = &delivery.method {
            delivered = delivered.method(method);
        }
        for (name, value) in &delivery.headers {
            delivered = delivered.header(name, value);
        }
        for (name, value) in &delivery.query {
            delivered = delivered.query(name, value);
        }
        if let Some(body) = &delivery.body {
            delivered = delivered.body(body.clone());
        }
        Ok(delivered.into())
    }

    /// The record that is written `<object>/<id>`, or `<object>` if it has one only.
    fn subject(&self, written: &str) -> Result<Subject, HappeningError> {
        if let Some((object, id)) = written.split_once('/') {
            return Ok(Subject { object: object.to_owned(), id: id.to_owned() });
        }
        match self.world.records(written).as_slice() {
            [one] => Ok(one.subject()),
            records => {
                let found = records.len();
                Err(impossible(format!("expected one record of {written}, or <object>/<id>, found {found} records")))
            }
        }
    }

    fn control(&self, word: ControlWord) -> Result<(), HappeningError> {
        let control = match word {
            ControlWord::Pause => Control::Pause,
            ControlWord::Resume => Control::Resume,
            ControlWord::Cancel => Control::Cancel,
            ControlWord::Retry => Control::Retry,
            ControlWord::Skip => Control::Skip { take: None },
            ControlWord::SkipYes => Control::Skip { take: Some(Take::Yes) },
            ControlWord::SkipNo => Control::Skip { take: Some(Take::No) },
        };
        let last = self.controlled(control.word())?;
        let done = self.world.control(&last.id, &control);
        done.map(|_| ()).map_err(|error| impossible(error.to_string()))
    }
}

impl Stage<'_> {
    /// The execution of the workflow that a control is for: the open one, or the last if none is open.
    fn controlled(&self, word: &str) -> Result<Execution, HappeningError> {
        let mut executions = self.world.executions();
        executions.retain(|execution| execution.workflow == self.loaded.workflow.id);
        let mut open = executions.iter().filter(|execution| !execution.status.is_ended());
        match (open.next().cloned(), open.count()) {
            (Some(open), 0) => Ok(open),
            (Some(_), more) => {
                Err(impossible(format!("cannot {word}: {} executions are open, expected one", more + 1)))
            }
            (None, _) => executions.pop().ok_or_else(|| impossible(format!("cannot {word}: no execution began"))),
        }
    }
}

/// Headers of a whole request that say how it travelled, not what it is.
const TRAVEL: &[&str] = &["host", "content-length", "transfer-encoding", "connection"];

/// The whole request of a file, as API Gateway hands it on.
fn request(mut delivered: Delivered, request: &Value) -> Result<Delivered, HappeningError> {
    let texts = |key: &str| request.get(key).and_then(Value::as_object).into_iter().flatten();
    for (name, value) in texts("headers").filter(|(name, _)| !TRAVEL.contains(&name.to_lowercase().as_str())) {
        delivered = delivered.header(name, value.as_str().unwrap_or_default());
    }
    for (name, value) in texts("queryStringParameters") {
        delivered = delivered.query(name, value.as_str().unwrap_or_default());
    }
    if request.get("isBase64Encoded") == Some(&Value::Bool(true)) {
        return Err(impossible("the body of the request's file is in base64; write it as `body`".to_owned()));
    }
    let method = request.pointer("/requestContext/http/method").and_then(Value::as_str).unwrap_or("POST");
    Ok(delivered.method(method).raw(request.get("body").and_then(Value::as_str).unwrap_or_default()))
}
