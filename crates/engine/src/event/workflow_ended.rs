//! An execution of a workflow ended: `execution` has what it came to. Its subject is the record that the execution ran on.

use std::collections::BTreeSet;

use serde_json::{Map, json};

use super::{EventFacts, EventKind, EventType, Link};
use crate::{Event, Execution, ids};

/// `workflow_ended`.
pub(super) struct WorkflowEnded;

impl EventKind for WorkflowEnded {
    fn facts(&self) -> EventFacts {
        EventFacts {
            word: "workflow_ended",
            is_addressed: false,
            is_by_hand: false,
            tells_changes: false,
            is_kept: false,
        }
    }

    fn workflow_topics(&self, event: &Event) -> BTreeSet<String> {
        let workflow = event.data.get("execution").and_then(|execution| execution.get("workflow")?.as_str());
        workflow.map(end_topics).into_iter().flatten().collect()
    }

    /// Steps that wait on a record listen for ends on that record, and others for all ends.
    fn waiter_topics(&self, event: &Event) -> BTreeSet<String> {
        let topics = self.workflow_topics(event);
        let on_record = |topic: &String| Some(ids::topic_on_record(topic, event.subject.as_ref()?));
        topics.iter().filter_map(on_record).chain(topics.clone()).collect()
    }
}

/// The topics on which workflows listen for the end of an execution of a workflow.
pub fn end_topics(workflow: &str) -> [String; 2] {
    [ids::end_topic(Some(workflow)), ids::end_topic(None)]
}

impl Execution {
    /// Whether its end is an event: it has ended, and is no part of another one.
    pub fn tells_its_end(&self) -> bool {
        self.status.is_ended() && self.region.is_none()
    }
}

/// The event that the end of an execution is, if that is one.
pub fn ended(execution: &Execution) -> Option<Event> {
    let ended_at = execution.ended_at.filter(|_| execution.tells_its_end())?;
    let Execution { id, workflow, status, reason, error, output, record, started_at, .. } = execution;
    let error = error.as_ref().map(|error| json!({"code": error.code, "message": error.message}));
    let told = json!({
        "id": id, "workflow": workflow, "status": status, "reason": reason, "error": error, "output": output,
        "record": record, "started_at": started_at, "ended_at": ended_at,
    });
    let link = Link { workflow: workflow.clone(), execution: id.clone(), record: record.clone() };
    Some(Event {
        id: ids::end_event_id(id),
        kind: EventType::WorkflowEnded,
        workflow: None,
        trigger: None,
        subject: record.clone(),
        occurred_at: ended_at,
        data: Map::from_iter([("execution".to_owned(), told)]),
        creation: None,
        cause: execution.cause.then(link),
        parent: None,
        region: None,
        fork: None,
        debug: false,
    })
}
