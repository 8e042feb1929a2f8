//! Summaries of executions with what stands beside their heads: the kills of their workflow and of everything, and the
//! plan that says what their step waits for.

use std::collections::BTreeMap;
use std::sync::Arc;

use pawl_engine::{Execution, Plan};
use pawl_runtime::{Error, SlotLine};

use super::summary::{HeldView, Summary};
use super::waits;
use crate::Problem;
use crate::state::Api;

/// Makes summaries; reads each workflow once.
pub(super) struct Situations<'a> {
    api: &'a Api,
    everything: Option<Everything>,
    workflows: BTreeMap<String, Situation>,
    /// Lines of those who wait for a slot, by workflow and key.
    lines: BTreeMap<(String, Option<String>), Arc<SlotLine>>,
}

/// What is known of the installation.
#[derive(Clone)]
struct Everything {
    killed: Option<HeldView>,
}

/// What is known of a workflow.
#[derive(Clone, Default)]
struct Situation {
    killed: Option<HeldView>,
    plan: Option<Arc<Plan>>,
}

impl<'a> Situations<'a> {
    /// Nothing is read yet.
    pub(super) fn new(api: &'a Api) -> Self {
        Self { api, everything: None, workflows: BTreeMap::new(), lines: BTreeMap::new() }
    }

    /// Where an execution stands.
    pub(super) async fn summary(&mut self, execution: &Execution) -> Result<Summary, Problem> {
        if execution.status.is_ended() {
            return Ok(Summary::of(execution, Vec::new()));
        }
        let Situation { killed, plan } = self.of(&execution.workflow).await?;
        let line = if execution.is_in_line() { self.line(execution).await? } else { None };
        let mut summary = Summary::of(execution, waits::of(execution, plan.as_deref(), line.as_deref()));
        if let Some(held) = self.everything().await?.or(killed) {
            summary.hold(&held);
        }
        Ok(summary)
    }

    async fn line(&mut self, execution: &Execution) -> Result<Option<Arc<SlotLine>>, Problem> {
        let of = (execution.workflow.clone(), execution.slot_key.clone());
        if let Some(known) = self.lines.get(&of) {
            return Ok(Some(known.clone()));
        }
        let line = match self.api.core.slot_line(execution).await {
            // A slot that cannot be read hides no execution.
            Err(Error::Unreadable(_)) => return Ok(None),
            line => Arc::new(line?),
        };
        self.lines.insert(of, line.clone());
        Ok(Some(line))
    }

    async fn everything(&mut self) -> Result<Option<HeldView>, Problem> {
        if let Some(known) = &self.everything {
            return Ok(known.killed.clone());
        }
        let killed = self.api.core.installations.read().await?.killed;
        let killed = killed.map(|act| HeldView::killed(&act, "installation"));
        self.everything = Some(Everything { killed: killed.clone() });
        Ok(killed)
    }

    async fn of(&mut self, workflow: &str) -> Result<Situation, Problem> {
        if let Some(known) = self.workflows.get(workflow) {
            return Ok(known.clone());
        }
        let found = match self.api.core.workflows.in_force(workflow).await {
            // One workflow that cannot be read hides no execution.
            Err(Error::Unreadable(_)) => None,
            found => found?,
        };
        let known = found.map_or_else(Situation::default, |(head, plan)| Situation {
            killed: head.killed.as_ref().map(|act| HeldView::killed(act, "workflow")),
            plan: Some(plan),
        });
        self.workflows.insert(workflow.to_owned(), known.clone());
        Ok(known)
    }
}
