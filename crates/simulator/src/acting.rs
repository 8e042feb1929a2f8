//! What people and systems outside do, as calls of the runtime.

use std::sync::Arc;

use pawl_definition::{DefinitionKind, Source, TriggerKind};
use pawl_engine::{Act, Cause, Control, Creation, Event, EventType, Subject, ids};
use pawl_runtime::{
    ActionError, ControlError, DefinitionError, Identity, NewAction, NewSignal, RecordError, SaveError, SendError,
    System,
};
use serde_json::{Map, Value, json};

use super::hub::Hub;
use super::ports::short;
use super::script::{SIGNAL, Script, What, large_text, mail};
use super::task::{Accepted, Answer, Ended, Work};
use super::{forgetting, forking, posting};

/// Saves what a world begins with.
pub(super) fn set_up(system: &System, script: &Script) -> Work {
    let system = system.clone();
    let (objects, workflows, records) = (script.objects.clone(), script.workflows.clone(), script.records.clone());
    let definitions = script.definitions.clone();
    Box::pin(async move {
        for object in objects {
            system
                .workflows
                .save_object(&Source::from_value("object", object))
                .await
                .expect("the objects have no mistakes");
        }
        for (kind, definition) in definitions {
            let source = Source::from_value(kind.word(), definition);
            system.definitions.save(kind, &source, (None, "author")).await.expect("the definitions have no mistakes");
        }
        for workflow in workflows {
            if let Err(error) =
                system.workflows.save(&Source::from_value("workflow", workflow.clone()), None, "author").await
            {
                panic!("a generated workflow has mistakes: {error:?}\n{workflow:#}");
            }
        }
        for (object, id, fields) in records {
            system.records.create(&object, Some(id), fields, "person").await.expect("the records have no mistakes");
        }
        Ended::Swept
    })
}

/// The work of one action.
pub(super) fn work(hub: &Arc<Hub>, system: &System, what: What) -> Work {
    let (hub, system) = (hub.clone(), system.clone());
    Box::pin(async move {
        let answer = carry_out(&hub, &system, what.clone()).await;
        hub.note(&format!("asked {}: {answer:?}", word(&what)));
        Ended::Answered(answer)
    })
}

/// The work of an operator: one control on one execution.
pub(super) fn operate(hub: &Arc<Hub>, system: &System, execution: String, control: Control) -> Work {
    let (hub, system) = (hub.clone(), system.clone());
    Box::pin(async move {
        let result = system.transitions.control(&execution, &control, &act(&hub)).await;
        hub.note(&format!("operator: {} {execution}: {:?}", control.word(), result.map(|head| head.status)));
        Ended::Handled
    })
}

/// An operator sends what is stalled on its way again.
pub(super) fn redrive(hub: &Arc<Hub>, system: &System) -> Work {
    let (hub, system) = (hub.clone(), system.clone());
    Box::pin(async move {
        let result = system.installations.redrive(&act(&hub)).await;
        hub.note(&format!("operator: redrive: {result:?}"));
        if result.is_ok() { Ended::Redriven } else { Ended::Handled }
    })
}

async fn signal(system: &System, new: NewSignal) -> Answer {
    match system.signals.send(&new).await {
        Ok(sent) => {
            let (workflow, trigger) = (String::new(), SIGNAL.to_owned());
            Answer::Done(Some(Accepted { event: sent.id, workflow, trigger, replayed: sent.is_repeat }))
        }
        Err(SendError::Failed(_)) => Answer::Lost,
        Err(_) => Answer::Refused,
    }
}

async fn update(hub: &Arc<Hub>, system: &System, subject: &Subject, fields: &Map<String, Value>) -> Answer {
    match system.records.update(subject, fields, None, "person").await {
        Ok(_) => Answer::Done(None),
        Err(RecordError::Failed(_) | RecordError::NotFound(_)) => Answer::Lost,
        Err(error) => {
            if matches!(&error, RecordError::Invalid(error) if error.code == "record_too_large") {
                hub.count("oversized records refused");
            }
            Answer::Refused
        }
    }
}

