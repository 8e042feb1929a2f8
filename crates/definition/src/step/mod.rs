//! Steps: section 5 of the language. One file for each type, and one line in the registry below.

mod about_records;
mod archive_record;
mod assign_owner;
mod branch;
mod call_llm;
mod cancel_activities;
mod change_tags;
mod condition;
mod control_workflow;
mod create_activity;
mod create_record;
mod delay;
mod find_records;
mod for_each;
mod go_to;
mod goal;
mod http_request;
mod invoke_function;
mod link_records;
mod log_activity;
mod note;
mod publish_event;
mod record_reads;
mod run_state_machine;
mod send_message;
mod send_signal;
mod set_fields;
mod set_stage;
mod set_variables;
mod shape;
mod signal_name;
mod start_workflow;
mod stop;
mod switch;
mod targets;
mod unarchive_record;
mod wait_for_signal;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use about_records::of_activity;
pub use about_records::{NewActivity, relationship};
pub use archive_record::ArchiveRecord;
pub use assign_owner::AssignOwner;
pub use branch::{Join, LaneFailed, Lanes, Merge};
pub use call_llm::{AnswerShape, CallLlm, OutputField};
pub use cancel_activities::CancelActivities;
pub use change_tags::ChangeTags;
pub use condition::Condition;
pub use control_workflow::{ControlDo, ControlWorkflow};
pub use create_activity::{CreateActivity, is_date_alone};
pub use create_record::{CreateRecord, LinkTo, OnArchived, OnDuplicate};
pub use delay::Delay;
pub use find_records::{FieldTest, FindRecords, Limit};
pub use for_each::{ForEach, ITEMS_MOST, ItemFailed};
pub use go_to::GoTo;
pub use goal::{Goal, IfPast};
pub use http_request::{CLIENT_HEADERS, FORM, Follow, HmacSign, HttpRequest, SecretName, Sign};
pub use invoke_function::{InvokeFunction, is_function};
pub use link_records::LinkRecords;
pub use log_activity::LogActivity;
pub use note::Note;
pub use publish_event::{EVENT_NAME_MOST, PublishEvent, is_event_name, is_event_source};
pub use record_reads::{after_record, looked_up, names_after_record};
pub use run_state_machine::RunStateMachine;
pub use send_message::{MESSAGE_DELAY_MOST_S, SendMessage, is_fifo, is_message_group, is_queue, is_topic};
pub use send_signal::SendSignal;
pub use set_fields::{FieldChange, SetFields};
pub use set_stage::SetStage;
pub use set_variables::SetVariables;
pub use shape::{
    AsksModel, Awaited, AwaitedSignal, Branch, Carried, Controlled, NamedWorkflow, Onward, RegionKind, RunsOn, Shape,
    TypeFacts, Waiting,
};
pub use signal_name::{SIGNAL_KEY_MOST, is_signal_key, is_signal_name};
pub use start_workflow::{StartWorkflow, WorkflowStart};
pub use stop::{Stop, StopAs};
pub use switch::Switch;
pub use unarchive_record::UnarchiveRecord;
pub use wait_for_signal::WaitForSignal;

use self::record_reads::RecordReads;
use crate::describe::JsonSchema;
use crate::source::TextPlaces;
use crate::{Duration, Failure, OWNER, Template};

/// The name in history of the steps that follow a failure.
pub const FAILED: &str = "failed";

/// Defines [`StepKind`] and its registry from one line a type.
macro_rules! registry {
    ($($tag:literal => $variant:ident($shape:ty),)*) => {
        /// A step's type with its own keys.
        #[derive(Debug, Clone, PartialEq)]
        pub enum StepKind {
            $(#[doc = concat!("`", $tag, "`.")] $variant($shape),)*
        }

        impl StepKind {
            /// The types that this version carries out.
            pub const AVAILABLE: &'static [&'static str] = &[$($tag),*];

            /// Its tag in the language.
            pub fn tag(&self) -> &'static str {
                match self { $(Self::$variant(_) => $tag,)* }
            }

            /// What the type says of itself.
            pub fn shape(&self) -> &dyn Shape {
                match self { $(Self::$variant(shape) => shape,)* }
            }

            /// What holds for all steps of a type; plain for a type that this version has not.
            pub fn facts_of(tag: &str) -> TypeFacts {
                match tag { $($tag => <$shape as Shape>::facts(),)* _ => TypeFacts::PLAIN }
            }

            /// Whether a step of these keys waits for others.
            pub fn waits_for_others(tag: &str, keys: &Map<String, Value>) -> bool {
                match tag { $($tag => <$shape as Shape>::waits_for_others(keys),)* _ => false }
            }

            /// Whether a text is wanted at a place below the keys of a step.
            pub(crate) fn wants_text(tag: &str, keys: &Value, place: &[&str], file: &TextPlaces<'_>) -> bool {
                match tag { $($tag => <$shape as Shape>::wants_text(keys, place, file),)* _ => false }
            }

            /// The variables that a step of these keys sets.
            pub fn sets<'a>(tag: &str, keys: &'a Map<String, Value>) -> Vec<&'a str> {
                match tag { $($tag => <$shape as Shape>::sets(keys),)* _ => Vec::new() }
            }

            /// Reads the own keys of a step of the given type; `None` for a type this version has not.
            pub fn from_keys(tag: &str, keys: Value) -> Option<Result<Self, serde_json::Error>> {
                match tag {
                    $($tag => Some(serde_json::from_value(keys).map(Self::$variant)),)*
                    _ => None,
                }
            }

            /// JSON Schemas of the own keys, by type.
            #[cfg(feature = "describe")]
            pub(crate) fn schemas(generator: &mut schemars::SchemaGenerator) -> Vec<(&'static str, schemars::Schema)> {
                vec![$(($tag, <$shape as schemars::JsonSchema>::json_schema(generator))),*]
            }
        }
    };
}

