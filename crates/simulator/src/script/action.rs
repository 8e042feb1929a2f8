//! What people and systems do in a generated world.

use jiff::SignedDuration;
use pawl_definition::{DefinitionKind, TriggerKind};
use pawl_engine::{Control, Subject};
use pawl_runtime::{ActionLimits, Task};
use serde_json::{Map, Value, json};

use crate::chance::Chance;

use super::{Plan, edit, seconds, signal, workflow};

/// One thing that is done, at a time after the beginning.
#[derive(Debug, Clone)]
pub(crate) struct Action {
    pub(crate) at: SignedDuration,
    pub(crate) what: What,
}

/// What is done. Whatever can be repeated without harm is repeated until it is answered.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// A delivery on a webhook, or a start by hand (`manual`); with a key its repeats are recognised.
    Deliver {
        workflow: String,
        trigger: String,
        key: Option<String>,
        subject: Option<Subject>,
        creates: Option<Map<String, Value>>,
        n: usize,
        /// Bytes of the text that it brings.
        text: usize,
        /// The execution stops before each step.
        debug: bool,
    },
    /// A record is created.
    Create { id: String, fields: Map<String, Value> },
    /// A signal is sent.
    Signal { name: String, key: String, payload: Value, idempotency_key: String },
    /// An event is posted under an id.
    Post { id: String, event: Value },
    /// An interaction about a ticket is posted under an id.
    Interact { id: String, posted: Value },
    /// A provider tells under an id what became of a message to an address.
    Mail { id: String, to: String, event: &'static str },
    /// Fields of a record change.
    Update { subject: Subject, fields: Map<String, Value> },
    /// A record is put into the archive, or taken out.
    Archive { subject: Subject, is_archived: bool },
    /// An edited workflow is saved.
    Save(Value),
    /// An edited group, calendar or other definition is saved.
    Define(DefinitionKind, Value),
    /// Somebody acts on an execution, chosen among the open ones.
    Control(Control, usize),
    /// An execution is begun again: one of those that are there, before one of the steps that it has entered, or anew.
    Fork { choice: usize, step: Option<usize>, key: String },
    /// An event that was refused begins an execution after all: one of the refusals that are there.
    Replay { choice: usize, key: String },
    /// A workflow is killed, or the kill is lifted.
    KillWorkflow(String, bool),
    /// Everything is killed, or the kill is lifted.
    KillAll(bool),
    /// A record is forgotten; open executions on it may be canceled for it.
    Forget { record: Subject, cancel: bool },
    /// Somebody acts on many executions or records at once.
    Begin { task: Task, limits: ActionLimits, key: String },
    /// A workflow's triggers are switched.
    SetActive(String, bool),
}

pub(super) fn make(plan: &Plan<'_>, workflows: &[Value]) -> Vec<Action> {
    let chance = plan.chance;
    let mut actions = Vec::new();
    for ticket in 0..plan.tickets {
        actions.push(Action { at: chance.millis(0, 20_000), what: create(plan, ticket) });
        if plan.tickets_get_done {
            let at = *chance.pick(&[5, 40, 600, 4_000]);
            actions.push(Action {
                at: seconds(at) + chance.millis(0, 20_000),
                what: update(ticket, &json!({"state": "done"})),
            });
        }
        if chance.percent(40) {
            actions.push(Action { at: chance.millis(0, 60_000), what: update(ticket, &json!({"score": 5})) });
        }
    }
    for _ in 0..=chance.below(3) {
        let what = deliver(plan, workflows);
        let at = chance.millis(0, 60_000);
        if chance.percent(30) && matches!(what, What::Deliver { key: Some(_), .. }) {
            actions.push(Action { at: at + chance.millis(0, 90_000), what: what.clone() });
        }
        actions.push(Action { at, what });
    }
    signal::make(plan, &mut actions);
    if !plan.confluent {
        disturb(plan, workflows, &mut actions);
    }
    actions.sort_by_key(|action| action.at);
    actions
}

fn ticket_id(ticket: usize) -> String {
    format!("ticket-{ticket}")
}

fn ticket(index: usize) -> Subject {
    Subject { object: "ticket".to_owned(), id: ticket_id(index) }
}