async fn carry_out(hub: &Arc<Hub>, system: &System, what: What) -> Answer {
    match what {
        What::Deliver { .. } => deliver(hub, system, what).await,
        What::Create { id, fields } => match system.records.create("ticket", Some(id), fields, "person").await {
            Ok(_) | Err(RecordError::Duplicate) => Answer::Done(None),
            Err(RecordError::Failed(_)) => Answer::Lost,
            Err(_) => Answer::Refused,
        },
        What::Update { subject, fields } => update(hub, system, &subject, &fields).await,
        What::Archive { subject, is_archived } => archive(hub, system, &subject, is_archived).await,
        What::Signal { name, key, payload, idempotency_key } => {
            let id = system.signals.id(&name, Some(&idempotency_key));
            signal(system, NewSignal { id, name, key, payload, sent_at: hub.now() }).await
        }
        What::Post { id, event } => posting::post(hub, system, &id, &event).await,
        What::Interact { id, posted } => posting::interact(hub, system, &id, &posted).await,
        What::Mail { id, to, event } => posting::mail(hub, system, &id, (&to, event)).await,
        What::Save(value) => {
            saved(hub, system.workflows.save(&Source::from_value("edit", value), None, "author").await)
        }
        What::Define(kind, value) => define(hub, system, kind, value).await,
        What::KillWorkflow(workflow, kill) => saved(hub, system.workflows.set_killed(&workflow, kill, &act(hub)).await),
        What::KillAll(kill) => {
            let killed = system.installations.set_killed(kill, &act(hub)).await;
            killed.map_or(Answer::Lost, |_| Answer::Done(None))
        }
        What::SetActive(workflow, active) => saved(hub, system.workflows.set_active(&workflow, active).await),
        What::Begin { task, limits, key } => {
            let (by, key) = (act(hub), Some(key));
            begin(hub, system, NewAction { task, listed: Vec::new(), by, limits, awaits_run: false, key }).await
        }
        What::Forget { record, cancel } => forgetting::ask(hub, system, record, cancel).await,
        What::Fork { choice, step, key } => forking::ask(hub, system, (choice, step), &key).await,
        What::Replay { choice, key } => forking::replay(hub, system, choice, &key).await,
        What::Control(control, choice) => {
            let open: Vec<_> = hub.lock().monitor.open().map(|head| head.id.clone()).collect();
            let Some(id) = open.get(choice % open.len().max(1)) else { return Answer::Refused };
            match system.transitions.control(id, &control, &act(hub)).await {
                Ok(_) => Answer::Done(None),
                Err(ControlError::Failed(_)) => Answer::Lost,
                Err(_) => Answer::Refused,
            }
        }
    }
}

/// Puts a record into the archive, or takes it out.
async fn archive(hub: &Hub, system: &System, subject: &Subject, is_archived: bool) -> Answer {
    match system.records.archive(subject, is_archived, "person").await {
        Ok(_) => {
            hub.count("records archived by people");
            Answer::Done(None)
        }
        Err(RecordError::Failed(_) | RecordError::NotFound(_)) => Answer::Lost,
        Err(_) => Answer::Refused,
    }
}

/// Saves a group, a calendar or another definition.
async fn define(hub: &Hub, system: &System, kind: DefinitionKind, value: Value) -> Answer {
    match system.definitions.save(kind, &Source::from_value("edit", value), (None, "author")).await {
        Ok(saved) => {
            hub.count(if saved.unchanged { "definitions saved unchanged" } else { "definitions edited" });
            Answer::Done(None)
        }
        Err(DefinitionError::Failed(_) | DefinitionError::Stale(_)) => Answer::Lost,
        Err(_) => Answer::Refused,
    }
}

/// Begins an action on many.
async fn begin(hub: &Hub, system: &System, new: NewAction) -> Answer {
    match system.operations.begin_action(new).await {
        Ok(_) => {
            hub.count("actions begun");
            Answer::Done(None)
        }
        Err(ActionError::Failed(_)) => Answer::Lost,
        Err(_) => Answer::Refused,
    }
}

fn saved<T>(hub: &Hub, result: Result<T, SaveError>) -> Answer {
    match result {
        Ok(_) => Answer::Done(None),
        Err(SaveError::Failed(_) | SaveError::Stale(_)) => Answer::Lost,
        Err(SaveError::NotFound(_)) => Answer::Refused,
        Err(SaveError::Invalid(problems)) => {
            hub.count("edits with mistakes");
            hub.note(&format!("is not saved: {}", problems.first().map(ToString::to_string).unwrap_or_default()));
            Answer::Refused
        }
    }
}

