//! `*.people.yaml`: the members of an installation, who own records and are asked, and their teams.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{DefinitionKind, Definitions, Kind, KindCheck};
use crate::describe::JsonSchema;
use crate::path::Path;
use crate::problem::code;
use crate::validate::{Report, literal, words};
use crate::{Around, FieldType};

/// The keys of a member that tell of the person. Decisions read none of them, and only the present file has them.
const PERSONAL: &[&str] = &["name", "email", "phone"];

/// The id of people files that say none.
const DEFAULT_ID: &str = "people";

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Id: lower-case letters, digits and `._+@-`. An e-mail address may be one.
    #[serde(rename = "member")]
    #[schemars(regex(pattern = r"^[a-z0-9_][a-z0-9._+@-]{0,127}$"))]
    pub id: String,
    /// Name.
    #[serde(default)]
    pub name: Option<String>,
    /// E-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// Telephone number.
    #[serde(default)]
    pub phone: Option<String>,
    /// Ids of the teams that the member belongs to.
    #[serde(default)]
    pub teams: Vec<String>,
    /// A member who is not active keeps what they own, and is not chosen.
    #[serde(default = "yes")]
    pub active: bool,
}

/// Members who do the same work.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// Id, `[a-z0-9_-]{1,64}`.
    #[serde(rename = "team")]
    #[schemars(regex(pattern = r"^[a-z0-9_-]{1,64}$"))]
    pub id: String,
    /// Name for people.
    #[serde(default)]
    pub name: Option<String>,
}

/// Members and teams, as written in a `*.people.yaml` file. Those of all files count together.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct People {
    /// Id, `[a-z0-9_-]{1,64}`; `people` if absent.
    #[serde(rename = "people", default = "default_id")]
    #[schemars(regex(pattern = r"^[a-z0-9_-]{1,64}$"))]
    pub id: String,
    /// Name for people.
    #[serde(default)]
    pub name: Option<String>,
    /// The members.
    #[serde(default)]
    pub members: Vec<Member>,
    /// The teams.
    #[serde(default)]
    pub teams: Vec<Team>,
}

fn yes() -> bool {
    true
}

fn default_id() -> String {
    DEFAULT_ID.to_owned()
}

impl Kind for People {
    const DEFAULT_ID: Option<&'static str> = Some(DEFAULT_ID);

    fn check(file: &Value, check: &mut KindCheck<'_, '_>) {
        let id = file.get("people").and_then(Value::as_str).unwrap_or(DEFAULT_ID);
        let others = || check.around.definitions.into_iter().flat_map(move |all| all.people_beside(id));
        let members: BTreeSet<_> = others().flat_map(|file| &file.members).map(|member| member.id.clone()).collect();
        let teams: BTreeSet<_> = others().flat_map(|file| &file.teams).map(|team| team.id.clone()).collect();
        let teams = each_once(file, ("teams", "team"), teams, check.report);
        each_once(file, ("members", "member"), members, check.report);
        let knows_teams = !check.around.has_broken(DefinitionKind::People);
        for (path, keys) in entries(file, "members") {
            reachable(keys, &path, check.report);
            if knows_teams {
                in_teams(keys, &path, &teams, check.report);
            }
        }
    }

    fn depends(&self) -> Value {
        let member = |member: &Member| serde_json::json!({"member": member.id, "teams": member.teams});
        let team = |team: &Team| serde_json::json!({"team": team.id});
        let (members, teams): (Vec<_>, Vec<_>) =
            (self.members.iter().map(member).collect(), self.teams.iter().map(team).collect());
        serde_json::json!({"people": self.id, "members": members, "teams": teams})
    }

    /// Without what tells of the persons: it goes when the file is saved without it.
    fn decided_on(file: &Value) -> Value {
        let mut file = file.clone();
        for member in file.get_mut("members").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(member) = member.as_object_mut() {
                member.retain(|key, _| !PERSONAL.contains(&key.as_str()));
            }
        }
        file
    }
}

