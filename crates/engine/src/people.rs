//! People in decisions: who may own a record, and whom a step chooses.

use std::collections::BTreeMap;

use pawl_definition::{Among, Chooser, Definitions, Member, OWNER, Template, Who, value};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::steps::StepContext;
use crate::{StepCode, StepError, coerce};

/// Requires that the owner which a write gives a record is a member, if the installation defines members. An owner who stays
/// is not looked at: a member may be gone.
///
/// # Errors
/// It is none.
pub fn check_owner(
    definitions: &Definitions,
    before: Option<&Map<String, Value>>,
    after: &Map<String, Value>,
) -> Result<(), StepError> {
    let owner = |fields: &Map<String, Value>| fields.get(OWNER).and_then(Value::as_str).map(str::to_owned);
    let Some(owned_by) = owner(after).filter(|_| definitions.has_people()) else { return Ok(()) };
    if definitions.member(&owned_by).is_some() || before.and_then(owner).as_ref() == Some(&owned_by) {
        return Ok(());
    }
    let found = coerce::short(&owned_by.into());
    Err(StepError::new(StepCode::UnknownMember, format!("expected the id of a member, found {found}")).at(OWNER))
}

/// Requires that whom a person gives an activity is a member, if the installation defines members.
///
/// # Errors
/// It is none.
pub fn check_assignee(definitions: &Definitions, id: &str) -> Result<(), StepError> {
    is_inactive(definitions, id).map(|_| ()).map_err(|error| error.at("assignee"))
}

/// What a choice among members depends on, beside the members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeopleRead {
    /// Where the round of a step stands.
    Position {
        /// Workflow.
        workflow: String,
        /// Step.
        step: String,
    },
    /// How many records of an object each member owns.
    Loads {
        /// Object.
        object: String,
        /// The members.
        members: Vec<String>,
    },
}

impl PeopleRead {
    /// The record type that it reads.
    pub fn object(&self) -> Option<&str> {
        match self {
            Self::Position { .. } => None,
            Self::Loads { object, .. } => Some(object),
        }
    }
}

/// The answer to [`PeopleRead`]. Stored in rows, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeopleFound {
    /// Where the round stands.
    Position(SeenPosition),
    /// Number of records by member.
    Loads(BTreeMap<String, u64>),
}

/// Where the round of a step stands. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The member who was chosen last.
    pub last: String,
    /// Their place among those who could be chosen then, from 0.
    pub at: usize,
}

/// Where the round of a step stood when a decision read it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SeenPosition {
    /// Its version; 0 before the first choice.
    #[serde(rename = "v")]
    pub version: u64,
    /// It; none before the first choice.
    #[serde(flatten)]
    pub position: Option<Position>,
}

/// A step moves on in its round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PositionMove {
    /// Workflow.
    pub workflow: String,
    /// Step.
    pub step: String,
    /// The version that was read.
    pub version: u64,
    /// Where the round stands then.
    pub to: Position,
}

/// Whom a step chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    /// The member.
    pub(crate) member: String,
    /// What commits with the choice, if it is used.
    pub(crate) moves: Option<PositionMove>,
}

/// What must be read before a choice; `object` is the one of the records that get an owner.
pub(crate) fn read(who: &Who, at: &StepContext<'_>, object: Option<String>) -> Result<Option<PeopleRead>, StepError> {
    let Some(among) = who.among() else { return Ok(None) };
    let members = candidates(among, at)?;
    if members.is_empty() {
        return Ok(None);
    }
    Ok(match who {
        Who::Chosen(Chooser::LeastLoaded(_)) => object.map(|object| PeopleRead::Loads { object, members }),
        _ => Some(PeopleRead::Position { workflow: at.execution.workflow.clone(), step: at.step.id.clone() }),
    })
}

/// Chooses.
///
/// # Errors
/// Nobody is left, or what is given is no member.
pub(crate) fn choose(who: &Who, at: &StepContext<'_>, found: Option<&PeopleFound>) -> Result<Choice, StepError> {
    match who {
        Who::Value(value) | Who::Chosen(Chooser::Member(value)) => one(given(value, at)?, at),
        Who::Chosen(Chooser::Field(expression)) => one(text(&expression.evaluate(&at.scope())?), at),
        Who::Chosen(Chooser::Owner(_)) => one(at.cx.record.and_then(|record| text(record.fields.get(OWNER)?)), at),
        Who::Chosen(Chooser::Members(members)) => first(listed(members, at)?),
        Who::Chosen(Chooser::Team(team)) => first(in_team(at, team)),
        Who::Chosen(Chooser::RoundRobin(among)) => next(&candidates(among, at)?, at, found),
        Who::Chosen(Chooser::LeastLoaded(among)) => least_loaded(candidates(among, at)?, found),
    }
}