registry! {
    "condition" => Condition(Condition),
    "switch" => Switch(Switch),
    "branch" => Branch(Lanes),
    "for_each" => ForEach(ForEach),
    "set_variables" => SetVariables(SetVariables),
    "set_fields" => SetFields(SetFields),
    "set_stage" => SetStage(SetStage),
    "change_tags" => ChangeTags(ChangeTags),
    "assign_owner" => AssignOwner(AssignOwner),
    "archive_record" => ArchiveRecord(ArchiveRecord),
    "unarchive_record" => UnarchiveRecord(UnarchiveRecord),
    "link_records" => LinkRecords(LinkRecords),
    "create_record" => CreateRecord(CreateRecord),
    "find_records" => FindRecords(FindRecords),
    "create_activity" => CreateActivity(CreateActivity),
    "log_activity" => LogActivity(LogActivity),
    "cancel_activities" => CancelActivities(CancelActivities),
    "http_request" => HttpRequest(HttpRequest),
    "delay" => Delay(Delay),
    "goal" => Goal(Goal),
    "go_to" => GoTo(GoTo),
    "stop" => Stop(Stop),
    "note" => Note(Note),
    "call_llm" => CallLlm(CallLlm),
    "run_state_machine" => RunStateMachine(RunStateMachine),
    "invoke_function" => InvokeFunction(InvokeFunction),
    "publish_event" => PublishEvent(PublishEvent),
    "send_message" => SendMessage(SendMessage),
    "start_workflow" => StartWorkflow(StartWorkflow),
    "control_workflow" => ControlWorkflow(ControlWorkflow),
    "wait_for_signal" => WaitForSignal(WaitForSignal),
    "send_signal" => SendSignal(SendSignal),
}

impl StepKind {
    /// What holds for all steps of its type.
    pub fn facts(&self) -> TypeFacts {
        Self::facts_of(self.tag())
    }

    /// Whether it has effects outside Pawl, so that it is claimed first and retried by default.
    pub fn reaches_outside(&self) -> bool {
        self.facts().outside.is_some()
    }

    /// Whether a type takes a common key: every type takes most of them.
    pub fn takes_common(tag: &str, key: &str) -> bool {
        !["take", "timeout", "delivery"].contains(&key) || Self::facts_of(tag).common_keys.contains(&key)
    }
}

/// Types of the language that this version knows by name only.
pub const NOT_AVAILABLE: &[&str] = &[
    "notify",
    "send_email",
    "send_text",
    "request_info",
    "approval",
    "code",
    "decide",
    "extract_file",
    "transcribe_audio",
    "validate",
    "agent",
];

/// The keys that every step has.
pub const COMMON_KEYS: &[&str] =
    &["id", "type", "name", "skip", "take", "timeout", "on_failure", "save_as", "delivery"];

/// Which path a skipped condition or goal takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Take {
    /// `yes`, `met` of a goal, or `received` of a wait for a signal.
    Yes,
    /// `no`, `unmet` of a goal, or `timed_out` of a wait for a signal.
    No,
}

/// What is promised about an effect outside after a crash in the middle of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// It is tried again, with the same idempotency key.
    #[default]
    AtLeastOnce,
    /// It is not tried again; the step fails with `outcome_unknown`.
    AtMostOnce,
}

/// The keys that every step has, as the editor's schema sees them.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub struct Common {
    /// Id, unique in the workflow; history and go-to targets use it.
    #[schemars(regex(pattern = r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$"))]
    pub id: String,
    /// Name for people.
    #[serde(default)]
    pub name: Option<String>,
    /// The step is not carried out.
    #[serde(default)]
    pub skip: bool,
    /// Which path a skipped condition or goal takes.
    #[serde(default)]
    pub take: Option<Take>,
    /// Longest time of one attempt; of a goal, and of a signal, a state machine or workflows that are waited for: of the
    /// wait (`never`, a duration, or a date and time).
    #[serde(default)]
    pub timeout: Option<Template>,
    /// Failure policy.
    #[serde(default)]
    pub on_failure: Option<Failure>,
    /// Variable that takes the output.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[a-z_][a-z0-9_]*$"))]
    pub save_as: Option<String>,
    /// Promise about effects outside.
    #[serde(default)]
    pub delivery: Delivery,
}

