//! Triggers: section 3 of the language. One file for each type, and one line in the registry below.

mod activity_logged;
mod activity_overdue;
mod date;
mod email;
mod event;
mod field_updated;
mod fills;
mod interaction;
mod manual;
mod owner_changed;
mod record_archived;
mod record_created;
mod schedule;
mod stage_updated;
mod tag_changed;
mod webhook;
mod workflow_ended;

use serde::Deserialize;
use serde_json::{Map, Value};

pub use activity_logged::ActivityLogged;
pub use activity_overdue::ActivityOverdue;
pub use date::{Date, Offset};
pub use email::{BounceKind, Email, LinkPattern, MailEventKind, address_field};
pub use event::BusEvent;
pub use field_updated::{FieldUpdated, ValueTest};
pub use fills::{Fills, RecordMatch};
pub use interaction::{Interaction, is_interaction_kind};
pub use manual::Manual;
pub use owner_changed::OwnerChanged;
pub use record_archived::RecordArchived;
pub use record_created::{Appearance, RecordCreated};
pub use schedule::{CatchUp, Overlap, Schedule};
pub use stage_updated::StageUpdated;
pub use tag_changed::{TagChange, TagChanged};
pub(crate) use webhook::name_in as secret_name_in;
pub use webhook::{Encoding, HmacAlgorithm, HmacVerify, Secrets, TokenPlace, Verify, Webhook};
pub use workflow_ended::{EndStatus, OneOrMany, WorkflowEnded};

use crate::source::TextPlaces;
use crate::types::{Kinds, Type};
use crate::validate::Facts;
use crate::{Check, Expression, Object};

/// What holds for all triggers of a type, whatever their keys say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "facts that have nothing to do with each other")]
pub struct TypeFacts {
    /// A person, the API or another workflow starts executions by it: it waits for nothing.
    pub by_hand: bool,
    /// It recurs: what is stored of its next firing is written with the head of the workflow.
    pub recurs: bool,
    /// It fires around dates of records, each of which has an entry of its own.
    pub follows_dates: bool,
    /// It has an address of its own below that of the workflow, so that its id is unique in the whole file.
    pub has_address: bool,
    /// Its events bring results of executions on other records, or on none.
    pub brings_results: bool,
}

/// What every trigger type says of itself.
pub trait Listen {
    /// When it fires, as a sentence that begins with "when" goes on: "a record is created".
    fn words(&self) -> String;

    /// What holds for all triggers of this type.
    fn facts() -> TypeFacts
    where
        Self: Sized,
    {
        TypeFacts::default()
    }

    /// The values that events of a trigger of these keys bring. The keys may have mistakes.
    fn brings(_keys: &Map<String, Value>) -> Vec<&str>
    where
        Self: Sized,
    {
        Vec::new()
    }

    /// Whether a text is wanted at a place below the keys of a trigger. The keys may have mistakes.
    fn wants_text(_keys: &Value, _place: &[&str], _file: &TextPlaces<'_>) -> bool
    where
        Self: Sized,
    {
        false
    }

    /// The webhook that it is.
    fn webhook(&self) -> Option<&Webhook> {
        None
    }

    /// What its events are filled with before they start anything.
    fn fills(&self) -> Option<Fills<'_>> {
        None
    }

    /// The schedule that it is.
    fn schedule(&self) -> Option<&Schedule> {
        None
    }

    /// The date trigger that it is.
    fn date(&self) -> Option<&Date> {
        None
    }

    /// The trigger for overdue activities that it is.
    fn overdue(&self) -> Option<&ActivityOverdue> {
        None
    }

    /// The workflows that it names, each with the place below the trigger where it does.
    fn workflows(&self) -> Vec<(String, &str)> {
        Vec::new()
    }

    /// What its events have beside `type`, `id` and `occurred_at`, as expressions see them under `trigger`.
    fn event(&self, _facts: &Facts<'_>) -> Vec<(&'static str, Type)> {
        Vec::new()
    }

    /// What `trigger.type` of its events can be.
    fn event_types(&self, tag: &'static str) -> Vec<&'static str> {
        vec![tag]
    }

    /// Checks what the shape of its keys cannot say.
    fn check(&self, _cx: &mut Check<'_, '_>) {}
}

/// Defines [`TriggerKind`] and its registry from one line a type.
macro_rules! registry {
    ($($tag:literal => $variant:ident($shape:ty),)*) => {
        /// A trigger's type with its own keys.
        #[derive(Debug, Clone, PartialEq)]
        pub enum TriggerKind {
            $(#[doc = concat!("`", $tag, "`.")] $variant($shape),)*
        }

        impl TriggerKind {
            /// The types that this version carries out.
            pub const AVAILABLE: &'static [&'static str] = &[$($tag),*];

            /// Its tag in the language.
            pub fn tag(&self) -> &'static str {
                match self { $(Self::$variant(_) => $tag,)* }
            }

            /// What the type says of itself.
            pub fn shape(&self) -> &dyn Listen {
                match self { $(Self::$variant(shape) => shape,)* }
            }

            /// What holds for all triggers of a type; the default for a type that this version has not.
            pub fn facts_of(tag: &str) -> TypeFacts {
                match tag { $($tag => <$shape as Listen>::facts(),)* _ => TypeFacts::default() }
            }

            /// Whether a text is wanted at a place below the keys of a trigger.
            pub(crate) fn wants_text(tag: &str, keys: &Value, place: &[&str], file: &TextPlaces<'_>) -> bool {
                match tag { $($tag => <$shape as Listen>::wants_text(keys, place, file),)* _ => false }
            }

            /// The values that events of a trigger of these keys bring.
            pub fn brings<'a>(tag: &str, keys: &'a Map<String, Value>) -> Vec<&'a str> {
                match tag { $($tag => <$shape as Listen>::brings(keys),)* _ => Vec::new() }
            }

