//! What a seed asks of the system: objects, workflows, records, and what people and systems do.

mod action;
mod activities;
mod archive;
mod cloud;
mod dates;
mod definitions;
mod edit;
mod ends;
mod events;
mod forks;
mod interactions;
mod large;
mod limits;
mod listening;
mod lookups;
mod mail;
mod many;
mod people;
mod retention;
mod schedules;
mod signal;
mod step;
mod workflow;

use jiff::SignedDuration;
use pawl_definition::DefinitionKind;
use serde_json::{Map, Value, json};

pub(super) use action::{Action, What};
pub(super) use activities::{LOGGED, OVERDUE};
pub(super) use definitions::{MEMBERS, ROUND};
/// The trigger of signals among what was accepted: no workflow has it.
pub(super) const SIGNAL: &str = "signal!";

/// The trigger of forks among what was accepted.
pub(super) const FORKED: &str = "fork!";

/// The trigger of posted events and interactions among what was accepted.
pub(super) const POSTED: &str = "post!";

pub(super) use large::{answer as large_answer, text as large_text};
pub(super) use people::mail;

use super::chance::Chance;

/// One generated world.
pub(super) struct Script {
    /// Its outcome depends on its inputs alone, not on what overtakes what.
    pub(super) confluent: bool,
    pub(super) objects: Vec<Value>,
    /// Groups, calendars and other definitions, in the order in which they are saved.
    pub(super) definitions: Vec<(DefinitionKind, Value)>,
    pub(super) workflows: Vec<Value>,
    pub(super) records: Vec<(String, String, Map<String, Value>)>,
    pub(super) actions: Vec<Action>,
}

/// What the parts of a script share while it is made.
pub(super) struct Plan<'a> {
    chance: &'a Chance,
    confluent: bool,
    /// Every ticket gets the state `done` some time after it was made.
    tickets_get_done: bool,
    workflows: usize,
    tickets: usize,
    /// What steps are drawn from.
    kinds: Vec<&'static step::Kind>,
}

impl Script {
    /// The world of a seed.
    pub(super) fn of(seed: u64) -> Self {
        let chance = &Chance::new(seed, "script");
        let confluent = chance.percent(45);
        let plan = Plan {
            chance,
            confluent,
            tickets_get_done: chance.percent(60),
            workflows: 1 + chance.below(3),
            tickets: 1 + chance.below(2),
            kinds: step::kinds(chance),
        };
        let workflows: Vec<_> = (0..plan.workflows).map(|index| workflow::make(&plan, index)).collect();
        let actions = action::make(&plan, &workflows);
        let (objects, definitions) = (objects(), Vec::new());
        let mut script = Self { confluent, objects, definitions, workflows, records: records(), actions };
        large::enlarge(seed, &mut script);
        people::settle(seed, &mut script);
        archive::settle(seed, &mut script);
        many::act(seed, &mut script);
        forks::settle(seed, &mut script);
        schedules::fire(seed, &mut script);
        ends::listen(seed, &mut script);
        events::post(seed, &mut script);
        interactions::post(seed, &mut script);
        cloud::call(seed, &mut script);
        forks::settle_replays(seed, &mut script);
        definitions::settle(seed, &mut script);
        lookups::settle(seed, &mut script);
        activities::settle(seed, &mut script);
        dates::settle(seed, &mut script);
        mail::send(seed, &mut script);
        retention::limit(seed, &mut script);
        script
    }
}

/// Tickets, companies and logs. Fields of tickets: `w<i>` and `m<i>` belong to workflow `i`, the others to people.
fn objects() -> Vec<Value> {
    let ticket = json!({
        "object": "ticket",
        "fields": {
            "key": {"type": "text", "unique": true},
            "kind": {"type": "text", "indexed": true},
            "score": {"type": "number"},
            "state": {"type": "text", "indexed": true},
            "w0": {"type": "number"}, "w1": {"type": "number"}, "w2": {"type": "number"},
            "m0": {"type": "text"}, "m1": {"type": "text"}, "m2": {"type": "text"},
        },
        "relationships": {"company": {"object": "company"}},
        "stages": ["open", "done"],
    });
    let company = json!({
        "object": "company",
        "fields": {
            "name": {"type": "text", "unique": true, "required": true},
            "tier": {"type": "text", "indexed": true},
            "total": {"type": "number"},
            "paid": {"type": "text"},
        },
        "relationships": {"parent": {"object": "company"}},
    });
    let log = json!({
        "object": "log",
        "fields": {
            "name": {"type": "text", "unique": true},
            "kind": {"type": "text", "indexed": true},
            "n": {"type": "number"},
        },
        "relationships": {"ticket": {"object": "ticket"}},
    });
    vec![company, ticket, log]
}

/// Companies that are there from the beginning.
fn records() -> Vec<(String, String, Map<String, Value>)> {
    let company = |id: &str, tier: &str, parent: Option<&str>| {
        let fields = json!({"name": id, "tier": tier, "total": 0, "parent": parent});
        ("company".to_owned(), id.to_owned(), fields.as_object().cloned().unwrap_or_default())
    };
    vec![company("acme", "gold", Some("globex")), company("globex", "tin", None)]
}

/// Seconds as a span.
fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}
