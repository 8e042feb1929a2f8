//! The shape of a `*.cases.yaml` file: its cases and what happens in them.
//!
//! - [`answers`]: what is answered to them.
//! - [`expect`]: what must have come of them.

mod answers;
mod expect;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::children::ChildScript;
use super::cloud::CloudScript;
use super::ended::Ended;
use super::interaction::PostedInteraction;
use super::machines::MachineScript;
use super::mail::MailTold;
use super::outside_event::OutsideEvent;
use crate::cases::describe::JsonSchema;
pub(super) use answers::{CallTest, HttpAnswer, HttpFailure, HttpScript, ModelFailure, ModelScript};
pub(super) use expect::{Call, Expect, ExpectExecution, OutcomeWord, StatusWord, Told};

/// Test cases of one workflow.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseFile {
    /// The workflow's file, from this file's folder; absent: the one `*.workflow.yaml` of the folder.
    #[serde(default)]
    pub(super) workflow: Option<String>,
    /// Files of objects; absent: every `*.object.yaml` of the folder.
    #[serde(default)]
    pub(super) objects: Option<Vec<String>>,
    /// The time at which cases begin, RFC 3339; absent: 2026-01-01T00:00:00Z, a Thursday.
    #[serde(default)]
    pub(super) now: Option<String>,
    /// Secrets of every case, by name.
    #[serde(default)]
    pub(super) secrets: BTreeMap<String, String>,
    /// Records that are there in every case.
    #[serde(default)]
    pub(super) records: Vec<RecordThere>,
    /// Answers of outside services in every case, looked at after the case's own.
    #[serde(default)]
    pub(super) http: Vec<HttpScript>,
    /// What state machines do in every case, looked at after the case's own.
    #[serde(default)]
    pub(super) state_machines: Vec<MachineScript>,
    /// What services of the cloud do in every case, looked at after the case's own. Without an answer here an event goes to
    /// the workflow of the case if that listens for it, a message is taken, and the call of a function is a mistake of the case.
    #[serde(default)]
    pub(super) cloud: Vec<CloudScript>,
    /// What executions of other workflows come to in every case, in place of their steps. Workflows that are started and
    /// not named here are those of the folder.
    #[serde(default)]
    pub(super) children: Vec<ChildScript>,
    /// The cases.
    pub(super) cases: Vec<Case>,
}

/// One test case.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// What it shows, in words; unique in the file.
    pub(super) name: String,
    /// The time at which it begins, RFC 3339.
    #[serde(default)]
    pub(super) now: Option<String>,
    /// Secrets beside those of the file.
    #[serde(default)]
    pub(super) secrets: BTreeMap<String, String>,
    /// Records beside those of the file. Nobody hears of their creation.
    #[serde(default)]
    pub(super) records: Vec<RecordThere>,
    /// Answers of outside services: for each call, the first that fits and is not used up.
    #[serde(default)]
    pub(super) http: Vec<HttpScript>,
    /// What state machines do: for each start, the first that fits and is not used up.
    #[serde(default)]
    pub(super) state_machines: Vec<MachineScript>,
    /// What services of the cloud do: for each call, the first that fits and is not used up.
    #[serde(default)]
    pub(super) cloud: Vec<CloudScript>,
    /// What executions of other workflows come to, in place of their steps and of what the file says of them.
    #[serde(default)]
    pub(super) children: Vec<ChildScript>,
    /// What models answer, in order; absent: no model is configured.
    #[serde(default)]
    pub(super) models: Option<Vec<ModelScript>>,
    /// Executions that are open before the event: of workflows that steps of this one control.
    #[serde(default)]
    pub(super) open: Vec<OpenExecution>,
    /// Members whom steps chose last in their rounds, by step; absent: the first one is next.
    #[serde(default)]
    pub(super) positions: BTreeMap<String, String>,
    /// Members who are not active, beside those who are not in the files.
    #[serde(default)]
    pub(super) inactive: Vec<String>,
    /// Signals that were sent a moment before, and that nobody waited for.
    #[serde(default)]
    pub(super) signals: Vec<Signal>,
    /// What starts the workflow.
    pub(super) event: Happens,
    /// What happens later, in order.
    #[serde(default)]
    pub(super) then: Vec<Later>,
    /// Looks at the outcome this much later, `3d 2h`; absent: when nothing is under way any more.
    #[serde(default)]
    pub(super) look_after: Option<String>,
    /// What must have come of it. What is not said is not looked at.
    pub(super) expect: Expect,
}