/// Whom a template names; `None` if it is blank.
fn given(value: &Template, at: &StepContext<'_>) -> Result<Option<String>, StepError> {
    Ok(text(&value.resolve(&at.scope())?))
}

fn text(value: &Value) -> Option<String> {
    if coerce::is_blank(value) { None } else { member_id(&value::text_of(value)) }
}

/// The id of a member as it is kept: without the white space around it, an address in lower case; `None` if it is blank.
pub fn member_id(text: &str) -> Option<String> {
    let id = value::email(text).unwrap_or_else(|| text.trim().to_owned());
    (!id.is_empty()).then_some(id)
}

fn nobody(why: String) -> StepError {
    StepError::new(StepCode::NobodyToChoose, why)
}

/// A member who is named, if they can be chosen.
fn one(id: Option<String>, at: &StepContext<'_>) -> Result<Choice, StepError> {
    let id = id.ok_or_else(|| nobody("expected a member, found a blank value".to_owned()))?;
    if is_inactive(at.cx.definitions, &id)? {
        return Err(nobody(format!("expected a member who is active, found {id:?}, who is not")));
    }
    Ok(Choice { member: id, moves: None })
}

/// Whether a member is not active. Where no members are defined, everybody is.
fn is_inactive(definitions: &Definitions, id: &str) -> Result<bool, StepError> {
    if !definitions.has_people() {
        return Ok(false);
    }
    let unknown = || StepError::new(StepCode::UnknownMember, format!("expected the id of a member, found {id:?}"));
    Ok(!definitions.member(id).ok_or_else(unknown)?.active)
}

/// Those who can be chosen, in their order.
fn candidates(among: &Among, at: &StepContext<'_>) -> Result<Vec<String>, StepError> {
    match among {
        Among::Everyone => Ok(active(at.cx.definitions.members())),
        Among::Team(team) => Ok(in_team(at, team)),
        Among::Members(members) => listed(members, at),
    }
}

fn active<'m>(members: impl Iterator<Item = &'m Member>) -> Vec<String> {
    members.filter(|member| member.active).map(|member| member.id.clone()).collect()
}

fn in_team(at: &StepContext<'_>, team: &str) -> Vec<String> {
    active(at.cx.definitions.members_of(team))
}

/// Those of a list who are active, each once.
fn listed(members: &[Template], at: &StepContext<'_>) -> Result<Vec<String>, StepError> {
    let mut all = Vec::new();
    for member in members {
        let Some(id) = given(member, at)? else { continue };
        if !all.contains(&id) && !is_inactive(at.cx.definitions, &id)? {
            all.push(id);
        }
    }
    Ok(all)
}

fn nobody_active() -> StepError {
    nobody("expected at least one active member to choose among, found none".to_owned())
}

fn first(members: Vec<String>) -> Result<Choice, StepError> {
    let member = members.into_iter().next().ok_or_else(nobody_active)?;
    Ok(Choice { member, moves: None })
}

/// The member after the one who was chosen last. If that one cannot be chosen any more, it is who stands in their place now.
fn next(members: &[String], at: &StepContext<'_>, found: Option<&PeopleFound>) -> Result<Choice, StepError> {
    if members.is_empty() {
        return Err(nobody_active());
    }
    let nothing = SeenPosition::default();
    let seen = match found {
        Some(PeopleFound::Position(seen)) => seen,
        _ => &nothing,
    };
    let place = seen.position.as_ref().map_or(0, |position| {
        let last = members.iter().position(|member| *member == position.last);
        last.map_or(position.at, |last| last + 1) % members.len()
    });
    let member = members[place].clone();
    let moves = PositionMove {
        workflow: at.execution.workflow.clone(),
        step: at.step.id.clone(),
        version: seen.version,
        to: Position { last: member.clone(), at: place },
    };
    Ok(Choice { member, moves: Some(moves) })
}

/// The member with the fewest records; of several the first.
fn least_loaded(members: Vec<String>, found: Option<&PeopleFound>) -> Result<Choice, StepError> {
    let load = |member: &String| match found {
        Some(PeopleFound::Loads(loads)) => loads.get(member).copied().unwrap_or_default(),
        _ => 0,
    };
    let member = members.into_iter().min_by_key(load).ok_or_else(nobody_active)?;
    Ok(Choice { member, moves: None })
}