/// The mappings of a list with their places.
fn entries<'a>(file: &'a Value, list: &'static str) -> impl Iterator<Item = (Path, &'a Map<String, Value>)> {
    let values = file.get(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let place = move |(at, value): (usize, &'a Value)| Some((Path::root().key(list).index(at), value.as_object()?));
    values.iter().enumerate().filter_map(place)
}

/// Demands that each id stands once, in this file and in others; gives them all.
fn each_once(
    file: &Value,
    (list, word): (&'static str, &str),
    mut known: BTreeSet<String>,
    report: &mut Report<'_>,
) -> BTreeSet<String> {
    for (path, keys) in entries(file, list) {
        let Some(id) = keys.get(word).and_then(Value::as_str) else { continue };
        if !known.insert(id.to_owned()) {
            let message = format!("expected each {word} once, found {} again", words::quoted(id));
            report.error(code::DUPLICATE_ID, &path.key(word), message);
        }
    }
    known
}

/// The addresses of a member.
fn reachable(keys: &Map<String, Value>, path: &Path, report: &mut Report<'_>) {
    for (key, kind) in [("email", FieldType::Email), ("phone", FieldType::Phone)] {
        let Some(value) = keys.get(key).filter(|value| value.is_string()) else { continue };
        if !literal::takes(kind, &[], value) {
            let message = format!("expected {}, found {}", literal::expected(kind, &[]), words::found(value));
            report.error(code::INVALID_VALUE, &path.key(key), message);
        }
    }
}

/// The teams of a member, which must be there.
fn in_teams(keys: &Map<String, Value>, path: &Path, teams: &BTreeSet<String>, report: &mut Report<'_>) {
    let named = keys.get("teams").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for (at, team) in named.iter().enumerate() {
        let Some(team) = team.as_str() else { continue };
        unknown(("team", team), &path.key("teams").index(at), teams.iter().map(String::as_str), report);
    }
}

/// Tells of a member or a team that is not there.
fn unknown<'k>(
    (word, id): (&str, &str),
    path: &Path,
    known: impl Iterator<Item = &'k str> + Clone,
    report: &mut Report<'_>,
) {
    if known.clone().any(|one| one == id) {
        return;
    }
    let there = match known.clone().next() {
        Some(_) => format!("there are {}", words::all_of(known.clone())),
        None => format!("there is no {word}"),
    };
    let message = format!("expected a {word} that exists, found {}; {there}", words::quoted(id));
    let code = if word == "team" { code::UNKNOWN_TEAM } else { code::UNKNOWN_MEMBER };
    report.error(code, path, message).suggest(words::did_you_mean(id, known));
}

impl Definitions {
    /// The other people files than that of an id.
    fn people_beside<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a People> {
        self.people.iter().filter(move |(other, _)| *other != id).map(|(_, people)| people)
    }

    /// Whether an installation says who its members are: then only members own records.
    pub fn has_people(&self) -> bool {
        !self.people.is_empty()
    }

    /// All members: by the ids of their files, then as they are written.
    pub fn members(&self) -> impl Iterator<Item = &Member> + Clone {
        self.people.values().flat_map(|people| &people.members)
    }

    /// The member of an id.
    pub fn member(&self, id: &str) -> Option<&Member> {
        self.members().find(|member| member.id == id)
    }

    /// All teams.
    pub fn teams(&self) -> impl Iterator<Item = &Team> + Clone {
        self.people.values().flat_map(|people| &people.teams)
    }

    /// The members of a team.
    pub fn members_of<'a>(&'a self, team: &'a str) -> impl Iterator<Item = &'a Member> + Clone {
        self.members().filter(move |member| member.teams.iter().any(|one| one == team))
    }
}

/// The definitions, if all that they say of people is known.
fn known(around: Around<'_>) -> Option<&Definitions> {
    around.definitions.filter(|_| !around.has_broken(DefinitionKind::People))
}

/// Tells of a member who is not there, if members are defined.
pub(crate) fn check_member(report: &mut Report<'_>, around: Around<'_>, id: &str, path: &Path) {
    if let Some(definitions) = known(around).filter(|definitions| definitions.has_people()) {
        unknown(("member", id), path, definitions.members().map(|member| member.id.as_str()), report);
    }
}

/// Tells of a team that is not there.
pub(crate) fn check_team(report: &mut Report<'_>, around: Around<'_>, id: &str, path: &Path) {
    if let Some(definitions) = known(around) {
        unknown(("team", id), path, definitions.teams().map(|team| team.id.as_str()), report);
    }
}
