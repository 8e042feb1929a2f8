//! Ends of executions: each is told to the workflows that listened for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use pawl_engine::{Execution, Plan, end_topics, ended, triggers};

use super::{Broken, Monitor};

/// How long a workflow must have listened: the process that ends an execution may have looked before.
const SINCE: SignedDuration = SignedDuration::from_mins(2);

/// What the ends of executions are to start.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ends {
    /// Executions by the event of their end.
    pub(crate) by_event: BTreeMap<String, String>,
    /// The events, with the workflows that they must come to.
    pub(crate) owed: Vec<(String, String, Timestamp)>,
}

impl Monitor {
    /// A head is written: it may be that of an execution that ends, or of one that an end has started.
    pub(super) fn ends(
        &mut self,
        now: Timestamp,
        before: Option<&Execution>,
        after: &Execution,
        broken: &mut Vec<Broken>,
    ) {
        if before.is_none()
            && let Some(by) = self.ends.by_event.get(&after.event_id)
            && after.fork.is_none()
            && after.cause.chain.last().is_none_or(|link| link.execution != *by)
        {
            broken.push((7, format!("was started by the end of {by}, which is not what led to it")));
        }
        let has_just_ended = after.tells_its_end() && before.is_none_or(|before| !before.status.is_ended());
        let Some(event) = ended(after).filter(|_| has_just_ended) else { return };
        self.ends.by_event.insert(event.id.clone(), after.id.clone());
        let topics = end_topics(&after.workflow);
        let listens =
            |term: &String| term.split_once('|').is_some_and(|(topic, _)| topics.iter().any(|of| of == topic));
        for head in self.workflows.values().filter(|head| head.active && head.listed.iter().any(listens)) {
            let is_settled = |at: Timestamp| now.duration_since(at) >= SINCE;
            if !is_settled(head.saved_at) || !head.active_since.is_none_or(is_settled) {
                continue;
            }
            let Some(definition) = self.definitions(&head.id).last() else { continue };
            let plan = Plan::new(Arc::new(definition.clone()), head.revision);
            if plan.workflow.triggers.iter().any(|trigger| triggers::matches(trigger, &plan, &event)) {
                self.ends.owed.push((event.id.clone(), head.id.clone(), now));
            }
        }
    }
}