fn fields(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn create(plan: &Plan<'_>, ticket: usize) -> What {
    let company = if plan.chance.percent(80) { json!("acme") } else { Value::Null };
    let kind = if plan.chance.percent(50) { "a" } else { "b" };
    What::Create {
        id: ticket_id(ticket),
        fields: fields(&json!({"key": format!("key {ticket}"), "kind": kind, "company": company})),
    }
}

fn update(ticket_index: usize, changes: &Value) -> What {
    What::Update { subject: ticket(ticket_index), fields: fields(changes) }
}

fn deliver(plan: &Plan<'_>, workflows: &[Value]) -> What {
    let chance = plan.chance;
    let index = chance.below(workflows.len());
    let on_record = workflows[index].get("object").is_some();
    let creates = on_record && chance.percent(20);
    let subject = on_record.then(|| ticket(if creates { 7 } else { chance.below(plan.tickets) }));
    let keyed = plan.confluent || chance.percent(70);
    let key = keyed.then(|| format!("delivery {}", chance.below(1_000_000)));
    let mut hooks = vec!["hook".to_owned()];
    rings(&workflows[index], &mut hooks);
    let by_hand = chance.percent(25) && !creates;
    What::Deliver {
        workflow: workflow::name(index),
        trigger: if by_hand { "manual".to_owned() } else { chance.pick(&hooks).clone() },
        key,
        subject,
        creates: creates.then(|| created(plan)),
        n: chance.below(3),
        text: 0,
        debug: false,
    }
}

/// The fields of a ticket that a delivery makes.
fn created(plan: &Plan<'_>) -> Map<String, Value> {
    let mut created = fields(&json!({"key": "key of a delivery", "kind": "a", "company": "acme"}));
    if plan.tickets_get_done {
        created.insert("state".to_owned(), json!("done"));
    }
    created
}

/// The webhooks of goals, anywhere in a workflow.
fn rings(value: &Value, hooks: &mut Vec<String>) {
    match value {
        Value::Object(keys) => {
            let id = keys.get("id").and_then(Value::as_str).filter(|id| id.starts_with("ring-"));
            hooks.extend(id.map(str::to_owned));
            keys.values().for_each(|value| rings(value, hooks));
        }
        Value::Array(values) => values.iter().for_each(|value| rings(value, hooks)),
        _ => {}
    }
}

/// What makes outcomes depend on what overtakes what.
fn disturb(plan: &Plan<'_>, workflows: &[Value], actions: &mut Vec<Action>) {
    let chance = plan.chance;
    let acts = [
        Control::Pause,
        Control::Resume,
        Control::Cancel,
        Control::Retry,
        Control::Skip { take: None },
        Control::Step,
        Control::Run,
        Control::Skip { take: Some(pawl_definition::Take::Yes) },
        Control::Kill,
        Control::Lift,
    ];
    let mut edited = workflows.to_vec();
    for _ in 0..chance.below(8) {
        let at = chance.millis(0, *chance.pick(&[5_000, 90_000, 7_200_000]));
        let index = chance.below(workflows.len());
        let what = match chance.below(13) {
            0..=3 => {
                edited[index] = edit::edited(chance, &edited[index]);
                What::Save(edited[index].clone())
            }
            4 => kill(actions, at + chance.millis(1_000, 200_000), What::KillWorkflow(workflow::name(index), true)),
            5 => kill(actions, at + chance.millis(1_000, 200_000), What::KillAll(true)),
            6 => What::SetActive(workflow::name(index), chance.percent(50)),
            7 => update(
                chance.below(plan.tickets),
                &json!({"state": chance.pick(&["done", "open"]), "score": chance.below(9)}),
            ),
            8 => {
                let id = company(plan);
                // The parent of one comes with the payment.
                let paid =
                    if id == "globex" { json!({"paid": "yes", "parent": "acme"}) } else { json!({"paid": "yes"}) };
                What::Update { subject: Subject { object: "company".to_owned(), id }, fields: fields(&paid) }
            }
            9 => update(chance.below(plan.tickets), &json!({"company": company(plan)})),
            _ => What::Control(chance.pick(&acts).clone(), chance.below(100)),
        };
        actions.push(Action { at, what });
    }
    step_by_step(chance, actions);
}

/// Some starts by hand are stepped. All with the same key are, for their repeats are the same request.
fn step_by_step(chance: &Chance, actions: &mut [Action]) {
    if !chance.percent(60) {
        return;
    }
    for action in actions {
        if let What::Deliver { trigger, debug, .. } = &mut action.what {
            *debug = TriggerKind::facts_of(trigger).by_hand;
        }
    }
}

fn company(plan: &Plan<'_>) -> String {
    (*plan.chance.pick(&["acme", "globex"])).to_owned()
}

/// A kill, with its end.
fn kill(actions: &mut Vec<Action>, lifted_at: SignedDuration, kill: What) -> What {
    let lift = match &kill {
        What::KillWorkflow(workflow, _) => What::KillWorkflow(workflow.clone(), false),
        _ => What::KillAll(false),
    };
    actions.push(Action { at: lifted_at, what: lift });
    kill
}