/// One step of a workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Id, unique in the workflow.
    pub id: String,
    /// Name for people.
    pub name: Option<String>,
    /// The step is not carried out.
    pub skip: bool,
    /// Which path a skipped condition or goal takes.
    pub take: Option<Take>,
    /// Longest time of one attempt; of a goal, and of a signal or a state machine that is waited for: of the wait.
    pub timeout: Option<Template>,
    /// Failure policy.
    pub on_failure: Option<Failure>,
    /// Variable that takes the output.
    pub save_as: Option<String>,
    /// Promise about effects outside.
    pub delivery: Delivery,
    /// Its type with own keys.
    pub kind: StepKind,
    /// Names that follow `record.` anywhere in its own keys or its time-out: the related records it may read are among
    /// them.
    pub record_reads: BTreeSet<String>,
    /// Whether `record` stands anywhere in its own keys or its time-out.
    pub reads_record: bool,
    /// The paths after `record` that it reads, as its expressions say them: an empty one is the whole record.
    pub record_paths: BTreeSet<Vec<String>>,
    /// Whether it asks for a group.
    pub reads_groups: bool,
    /// Objects of which it looks records up; an empty one stands for all.
    pub looks_up: BTreeSet<String>,
    /// Ids that follow `steps.` in its own keys or its time-out; an empty one stands for all steps.
    pub steps_read: BTreeSet<String>,
}

impl Step {
    /// Its branches, the steps that follow a failure last.
    pub fn branches(&self) -> Vec<Branch<'_>> {
        let mut branches = self.kind.shape().branches();
        if let Some(steps) = self.failure_steps() {
            branches.push(Branch::new(FAILED, "on_failure.then", steps));
        }
        branches
    }

    /// The branch of its type of a name; what follows a failure is none of these, so that a case may be called so.
    pub fn branch(&self, name: &str) -> Option<&[Step]> {
        self.kind.shape().branches().into_iter().find(|branch| branch.name == name).map(|branch| branch.steps)
    }

    /// The steps that follow its failure, by its own policy.
    pub fn failure_steps(&self) -> Option<&[Step]> {
        self.on_failure.as_ref().and_then(Failure::steps)
    }

    /// Its longest time of one attempt, if written as a plain duration.
    pub fn timeout_duration(&self) -> Option<Duration> {
        self.timeout.as_ref()?.literal().and_then(|value| Duration::from_value(value).ok())
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let mut own = Map::deserialize(deserializer)?;
        let mut common = Map::new();
        for key in COMMON_KEYS {
            if let Some(value) = own.remove(*key) {
                common.insert((*key).to_owned(), value);
            }
        }
        let Some(Value::String(tag)) = common.remove("type") else {
            return Err(D::Error::missing_field("type"));
        };
        let common: Common = serde_json::from_value(Value::Object(common)).map_err(D::Error::custom)?;
        let own = Value::Object(own);
        let mut reads = RecordReads::of(&own);
        if let Some(timeout) = &common.timeout {
            reads.scan(timeout.source());
        }
        let kind = match StepKind::from_keys(&tag, own) {
            Some(kind) => kind.map_err(|error| D::Error::custom(format!("step {:?}: {error}", common.id)))?,
            None if NOT_AVAILABLE.contains(&tag.as_str()) => {
                return Err(D::Error::custom(format!("step type {tag:?} is not available in this version")));
            }
            None => return Err(D::Error::unknown_variant(&tag, StepKind::AVAILABLE)),
        };
        if kind.shape().changes_own_record() {
            reads.any = true;
            reads.paths.insert(Vec::new());
        }
        let Common { id, name, skip, take, timeout, on_failure, save_as, delivery } = common;
        if kind.shape().reads_owner() {
            reads.any = true;
            reads.paths.insert(vec![OWNER.to_owned()]);
        }
        Ok(Self {
            id,
            name,
            skip,
            take,
            timeout,
            on_failure,
            save_as,
            delivery,
            kind,
            record_reads: reads.names,
            reads_record: reads.any,
            record_paths: reads.paths,
            reads_groups: reads.groups,
            looks_up: reads.lookups,
            steps_read: reads.steps,
        })
    }
}

#[cfg(feature = "describe")]
impl JsonSchema for Step {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Step".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        // The editor's schema replaces this by one alternative a type; see `schema`.
        schemars::json_schema!({ "type": "object", "required": ["id", "type"] })
    }
}
