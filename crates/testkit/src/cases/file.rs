//! The shape of a `*.cases.yaml` file.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::machines::{MachineScript, MachineStart};

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
    /// What models answer, in order; absent: no model is configured.
    #[serde(default)]
    pub(super) models: Option<Vec<ModelScript>>,
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
    /// A person acts on the execution.
    #[serde(default)]
    pub(super) control: Option<ControlWord>,
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

/// How an outside service answers a call.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HttpScript {
    /// Which calls it answers; absent: all.
    #[serde(default)]
    pub(super) when: CallTest,
    /// Its answer.
    #[serde(default)]
    pub(super) answer: Option<HttpAnswer>,
    /// Or why none comes.
    #[serde(default)]
    pub(super) fail: Option<HttpFailure>,
    /// How many calls it answers; absent: any number.
    #[serde(default)]
    pub(super) times: Option<u32>,
    /// How long it takes, `5s`.
    #[serde(default)]
    pub(super) takes: Option<String>,
}

/// Which calls an answer is for. All that is said must fit.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CallTest {
    /// Method.
    #[serde(default)]
    pub(super) method: Option<String>,
    /// URL as it is sent; without a query it is for every query; `*` stands for any text.
    #[serde(default)]
    pub(super) url: Option<String>,
    /// Body, or a part of it; of a form, an object of its fields.
    #[serde(default)]
    pub(super) body: Option<Value>,
}

/// An answer of an outside service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HttpAnswer {
    /// HTTP status.
    #[serde(default = "HttpAnswer::default_status")]
    #[schemars(range(min = 100, max = 599))]
    pub(super) status: u16,
    /// Headers; a list repeats one.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Texts>,
    /// Body.
    #[serde(default)]
    pub(super) body: Option<Value>,
}

/// A text, or a list of texts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Texts {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Texts {
    pub(super) fn each(&self) -> impl Iterator<Item = &str> {
        let texts = match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts.as_slice(),
        };
        texts.iter().map(String::as_str)
    }
}

impl HttpAnswer {
    fn default_status() -> u16 {
        200
    }
}

/// Why no answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum HttpFailure {
    /// No answer in time.
    Timeout,
    /// The service cannot be reached.
    Network,
    /// The address must not be called.
    Refused,
}

/// What a model answers to one call: exactly one of `answer`, `text`, `fail`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelScript {
    /// A structured answer.
    #[serde(default)]
    pub(super) answer: Option<Map<String, Value>>,
    /// Or a text, read as live: with thinking, fences and all.
    #[serde(default)]
    pub(super) text: Option<String>,
    /// Why the answer ended: `stop` if absent; `length` for one that is cut off.
    #[serde(default)]
    pub(super) finish_reason: Option<String>,
    /// What the provider says it took, `{prompt_tokens, completion_tokens}`; null: it does not say. Absent: 100 and 20.
    #[serde(default, deserialize_with = "said")]
    #[schemars(with = "Value")]
    pub(super) usage: Option<Value>,
    /// Or why none comes.
    #[serde(default)]
    pub(super) fail: Option<ModelFailure>,
}

/// A value that is there, null too.
fn said<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Why a model does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ModelFailure {
    /// No answer in time.
    Timeout,
    /// The provider cannot be reached.
    Network,
    /// The provider asks to come back later.
    Throttled,
    /// The provider failed.
    Server,
    /// The provider refused the request.
    Refused,
}

/// What must have come of a case.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    /// State of the execution.
    #[serde(default)]
    pub(super) status: Option<StatusWord>,
    /// The path: each step that ended, in order, as `id`, `id:branch`, `id:failed`, `id:skipped` or `id:moved`.
    #[serde(default)]
    pub(super) path: Option<Vec<String>>,
    /// Values of variables; of an object, the keys that are named.
    #[serde(default)]
    pub(super) variables: Map<String, Value>,
    /// Every execution that began, in order, each with what must have come of it; in place of `status`, `path`,
    /// `variables`, `failed_steps` and `error`, which are held against each.
    #[serde(default)]
    pub(super) executions: Option<Vec<ExpectExecution>>,
    /// By object all its records, in any order; of each, the fields that are named.
    #[serde(default)]
    pub(super) records: BTreeMap<String, Vec<Map<String, Value>>>,
    /// All calls of outside services, in order.
    #[serde(default)]
    pub(super) calls: Option<Vec<Call>>,
    /// All state machines that were started, in order.
    #[serde(default)]
    pub(super) state_machines: Option<Vec<MachineStart>>,
    /// Steps that failed for good.
    #[serde(default)]
    pub(super) failed_steps: Option<Vec<String>>,
    /// Code of the failure that ended it.
    #[serde(default)]
    pub(super) error: Option<String>,
    /// `false`: no execution began.
    #[serde(default)]
    pub(super) began: Option<bool>,
    /// The start was refused, or the delivery rejected, with this code.
    #[serde(default)]
    pub(super) refused: Option<String>,
}

impl Expect {
    /// What it says of an execution.
    pub(super) fn execution(&self) -> ExpectExecution {
        ExpectExecution {
            status: self.status,
            path: self.path.clone(),
            variables: self.variables.clone(),
            failed_steps: self.failed_steps.clone(),
            error: self.error.clone(),
        }
    }
}

/// What must have come of one execution.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectExecution {
    /// State of the execution.
    #[serde(default)]
    pub(super) status: Option<StatusWord>,
    /// The path: each step that ended, in order, as `id`, `id:branch`, `id:failed`, `id:skipped` or `id:moved`.
    #[serde(default)]
    pub(super) path: Option<Vec<String>>,
    /// Values of variables; of an object, the keys that are named.
    #[serde(default)]
    pub(super) variables: Map<String, Value>,
    /// Steps that failed for good.
    #[serde(default)]
    pub(super) failed_steps: Option<Vec<String>>,
    /// Code of the failure that ended it.
    #[serde(default)]
    pub(super) error: Option<String>,
}

/// A state of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum StatusWord {
    /// Has not begun.
    Queued,
    /// Runs.
    Running,
    /// Waits inside a step.
    Waiting,
    /// Waits for a person.
    Paused,
    /// Came to its end.
    Completed,
    /// Was canceled.
    Canceled,
    /// Failed.
    Failed,
}

/// A call of an outside service that must have been made.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    /// Method.
    #[serde(default)]
    pub(super) method: Option<String>,
    /// URL as it is sent, with its query; `*` stands for any text.
    #[serde(default)]
    pub(super) url: Option<String>,
    /// Some of its headers.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// Its body, or a part of it.
    #[serde(default)]
    pub(super) body: Option<Value>,
}