/// An execution that is open before the event.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenExecution {
    /// Its workflow.
    pub(super) workflow: String,
    /// The record, `<object>/<id>`, or `<object>` if it has one only.
    #[serde(default)]
    pub(super) record: Option<String>,
    /// Values of variables.
    #[serde(default)]
    pub(super) values: Map<String, Value>,
    /// A person has paused it.
    #[serde(default)]
    pub(super) paused: bool,
}

/// A record that is there.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordThere {
    /// Its object.
    pub(super) object: String,
    /// Its id; absent: a fresh one.
    #[serde(default)]
    pub(super) id: Option<String>,
    /// Its fields.
    #[serde(default)]
    pub(super) fields: Map<String, Value>,
}

/// A record.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Whose {
    /// The record, `<object>/<id>`, or `<object>` if it has one only.
    pub(super) record: String,
}

/// Something that happens: exactly one of the keys.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Happens {
    /// A delivery on a webhook, its signature taken as right.
    #[serde(default)]
    pub(super) webhook: Option<Delivery>,
    /// A person or system starts it.
    #[serde(default)]
    pub(super) manual: Option<Start>,
    /// A record is created.
    #[serde(default)]
    pub(super) record_created: Option<RecordThere>,
    /// Fields of a record are changed.
    #[serde(default)]
    pub(super) field_updated: Option<Change>,
    /// A record is put into the archive.
    #[serde(default)]
    pub(super) record_archived: Option<Whose>,
    /// A record is taken out of the archive.
    #[serde(default)]
    pub(super) record_unarchived: Option<Whose>,
    /// Time passes up to the next firing of a schedule.
    #[serde(default)]
    pub(super) schedule: Option<NextFiring>,
    /// The event bus brings an event.
    #[serde(default)]
    pub(super) event: Option<OutsideEvent>,
    /// An execution of another workflow ends.
    #[serde(default)]
    pub(super) workflow_ended: Option<Ended>,
    /// Time passes up to the next firing of a date trigger.
    #[serde(default)]
    pub(super) date: Option<NextDate>,
    /// Somebody logs an activity about a record: the open one of its type that is due first, else a new one.
    #[serde(default)]
    pub(super) activity_logged: Option<LoggedActivity>,
    /// Time passes up to where an open activity about a record is overdue, or has been overdue for as long as a trigger says. If
    /// there is none, one is made that is due now.
    #[serde(default)]
    pub(super) activity_overdue: Option<OverdueActivity>,
    /// An interaction of a person is posted.
    #[serde(default)]
    pub(super) interaction: Option<PostedInteraction>,
    /// A provider tells what became of a message.
    #[serde(default)]
    pub(super) email: Option<MailTold>,
}

/// Something that happens later: a time, or one of the happenings, or both.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Later {
    /// This much later, `3d 2h`; absent: as soon as all that is due was done.
    #[serde(default)]
    pub(super) after: Option<String>,
    /// A delivery on a webhook, its signature taken as right.
    #[serde(default)]
    pub(super) webhook: Option<Delivery>,
    /// A person or system starts it.
    #[serde(default)]
    pub(super) manual: Option<Start>,
    /// A record is created.
    #[serde(default)]
    pub(super) record_created: Option<RecordThere>,
    /// Fields of a record are changed.
    #[serde(default)]
    pub(super) field_updated: Option<Change>,
    /// A record is put into the archive.
    #[serde(default)]
    pub(super) record_archived: Option<Whose>,
    /// A record is taken out of the archive.
    #[serde(default)]
    pub(super) record_unarchived: Option<Whose>,
    /// Time passes up to the next firing of a schedule.
    #[serde(default)]
    pub(super) schedule: Option<NextFiring>,
    /// The event bus brings an event.
    #[serde(default)]
    pub(super) event: Option<OutsideEvent>,
    /// An execution of another workflow ends.
    #[serde(default)]
    pub(super) workflow_ended: Option<Ended>,
    /// Time passes up to the next firing of a date trigger.
    #[serde(default)]
    pub(super) date: Option<NextDate>,
    /// Somebody logs an activity about a record: the open one of its type that is due first, else a new one.
    #[serde(default)]
    pub(super) activity_logged: Option<LoggedActivity>,
    /// Time passes up to where an open activity about a record is overdue, or has been overdue for as long as a trigger says. If
    /// there is none, one is made that is due now.
    #[serde(default)]
    pub(super) activity_overdue: Option<OverdueActivity>,
    /// An interaction of a person is posted.
    #[serde(default)]
    pub(super) interaction: Option<PostedInteraction>,
    /// A provider tells what became of a message.
    #[serde(default)]
    pub(super) email: Option<MailTold>,
    /// A signal is sent.
    #[serde(default)]
    pub(super) signal: Option<Signal>,
    /// A person acts on the execution.
    #[serde(default)]
    pub(super) control: Option<ControlWord>,
}

