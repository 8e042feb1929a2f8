//! What of a person's data stored items hold, against what their modules declare.

use std::collections::BTreeMap;

use futures::FutureExt;
use pawl_definition::DefinitionKind;
use pawl_runtime::items::execution::EVENT_MOST;
use pawl_runtime::items::refusal::Refusal;
use pawl_runtime::items::{Erasure, Retention, kept_of, refusal};
use pawl_runtime::ports::{Item, Table};
use pawl_testkit::scenario::{
    Happening, Scenario, World, manual, refused, says, scenario, signal, updated, waiting, webhook,
};
use serde_json::json;

use crate::support::with;

/// Found nowhere but in fields of the record, and in what comes of them.
pub(crate) const VALUE: &str = "vera.probe@example.com";
/// The id of the record.
pub(crate) const ID: &str = "person-7f3a";

pub(crate) const PERSON: &str = "
object: person
fields:
  email: {type: text, unique: true}
  former: {type: text, indexed: true}
  city: {type: text}
  age: {type: number}
";

const KEYS: &str = "object: person
limits:
  reentry: one_active_per_record
  cooldown: 1h
  starts: {per: 1m, at_most: 9}
  concurrency: 9
  budget: {tokens: 100000, per: day}
triggers:
  - {id: hook, type: webhook, verify: none, record: {match: {email: trigger.body.email}}}";

/// A step whose failure is told with the value that it found, a call of a model, and a wait for the record.
const STEPS: &str = "  - id: wrong
    type: set_fields
    fields: {age: '{{ record.email }}'}
    on_failure: {then: continue}
  - {id: ask, type: call_llm, model: test/model, prompt: '{{ record.email }}'}
  - {id: wait, type: goal, until: record.city == 'Rome', timeout: never}";

fn start(workflow: &str) -> Happening {
    manual(workflow).on("person", ID).into()
}

/// A world in which each kind of item is stored.
pub(crate) fn story() -> Scenario {
    let copy =
        |n: usize| format!("  - {{id: s{n}, type: set_variables, values: {{copy: '{{{{ record.email }}}}'}}}}\n");
    let copies: String = (0..30).map(copy).collect();
    let named = |name: &str, keys: &str, steps: &str| {
        with(&format!("object: person\n{keys}"), steps).replacen("workflow: w", &format!("workflow: {name}"), 1)
    };
    let once = named("once", "limits: {reentry: once_per_record}", "  - {id: end, type: note, text: end}");
    let hears = "triggers: [{id: a, type: field_updated, field: city, filter: int(record.email) > 1}]";
    let hears = named("hears", hears, "  - {id: end, type: note, text: end}");
    let often = named("often", "", "  - {id: end, type: note, text: end}");
    let fields = json!({"email": VALUE, "former": VALUE, "city": "Oslo"});
    let story = scenario().object(PERSON).workflow(&with(KEYS, &format!("{copies}{STEPS}")));
    let story = story.workflow(&once).workflow(&hears).workflow(&often).record("person", ID, fields);
    // So long that its event has an item of its own.
    let body = json!({"email": VALUE, "text": "x".repeat(EVENT_MOST)});
    let delivery = webhook("w", "hook").body(body).header("idempotency-key", VALUE);
    let story = story.model(|_| says(VALUE)).event(delivery).settle().expect(waiting().of("w"));
    let mut story = story.event(start("w")).settle().expect(refused("reentry"));
    for _ in 0..51 {
        story = story.event(start("often")).settle();
    }
    let story = story.expect(refused("breaker").of("often")).event(start("once"));
    let waits = named("waits", "", "  - {id: wait, type: wait_for_signal, signal: probe, key: '{{ record.email }}'}");
    let memo = "  - {id: memo, type: create_activity, activity: memo, note: '{{ record.email }}', due: 1d, assignee: '{{ \"ada\" }}'}";
    let story = story.definition(DefinitionKind::Activity, "activity: memo");
    let story = story.workflow(&named("memos", "", memo)).event(start("memos")).settle();
    let story =
        story.workflow(&waits).event(start("waits")).settle().event(signal("probe", VALUE).payload(json!(VALUE)));
    let story = story.event(start("waits")).event(signal("kept", VALUE).payload(json!(VALUE))).settle();
    story.event(updated("person", ID, json!({"city": "Bonn"}))).settle()
}

