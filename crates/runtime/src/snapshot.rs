//! Reads what a decision depends on.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use pawl_definition::BudgetPer;
use pawl_engine::steps::children_looked_at;
use pawl_engine::{
    ChildSeen, Context, Execution, Hold, Lookups, Occurrence, Parent, Plan, Reads, Record, Subject, Usage, root_of,
};
use serde_json::{Value, json};

use crate::concurrency_slots::Slots;
use crate::items;
use crate::items::installation::Installation;
use crate::ports::{Blobs, Item, Key, Table};
use crate::{Catalog, Error, Objects, concurrency_slots, offload};

/// What one decision may look at, read at one time.
pub(crate) struct Snapshot {
    pub(crate) plan: Arc<Plan>,
    pub(crate) former: Option<Arc<Plan>>,
    pub(crate) objects: Arc<Objects>,
    pub(crate) objects_revision: u64,
    /// The count of changes of what is listened on; none if it could not be read.
    pub(crate) listening: Option<u64>,
    pub(crate) record: Option<Record>,
    pub(crate) related: BTreeMap<String, Vec<Record>>,
    pub(crate) killed: bool,
    /// A free slot of `limits.concurrency`.
    pub(crate) free_slot: Option<u16>,
    /// How they are counted.
    pub(crate) slots: Option<Slots>,
    pub(crate) spent_today: Usage,
    pub(crate) spent_by_parts: Usage,
    /// The root of the tree that the execution is a part of, while that has not ended.
    pub(crate) root: Option<String>,
    pub(crate) children: BTreeMap<String, ChildSeen>,
    pub(crate) hold: Hold,
}

impl Snapshot {
    /// The engine's view of it.
    pub(crate) fn context<'a>(&'a self, event: &'a Occurrence, now: Timestamp, invocation: &'a str) -> Context<'a> {
        Context {
            plan: &self.plan,
            former: self.former.as_deref(),
            objects: &self.objects,
            definitions: &self.objects.definitions,
            objects_revision: self.objects_revision,
            event,
            record: self.record.as_ref(),
            related: &self.related,
            lookups: Lookups::NONE,
            now,
            invocation,
            callback: None,
            killed: self.killed,
            free_slot: self.free_slot,
            spent_today: self.spent_today,
            spent_by_parts: self.spent_by_parts,
            children: &self.children,
            hold: &self.hold,
        }
    }

    /// Reads it for the next transition of an execution: the heads of workflow and installation and the record in
    /// one call, then what they lead to.
    pub(crate) async fn read(
        (catalog, blobs): (&Catalog, &dyn Blobs),
        execution: &Execution,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let mut keys: Vec<(Table, Key)> = vec![
            (items::workflow::TABLE, items::workflow::head_key(&execution.workflow)),
            (items::installation::TABLE, items::installation::key()),
        ];
        keys.extend(execution.record.iter().map(|record| (items::record::TABLE, items::record::key(record))));
        let record_at = execution.record.is_some().then_some(2);
        let heads_from = keys.len();
        let above = execution.parent.iter().flat_map(Parent::waiting);
        keys.extend(above.map(|by| (items::execution::TABLE, items::execution::key(&by.execution))));
        let found = catalog.tables().get_many(&keys).await?;
        let head = found[0].as_ref().map(items::workflow::parse_head).transpose()?;
        let head = head.ok_or_else(|| Error::NoWorkflow(execution.workflow.clone(), execution.revision))?;
        let installation = Catalog::installation(found[1].as_ref())?;
        let keeps = execution.keeps_revision || (head.pinned && execution.started_at.is_some());
        let in_force = if keeps { execution.revision } else { head.revision };
        let plan = catalog.plan(&execution.workflow, in_force).await?;
        let Installation { objects_revision, listening, .. } = installation;
        let listening = Some(listening);
        let objects = catalog.objects(objects_revision).await?;
        require_objects(&objects, &plan, execution)?;
        let former = former_plan(catalog, execution, &plan).await?;
        let record = record_at.and_then(|at| found[at].as_ref()).map(items::record::parse).transpose()?;
        let reads = pawl_engine::reads(&plan, execution);
        let related = related(catalog, record.as_ref(), &objects, &reads).await?;
        let slots = Slots::of(catalog, &plan, execution);
        let free_slot = concurrency_slots::free(catalog.tables(), execution, slots).await?;
        let spent_today = spent_today(catalog, &plan, execution, now).await?;
        let killed = head.killed.is_some() || installation.killed.is_some();
        let above = heads(&found[heads_from..])?;
        let hold = Hold::of(execution, &above);
        let root = root_of(execution, &above).filter(|root| !root.status.is_ended()).map(|root| root.id.clone());
        let spent_by_parts = spent_by_parts(catalog, &plan, execution, root.as_deref()).await?;
        let children = children((catalog, blobs), execution, &plan, now).await?;
        #[rustfmt::skip]
        let read = Self {
            plan, former, objects, objects_revision, listening, record, related, killed, free_slot, slots, spent_today,
            spent_by_parts, root, children, hold,
        };
        Ok(read)
    }

    /// In the place of a snapshot that cannot be read and is not looked at: a workflow without steps.
    pub(crate) fn unknown(execution: &Execution) -> Self {
        let source = json!({"workflow": execution.workflow, "owner": "", "steps": []});
        let workflow = serde_json::from_value(source).expect("a workflow needs an id, an owner and steps");
        Self {
            plan: Arc::new(Plan::new(Arc::new(workflow), execution.revision)),
            former: None,
            objects: Arc::default(),
            objects_revision: 0,
            listening: None,
            record: None,
            related: BTreeMap::new(),
            killed: false,
            free_slot: Some(0),
            slots: None,
            spent_today: Usage::default(),
            spent_by_parts: Usage::default(),
            root: None,
            children: BTreeMap::new(),
            hold: Hold::Free,
        }
    }

    /// The same look, for the next step: only what that step leads to is read.
    pub(crate) async fn for_next(
        mut self,
        catalog: &Catalog,
        execution: &Execution,
        now: Timestamp,
    ) -> Result<Self, Error> {
        require_objects(&self.objects, &self.plan, execution)?;
        self.former = former_plan(catalog, execution, &self.plan).await?;
        let reads = pawl_engine::reads(&self.plan, execution);
        self.related = related(catalog, self.record.as_ref(), &self.objects, &reads).await?;
        self.free_slot = concurrency_slots::free(catalog.tables(), execution, self.slots).await?;
        self.spent_today = spent_today(catalog, &self.plan, execution, now).await?;
        self.spent_by_parts = spent_by_parts(catalog, &self.plan, execution, self.root.as_deref()).await?;
        Ok(self)
    }
}