/// A signal that is sent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Signal {
    /// Its name.
    pub(super) name: String,
    /// Its key.
    pub(super) key: String,
    /// Its payload.
    #[serde(default)]
    pub(super) payload: Value,
}

/// A delivery on a webhook.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Delivery {
    /// Id of the trigger; absent: the one webhook of the workflow.
    #[serde(default)]
    pub(super) trigger: Option<String>,
    /// Method; absent: that of the file, else POST.
    #[serde(default)]
    pub(super) method: Option<String>,
    /// The body: sent as JSON, or as it is if a header `content-type` says that it is text.
    #[serde(default)]
    pub(super) body: Option<Value>,
    /// Headers.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// Query parameters.
    #[serde(default)]
    pub(super) query: BTreeMap<String, String>,
    /// A file with a whole request, as API Gateway hands it on; what is said beside it wins.
    #[serde(default)]
    pub(super) file: Option<String>,
}

/// A start by a person or system.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    /// The record, `<object>/<id>`, or `<object>` if it has one only.
    #[serde(default)]
    pub(super) record: Option<String>,
    /// Values of variables.
    #[serde(default)]
    pub(super) values: Map<String, Value>,
}

/// The next firing of a schedule.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NextFiring {
    /// Id of the trigger; absent: the schedule of the workflow that fires first.
    #[serde(default)]
    pub(super) trigger: Option<String>,
}

/// An activity that somebody logs.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LoggedActivity {
    /// Its type.
    pub(super) activity: String,
    /// The record that it is about, `<object>/<id>`, or `<object>` if it has one only.
    pub(super) record: String,
    /// Note for people.
    #[serde(default)]
    pub(super) note: Option<String>,
    /// Values by field.
    #[serde(default)]
    pub(super) fields: Map<String, Value>,
    /// Who logs it.
    #[serde(default)]
    pub(super) by: Option<String>,
}

/// An activity that becomes overdue.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OverdueActivity {
    /// Its type.
    pub(super) activity: String,
    /// The record that it is about, `<object>/<id>`, or `<object>` if it has one only.
    pub(super) record: String,
    /// The member who has to do it, of a new one.
    #[serde(default)]
    pub(super) assignee: Option<String>,
    /// Note for people, of a new one.
    #[serde(default)]
    pub(super) note: Option<String>,
    /// Values by field, of a new one.
    #[serde(default)]
    pub(super) fields: Map<String, Value>,
}

/// The next firing of a date trigger.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NextDate {
    /// Id of the trigger; absent: the date trigger of the workflow that fires first.
    #[serde(default)]
    pub(super) trigger: Option<String>,
    /// The record, `<object>/<id>`, or `<object>` if it has one only; absent: the one for which it fires first.
    #[serde(default)]
    pub(super) record: Option<String>,
}

/// A change of a record.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    /// The record, `<object>/<id>`, or `<object>` if it has one only.
    pub(super) record: String,
    /// Its fields that change; null empties one.
    pub(super) fields: Map<String, Value>,
}

/// What a person does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ControlWord {
    /// Holds it before its next step.
    Pause,
    /// Lets it go on.
    Resume,
    /// Ends it.
    Cancel,
    /// Tries the failed step again.
    Retry,
    /// Goes on as if the failed step were done.
    Skip,
    /// The same, on the branch `yes`.
    SkipYes,
    /// The same, on the branch `no`.
    SkipNo,
}