            /// Reads the own keys of a trigger of the given type; `None` for a type this version has not.
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
    "manual" => Manual(Manual),
    "webhook" => Webhook(Webhook),
    "record_created" => RecordCreated(RecordCreated),
    "field_updated" => FieldUpdated(FieldUpdated),
    "stage_updated" => StageUpdated(StageUpdated),
    "tag_changed" => TagChanged(TagChanged),
    "owner_changed" => OwnerChanged(OwnerChanged),
    "record_archived" => RecordArchived(RecordArchived),
    "schedule" => Schedule(Schedule),
    "event" => BusEvent(BusEvent),
    "workflow_ended" => WorkflowEnded(WorkflowEnded),
    "date" => Date(Date),
    "activity_logged" => ActivityLogged(ActivityLogged),
    "activity_overdue" => ActivityOverdue(ActivityOverdue),
    "interaction" => Interaction(Interaction),
    "email" => Email(Email),
}

impl TriggerKind {
    /// The trigger that each workflow has, whether it is written or not.
    pub fn always() -> Self {
        Self::Manual(Manual {})
    }

    /// What holds for all triggers of its type.
    pub fn facts(&self) -> TypeFacts {
        Self::facts_of(self.tag())
    }
}

/// Types of the language that this version knows by name only.
pub const NOT_AVAILABLE: &[&str] = &["form_submitted", "survey_submitted"];

/// What an event about a record has: each field that changed, with its value before and after.
fn changes(facts: &Facts<'_>) -> Vec<(&'static str, Type)> {
    let of_field = |object: &Object, name: &str| {
        let to = object.field(name).map_or_else(Type::any, |field| Type::of_field(&field));
        // A value from before may be of an option that the object has no more.
        let from = Type { words: None, element: None, ..to.clone() };
        Type::object([("from", from.or_null()), ("to", to.or_null())])
    };
    let changes = facts.object().map_or_else(
        || Type::of(Kinds::OBJECT),
        |object| Type::object(object.names().into_iter().map(|name| (name, of_field(object, name)))),
    );
    let truth = Type::of(Kinds::BOOLEAN);
    vec![("changes", changes), ("unarchived", truth.clone()), ("archived", truth)]
}

/// The keys that every trigger has.
pub const COMMON_KEYS: &[&str] = &["id", "type", "filter", "enabled"];

/// One trigger of a workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    /// Id, unique among the triggers of its workflow.
    pub id: String,
    /// Evaluated when the event is evaluated, against the record as it is then.
    pub filter: Option<Expression>,
    /// `enabled: false` switches it off.
    pub enabled: bool,
    /// Its type with own keys.
    pub kind: TriggerKind,
}

impl Trigger {
    /// When it fires, in words.
    pub(crate) fn words(&self) -> String {
        let filter = self.filter.as_ref().map_or(String::new(), |filter| format!(", if {}", filter.words()));
        format!("{}{filter}", self.kind.shape().words())
    }
}

impl<'de> Deserialize<'de> for Trigger {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let mut keys = Map::deserialize(deserializer)?;
        let mut take = |key: &str| keys.remove(key);
        let tag: String = take("type")
            .map(serde_json::from_value)
            .transpose()
            .map_err(D::Error::custom)?
            .ok_or_else(|| D::Error::missing_field("type"))?;
        let id = take("id")
            .map(serde_json::from_value)
            .transpose()
            .map_err(D::Error::custom)?
            .unwrap_or_else(|| tag.clone());
        let filter = take("filter").map(serde_json::from_value).transpose().map_err(D::Error::custom)?;
        let enabled =
            take("enabled").map(serde_json::from_value).transpose().map_err(D::Error::custom)?.unwrap_or(true);
        let kind = match TriggerKind::from_keys(&tag, Value::Object(keys)) {
            Some(kind) => kind.map_err(D::Error::custom)?,
            None if NOT_AVAILABLE.contains(&tag.as_str()) => {
                return Err(D::Error::custom(format!("trigger type {tag:?} is not available in this version")));
            }
            None => return Err(D::Error::unknown_variant(&tag, TriggerKind::AVAILABLE)),
        };
        Ok(Self { id, filter, enabled, kind })
    }
}

#[cfg(feature = "describe")]
impl schemars::JsonSchema for Trigger {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Trigger".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        // The editor's schema replaces this by one alternative a type; see `schema`.
        schemars::json_schema!({ "type": "object", "required": ["type"] })
    }
}