/// Those who wait for the execution, as far as they are there.
fn heads(items: &[Option<Item>]) -> Result<BTreeMap<String, Execution>, Error> {
    let mut known = BTreeMap::new();
    for item in items.iter().flatten() {
        if let Some(head) = items::execution::parse(item)? {
            known.insert(head.id.clone(), head);
        }
    }
    Ok(known)
}

/// Executions that are read at once.
const CHILDREN_AT_ONCE: usize = 100;

/// The children that the execution waits for, and parts of it that are still open. One that cannot be read is not absent: a
/// decision waits for it.
async fn children(
    (catalog, blobs): (&Catalog, &dyn Blobs),
    execution: &Execution,
    plan: &Plan,
    now: Timestamp,
) -> Result<BTreeMap<String, ChildSeen>, Error> {
    let mut seen = BTreeMap::new();
    let ids = children_looked_at(execution);
    for some in ids.chunks(CHILDREN_AT_ONCE) {
        let keys: Vec<_> = some.iter().map(|id| (items::execution::TABLE, items::execution::key(id))).collect();
        for item in catalog.tables().get_many(&keys).await?.iter().flatten() {
            let Some(mut head) = items::execution::parse(item)? else { continue };
            if execution.parts.open.contains_key(&head.id) {
                seen.insert(head.id.clone(), ChildSeen::of_open_part(&head));
                continue;
            }
            // Only the result of one that has ended is looked at, and of a part what it changed.
            if head.status.is_ended() && head.region.is_some() {
                offload::restore_execution(blobs, &mut head).await?;
            } else if head.status.is_ended() {
                offload::restore_output(blobs, &mut head).await?;
            }
            seen.insert(head.id.clone(), ChildSeen::of(&head, execution));
        }
    }
    let kept = plan.workflow.retention.map(|retention| retention.approximate());
    for (id, part) in &execution.parts.open {
        let may_have_expired = kept.is_some_and(|kept| now.duration_since(part.since) >= kept);
        seen.entry(id.clone()).or_insert_with(|| ChildSeen::of_lost_part(part, may_have_expired));
    }
    Ok(seen)
}

