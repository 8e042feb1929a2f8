//! Workflows as people and programs see them.

use jiff::Timestamp;
use pawl_engine::Plan;
use pawl_runtime::items::refusal::Refusal;
use pawl_runtime::items::workflow::{Head, Revision};
use serde::Serialize;
use serde_json::Value;

use crate::describe::ToSchema;
use crate::executions::{ActView, RecordName};

/// A workflow without its source.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WorkflowHead)]
pub(super) struct HeadView {
    /// Id.
    id: String,
    /// Name for people.
    name: String,
    /// E-mail address of the owner.
    owner: String,
    /// Present revision, from 1.
    revision: u64,
    /// Whether the workflow's triggers are enabled.
    active: bool,
    /// `live` or `pinned`.
    edits: &'static str,
    /// Present while the workflow is killed.
    #[serde(skip_serializing_if = "Option::is_none")]
    killed: Option<ActView>,
    /// Present while the breaker suspends the workflow's triggers.
    #[serde(skip_serializing_if = "Option::is_none")]
    suspended: Option<ActView>,
    /// Time of the last save.
    saved_at: Timestamp,
}

impl From<&Head> for HeadView {
    fn from(head: &Head) -> Self {
        Self {
            id: head.id.clone(),
            name: head.name.clone(),
            owner: head.owner.clone(),
            revision: head.revision,
            active: head.active,
            edits: if head.pinned { "pinned" } else { "live" },
            killed: head.killed.as_ref().map(ActView::from),
            suspended: head.suspended.as_ref().map(ActView::from),
            saved_at: head.saved_at,
        }
    }
}

/// A workflow.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Workflow)]
pub(super) struct Whole {
    #[serde(flatten)]
    head: HeadView,
    /// Its webhooks.
    hooks: Vec<Hook>,
    /// The workflow as written, as JSON.
    #[schema(value_type = Object)]
    source: Value,
}

/// A webhook of a workflow.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Hook {
    /// Trigger.
    trigger: String,
    /// Methods that the webhook accepts.
    methods: Vec<String>,
    /// Path on this server.
    path: String,
    /// Whether the webhook accepts deliveries: while the workflow is active, or, for the webhook of a goal, while an
    /// execution waits for it.
    enabled: bool,
    /// The goal that waits for the webhook; absent if the webhook starts executions.
    #[serde(skip_serializing_if = "Option::is_none")]
    goal: Option<String>,
}

impl Whole {
    pub(super) fn of(head: &Head, plan: &Plan, source: Value) -> Self {
        let hook = |hook: pawl_definition::Hook<'_>| Hook {
            trigger: hook.trigger.id.clone(),
            methods: hook.webhook.methods.clone(),
            path: format!("/hooks/{}/{}", head.id, hook.trigger.id),
            enabled: hook.trigger.enabled,
            goal: hook.goal.map(str::to_owned),
        };
        let hooks = plan.workflow.webhooks().into_iter().map(hook).collect();
        Self { head: HeadView::from(head), hooks, source }
    }
}

/// Result of a save.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SavedWorkflow)]
pub(super) struct SavedView {
    #[serde(flatten)]
    pub(super) head: HeadView,
    /// True if the text equals the present revision, so that nothing was written.
    pub(super) unchanged: bool,
    /// The operation that moves executions on which wait at a step that the edit touched; absent if it touched none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) operation: Option<String>,
}

/// What a workflow does, in sentences.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Description {
    /// Id.
    pub(super) id: String,
    /// Its revision.
    pub(super) revision: u64,
    /// Markdown: when it starts, its steps one after the other, its limits, and what it may reach.
    pub(super) text: String,
}

/// A revision of a workflow.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Revision)]
pub(super) struct RevisionView {
    /// Number, from 1.
    revision: u64,
    /// Who saved the revision.
    saved_by: String,
    /// Time.
    saved_at: Timestamp,
    /// The workflow as written, as JSON; absent in listings.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    source: Option<Value>,
}

impl RevisionView {
    pub(super) fn whole(revision: Revision) -> Self {
        let Revision { revision, saved_by, saved_at, source } = revision;
        Self { revision, saved_by, saved_at, source: Some(source) }
    }

    pub(super) fn listed(revision: Revision) -> Self {
        Self { source: None, ..Self::whole(revision) }
    }
}

/// A start that was refused, or a delivery that was rejected.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Refusal)]
pub(super) struct RefusalView {
    /// Id, for `POST /v1/refusals/{id}/replay`.
    id: String,
    /// Whether the event is kept, so that the refusal can be replayed.
    replayable: bool,
    /// Trigger.
    #[serde(skip_serializing_if = "Option::is_none")]
    trigger: Option<String>,
    /// The event, or a new id for a delivery that became no event.
    event_id: String,
    /// Record.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<RecordName>,
    /// Stable code.
    code: String,
    /// Reason in words.
    message: String,
    /// The execution that the event is a part of, with the code `debounced`: it is no refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_id: Option<String>,
    /// Page in the project's documentation that says what to do.
    help: String,
    /// Number of occurrences: deliveries with the same rejection within an hour are one entry.
    count: u64,
    /// True if the count is a lower bound, because the outcome of a write was unknown or storage refused it.
    at_least: bool,
    /// Time of the first occurrence.
    first_at: Timestamp,
    /// Time of the last occurrence.
    last_at: Timestamp,
}

impl From<Refusal> for RefusalView {
    fn from(refusal: Refusal) -> Self {
        let first_at = refusal.first_at();
        Self {
            id: refusal.id(),
            replayable: refusal.has_event,
            trigger: refusal.trigger,
            event_id: refusal.event_id,
            record: refusal.record.as_ref().map(RecordName::from),
            help: crate::problem::help(&refusal.code),
            code: refusal.code,
            message: refusal.message,
            execution_id: refusal.collected.map(|collected| collected.execution),
            count: refusal.count,
            at_least: refusal.at_least,
            first_at,
            last_at: refusal.at,
        }
    }
}