/// Hands an event in, as the API does.
async fn deliver(hub: &Hub, system: &System, what: What) -> Answer {
    let What::Deliver { workflow, trigger, key, subject, creates, n, text, debug } = what else {
        return Answer::Refused;
    };
    let by_hand = TriggerKind::facts_of(&trigger).by_hand;
    let id = match &key {
        Some(key) => ids::delivery_event_id(&workflow, &trigger, key),
        None => system.ingest.fresh_id(),
    };
    let identity = Identity::of(key.as_deref());
    match system.ingest.earlier(&workflow, &trigger, &identity).await {
        Ok(Some(earlier)) => {
            return Answer::Done(Some(Accepted { event: earlier.event_id, workflow, trigger, replayed: true }));
        }
        Ok(None) => {}
        Err(_) => return Answer::Lost,
    }
    let creation = creates.map(|fields| Creation { fields });
    let mut data = Map::new();
    data.insert("values".to_owned(), values(n, text));
    data.insert("body".to_owned(), values(n, text));
    if let (Some(subject), Some(Value::Object(body))) = (&subject, data.get_mut("body")) {
        body.insert("mail".to_owned(), json!(mail(&subject.id)));
    }
    if text > 0 {
        hub.count("oversized values in deliveries");
    }
    let event = Event {
        id,
        kind: if by_hand { EventType::Manual } else { EventType::Webhook },
        workflow: Some(workflow.clone()),
        trigger: (!by_hand).then(|| trigger.clone()),
        subject,
        occurred_at: hub.now(),
        data,
        creation,
        cause: Cause::default(),
        parent: None,
        region: None,
        fork: None,
        debug,
    };
    match system.ingest.accept(event, &identity).await {
        Ok(accepted) => Answer::Done(Some(Accepted {
            event: accepted.event_id,
            workflow,
            trigger,
            replayed: accepted.repeat.is_some(),
        })),
        Err(_) => Answer::Lost,
    }
}

/// What a delivery brings; a text only if it has a length.
fn values(n: usize, text: usize) -> Value {
    if text == 0 { json!({"n": n}) } else { json!({"n": n, "text": large_text(text)}) }
}

fn act(hub: &Hub) -> Act {
    Act { actor: "operator@example.com".to_owned(), reason: Some("simulated".to_owned()), at: hub.now(), id: None }
}

fn word(what: &What) -> String {
    match what {
        What::Deliver { workflow, trigger, key, subject, n, debug, .. } => {
            format!(
                "{trigger} {workflow} {key:?} {} n={n}{}",
                subject.as_ref().map(ToString::to_string).unwrap_or_default(),
                if *debug { " step by step" } else { "" }
            )
        }
        What::Create { id, .. } => format!("create {id}"),
        What::Update { subject, fields } => {
            format!("update {subject} {}", short(&serde_json::json!(fields).to_string()))
        }
        What::Signal { name, key, payload, .. } => format!("signal {name} {key} {payload}"),
        What::Post { id, event: said } | What::Interact { id, posted: said } => format!("{id} {said}"),
        What::Mail { id, to, event } => format!("{id} {event} {to}"),
        What::Archive { subject, is_archived } => format!("archive {subject} {is_archived}"),
        What::Save(_) => "save".to_owned(),
        What::Define(kind, value) => format!("define {} {}", kind.word(), short(&value.to_string())),
        What::Control(control, _) => format!("control {}", control.word()),
        What::KillWorkflow(workflow, kill) => format!("kill {workflow} {kill}"),
        What::KillAll(kill) => format!("kill all {kill}"),
        What::Begin { task, key, .. } => format!("{key}: {} {}", task.word(), task.workflow().unwrap_or("any")),
        What::Forget { record, cancel } => format!("forget {record} {cancel}"),
        What::Fork { key, .. } | What::Replay { key, .. } => key.clone(),
        What::SetActive(workflow, active) => format!("activate {workflow} {active}"),
    }
}