/// A person redrives, kills everything and lifts the kill: each leaves an entry.
fn people_act(story: &Scenario) {
    let act = story.world().act();
    let redriven = story.world().system.installations.redrive(&act).now_or_never();
    redriven.expect("memory answers at once").expect("memory is writable");
    for killed in [true, false] {
        let done = story.world().system.installations.set_killed(killed, &act).now_or_never();
        done.expect("memory answers at once").expect("memory is writable");
    }
}

/// A word for the module of an item, and for which of several it is.
pub(crate) fn kind(item: &Item) -> String {
    let first = |text: &str| text.split('#').next().unwrap_or_default().to_owned();
    let (kind, sort) = (first(&item.key.partition), first(&item.key.sort));
    match kind.as_str() {
        "execution" if refused_start(item).is_some() => "refusal".to_owned(),
        "execution" | "guard" | "workflow" => format!("{kind} {sort}"),
        _ => kind,
    }
}

fn refused_start(item: &Item) -> Option<Refusal> {
    refusal::parse(item).ok().flatten()
}

/// Every item with its table.
pub(crate) fn stored(world: &World) -> Vec<(Table, Item)> {
    let tables = [Table::Workflows, Table::Executions, Table::Records, Table::Keys];
    let of = |table| world.store.items(table).into_iter().map(move |item| (table, item));
    tables.into_iter().flat_map(of).collect()
}

/// What of the record an item holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Holds {
    Nothing,
    Id,
    Value,
}

impl Holds {
    fn of(item: &Item) -> Self {
        let text = serde_json::to_string(item).expect("an item is JSON");
        if text.contains(VALUE) {
            Self::Value
        } else if text.contains(ID) {
            Self::Id
        } else {
            Self::Nothing
        }
    }

    /// The most that an item may hold.
    fn declared(erasure: Erasure) -> Self {
        match erasure {
            Erasure::Nothing | Erasure::WithMember => Self::Nothing,
            Erasure::RecordId => Self::Id,
            Erasure::WithRecord | Erasure::WithExecution | Erasure::WhenExpired => Self::Value,
        }
    }
}

#[test]
fn no_item_holds_more_of_a_record_than_its_module_declares() {
    let story = story();
    people_act(&story);
    let mut held: BTreeMap<String, Holds> = BTreeMap::new();
    for (table, item) in stored(story.world()) {
        let (kind, holds) = (kind(&item), Holds::of(&item));
        let Some(kept) = kept_of(table, &item) else { panic!("no module declares {:?}", item.key) };
        assert!(
            holds <= Holds::declared(kept.erasure),
            "{kind} declares {:?} and holds {holds:?}: {item:?}",
            kept.erasure
        );
        let expires = matches!(kept.retention, Retention::For(_));
        assert_eq!(item.expires_at.is_some(), expires, "{kind}: whether it expires, as {kept:?} says");
        let most = held.entry(kind).or_insert(holds);
        *most = holds.max(*most);
    }
    let held: Vec<_> = held.iter().map(|(kind, holds)| format!("{kind}: {holds:?}")).collect();
    insta::assert_snapshot!(held.join("\n"), @"
    activities: Id
    activity: Value
    assigned: Nothing
    audit: Nothing
    changes: Value
    definition-revisions: Nothing
    definitions: Nothing
    delivery: Value
    due: Nothing
    execution event: Value
    execution head: Value
    execution rows: Value
    guard active: Id
    guard cooldown: Id
    guard once: Id
    guard slots: Nothing
    guard spacing: Nothing
    guard window: Id
    installation: Nothing
    listen: Nothing
    notices: Value
    object-revisions: Nothing
    objects: Nothing
    operation: Nothing
    record: Value
    refusal: Value
    signal: Value
    signals: Value
    unique: Value
    usage: Nothing
    value: Value
    waiter: Value
    workflow head: Nothing
    workflow revision: Nothing
    ");
}
