//! WHO: how a step chooses a person.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::describe::JsonSchema;
use crate::expression::listed;
use crate::kind::{check_member, check_team};
use crate::path::Path;
use crate::problem::code;
use crate::types::Kinds;
use crate::validate::words::{self, found};
use crate::{Check, DefinitionKind, Expression, ExpressionError, Field, FieldType, Template};

/// How a step chooses a member: an id or a template that gives one, or a [`Chooser`].
#[derive(Debug, Clone, PartialEq)]
pub enum Who {
    /// The id of a member.
    Value(Template),
    /// A way to choose.
    Chosen(Chooser),
}

/// A way to choose a member.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Chooser {
    /// This member.
    Member(Template),
    /// The first of these who is active.
    Members(Vec<Template>),
    /// CEL that gives the id of a member.
    Field(Expression),
    /// The owner of this record.
    Owner(bool),
    /// The first member of the team who is active.
    Team(String),
    /// One after the other, each time that the step is carried out.
    RoundRobin(Among),
    /// Who owns the fewest records of the object, archived ones left aside.
    LeastLoaded(Among),
}

/// The members among whom is chosen.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Among {
    /// All members.
    Everyone,
    /// Those of a team.
    Team(String),
    /// These.
    Members(Vec<Template>),
}

const KEYS: &[&str] = &["member", "members", "field", "owner", "team", "round_robin", "least_loaded"];

#[cfg(feature = "describe")]
impl JsonSchema for Who {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Who".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (chooser, value) = (generator.subschema_for::<Chooser>(), generator.subschema_for::<Template>());
        schemars::json_schema!({ "anyOf": [chooser, value] })
    }
}

impl<'de> Deserialize<'de> for Who {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let value = Value::deserialize(deserializer)?;
        let key = value.as_object().filter(|keys| keys.len() == 1).and_then(|keys| keys.keys().next());
        if key.is_some_and(|key| KEYS.contains(&key.as_str())) {
            return serde_json::from_value(value).map(Self::Chosen).map_err(D::Error::custom);
        }
        Template::parse(&value).map(Self::Value).map_err(|error: ExpressionError| D::Error::custom(error))
    }
}

impl Among {
    fn words(&self) -> String {
        match self {
            Self::Everyone => "everyone".to_owned(),
            Self::Team(team) => format!("the team {team}"),
            Self::Members(members) => listed(members.iter().map(Template::words), "and"),
        }
    }
}

impl Who {
    /// Those among whom it chooses anew each time.
    pub fn among(&self) -> Option<&Among> {
        match self {
            Self::Chosen(Chooser::RoundRobin(among) | Chooser::LeastLoaded(among)) => Some(among),
            _ => None,
        }
    }

    /// Whom it chooses, in words.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Value(member) | Self::Chosen(Chooser::Member(member)) => member.words(),
            Self::Chosen(Chooser::Members(members)) => {
                format!("the first of {} who is active", listed(members.iter().map(Template::words), "and"))
            }
            Self::Chosen(Chooser::Field(field)) => field.words(),
            Self::Chosen(Chooser::Owner(_)) => "the owner of the record".to_owned(),
            Self::Chosen(Chooser::Team(team)) => format!("somebody of the team {team}"),
            Self::Chosen(Chooser::RoundRobin(among)) => format!("the next in turn of {}", among.words()),
            Self::Chosen(Chooser::LeastLoaded(among)) => format!("who owns the fewest of {}", among.words()),
        }
    }

    /// Whether it reads the owner of the execution's record.
    pub(crate) fn reads_owner(&self) -> bool {
        matches!(self, Self::Chosen(Chooser::Owner(_)))
    }

    /// Checks what its shape cannot say.
    pub(crate) fn check(&self, path: &Path, cx: &mut Check<'_, '_>) {
        match self {
            Self::Value(value) => a_member(value, path, cx),
            Self::Chosen(Chooser::Member(value)) => a_member(value, &path.key("member"), cx),
            Self::Chosen(Chooser::Members(members)) => some(members, &path.key("members"), cx),
            Self::Chosen(Chooser::Field(expression)) => {
                cx.gives(expression, Kinds::TEXT, "the id of a member", &path.key("field"));
            }
            Self::Chosen(Chooser::Owner(truth)) => owner(*truth, &path.key("owner"), cx),
            Self::Chosen(Chooser::Team(team)) => check_team(cx.report, cx.facts.around, team, &path.key("team")),
            Self::Chosen(Chooser::RoundRobin(members)) => among(members, &path.key("round_robin"), cx),
            Self::Chosen(Chooser::LeastLoaded(members)) => among(members, &path.key("least_loaded"), cx),
        }
    }
}