/// The revision that the execution used last, if its step is not in the one in force.
async fn former_plan(catalog: &Catalog, execution: &Execution, plan: &Plan) -> Result<Option<Arc<Plan>>, Error> {
    let missing = execution.cursor.as_deref().is_some_and(|id| plan.step(id).is_none());
    if !missing || execution.revision == plan.revision {
        return Ok(None);
    }
    catalog.plan(&execution.workflow, execution.revision).await.map(Some)
}

/// The objects by which the record and what the step writes are read must be readable: without them a record would be
/// written without its unique values.
fn require_objects(objects: &Objects, plan: &Plan, execution: &Execution) -> Result<(), Error> {
    let step = execution.cursor.as_deref().and_then(|id| plan.step(id));
    let of_step = step.and_then(|step| step.kind.shape().object());
    let of_record = execution.record.as_ref().map(|record| record.object.as_str());
    if plan.reads_definitions {
        objects.require_definitions()?;
    }
    let looked_up = plan.looks_up.iter().map(String::as_str);
    of_step.into_iter().chain(of_record).chain(looked_up).try_for_each(|object| Ok(objects.require(object)?))
}

/// The records that expressions reach by relationships, by chain. One that cannot be read is not absent: a decision waits for it.
pub(crate) async fn related(
    catalog: &Catalog,
    record: Option<&Record>,
    objects: &Objects,
    reads: &Reads,
) -> Result<BTreeMap<String, Vec<Record>>, Error> {
    let mut related = BTreeMap::<String, Vec<Record>>::new();
    let Some(record) = record else { return Ok(related) };
    let Some(object) = objects.get(&record.object) else { return Ok(related) };
    for (chain, hop) in reads.hops(object, objects) {
        objects.require(&hop.relationship.object)?;
        let from = hop.from.as_ref().map_or(std::slice::from_ref(record), |from| Vec::as_slice(&related[from]));
        let ids = from.iter().flat_map(|record| ids_of(record.fields.get(hop.name)));
        let subject = |id: String| Subject { object: hop.relationship.object.clone(), id };
        let keys: Vec<_> = ids.map(|id| (items::record::TABLE, items::record::key(&subject(id)))).collect();
        let mut records = Vec::new();
        for chunk in keys.chunks(100) {
            let found = catalog.tables().get_many(chunk).await?;
            for item in found.iter().flatten() {
                records.push(items::record::parse(item)?);
            }
        }
        related.insert(chain, records);
    }
    Ok(related)
}

fn ids_of(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(id)) => vec![id.clone()],
        Some(Value::Array(ids)) => ids.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// Whether a budget of this kind limits the step at the cursor: it asks a model.
fn is_limited(plan: &Plan, execution: &Execution, per: BudgetPer) -> bool {
    let step = execution.cursor.as_deref().and_then(|id| plan.step(id));
    let asks_model = step.is_some_and(|step| step.kind.shape().asks_model().is_some());
    asks_model && plan.workflow.limits.budget.as_ref().is_some_and(|budget| budget.per == per)
}

/// What models cost today; read only before a step that asks one, and where a limit asks.
async fn spent_today(catalog: &Catalog, plan: &Plan, execution: &Execution, now: Timestamp) -> Result<Usage, Error> {
    if !is_limited(plan, execution, BudgetPer::Day) {
        return Ok(Usage::default());
    }
    let keys = items::usage::keys(&plan.workflow.id, now);
    let keys: Vec<_> = keys.into_iter().map(|key| (items::usage::TABLE, key)).collect();
    Ok(items::usage::parse(&catalog.tables().get_many(&keys).await?)?)
}

/// What models cost all parts of the tree; read only before a step of a part that asks one, and where a limit asks.
async fn spent_by_parts(
    catalog: &Catalog,
    plan: &Plan,
    execution: &Execution,
    root: Option<&str>,
) -> Result<Usage, Error> {
    let Some(root) = root.filter(|_| is_limited(plan, execution, BudgetPer::Execution)) else {
        return Ok(Usage::default());
    };
    let keys = items::tree_usage::keys(root).map(|key| (items::tree_usage::TABLE, key));
    Ok(items::usage::parse(&catalog.tables().get_many(&keys).await?)?)
}