fn a_member(value: &Template, path: &Path, cx: &mut Check<'_, '_>) {
    match value.literal() {
        None if value.source().is_string() => cx.field_takes(&Field::of(FieldType::Member), value, path),
        Some(Value::String(id)) if id.trim().is_empty() => {
            cx.error(code::BLANK_VALUE, path, "expected the id of a member, found an empty text");
        }
        Some(Value::String(id)) => check_member(cx.report, cx.facts.around, id, path),
        _ => no_chooser(value.source(), path, cx),
    }
}

/// What is written is neither an id nor a way to choose.
fn no_chooser(value: &Value, path: &Path, cx: &mut Check<'_, '_>) {
    let keys: Vec<_> = value.as_object().into_iter().flat_map(|keys| keys.keys().map(String::as_str)).collect();
    let all = || KEYS.iter().copied();
    match keys.as_slice() {
        [] => {
            let expected = format!("the id of a member, or a mapping with {}", words::any_of(all()));
            cx.error(code::WRONG_TYPE, path, format!("expected {expected}, found {}", found(value)));
        }
        [one] if !KEYS.contains(one) => {
            let message = format!("unknown key {}; expected one of {}", words::quoted(one), words::any_of(all()));
            cx.error_at_key(code::UNKNOWN_KEY, &path.key(one), message).suggest(words::did_you_mean(one, all()));
        }
        keys => {
            let keys = keys.join(", ");
            let message = format!("expected exactly one of the keys {}, found {keys}", words::any_of(all()));
            cx.error(code::EXACTLY_ONE, path, message);
        }
    }
}

fn some(members: &[Template], path: &Path, cx: &mut Check<'_, '_>) {
    if members.is_empty() {
        cx.error(code::INVALID_VALUE, path, "expected at least one member, found none");
    }
    for (at, member) in members.iter().enumerate() {
        a_member(member, &path.index(at), cx);
        if members[..at].contains(member) {
            let message = format!("expected each member once, found {} again", found(member.source()));
            cx.error(code::DUPLICATE_ID, &path.index(at), message);
        }
    }
}

fn owner(truth: bool, path: &Path, cx: &mut Check<'_, '_>) {
    if !truth {
        cx.error(code::INVALID_VALUE, path, "expected `owner: true`, found false");
    } else if cx.facts.object_id.is_none() {
        let message = "expected a workflow with an `object`, found a global one: there is no record that has an owner";
        cx.error(code::NO_RECORD, path, message);
    }
}

fn among(members: &Among, path: &Path, cx: &mut Check<'_, '_>) {
    match members {
        Among::Everyone => {
            let around = cx.facts.around;
            let is_known = !around.has_broken(DefinitionKind::People);
            if around.definitions.filter(|_| is_known).is_some_and(|all| all.members().next().is_none()) {
                let message = "expected members in a file `*.people.yaml`, found none to choose among";
                cx.error(code::UNKNOWN_MEMBER, path, message);
            }
        }
        Among::Team(team) => check_team(cx.report, cx.facts.around, team, &path.key("team")),
        Among::Members(members) => some(members, &path.key("members"), cx),
    }
}
