//! Workflows and objects as they are in force.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use pawl_definition::{Around, Calendar, Definitions, Object, Workflow, WorkflowCalendar};
use pawl_engine::{Plan, RecordWrite};

use crate::blocks::{BlockSizes, Blocks};
use crate::items::{self, Unreadable};
use crate::ports::{Consistency, Item, Pages, Query, Tables};
use crate::{DefaultRetention, Error, ExecutorOptions, UnreadableItems, changes, listeners};

/// How many prepared revisions are kept in memory.
const KEPT_PLANS: usize = 1_000;

/// How many topics are kept in memory with what is listened on.
const KEPT_TOPICS: usize = 1_000;

/// The dimensions of a topic under which somebody is listed; `None` if they cannot be read.
type Listened = Arc<Option<Vec<String>>>;

/// Objects by id, and those that cannot be read; and the other definitions of the same revision.
#[derive(Debug, Default)]
pub struct Objects {
    readable: BTreeMap<String, Object>,
    unreadable: BTreeMap<String, Unreadable>,
    /// Groups, calendars and other definitions.
    pub definitions: Definitions,
    unreadable_definitions: Vec<Unreadable>,
}

impl<'a> From<&'a Objects> for Around<'a> {
    fn from(objects: &'a Objects) -> Self {
        Around::new(objects).with(&objects.definitions)
    }
}

impl Objects {
    /// Requires that an object can be read, if it is there.
    pub fn require(&self, object: &str) -> Result<(), Unreadable> {
        self.unreadable.get(object).map_or(Ok(()), |unreadable| Err(unreadable.clone()))
    }

    /// Requires that all of them can be read, and all other definitions.
    pub fn require_all(&self) -> Result<(), Unreadable> {
        self.require_objects()?;
        self.require_definitions()
    }

    /// Requires that all of them can be read.
    pub fn require_objects(&self) -> Result<(), Unreadable> {
        self.unreadable.values().next().map_or(Ok(()), |unreadable| Err(unreadable.clone()))
    }

    /// Requires that all other definitions can be read: without one, what reads it would be decided as if it were not there.
    pub fn require_definitions(&self) -> Result<(), Unreadable> {
        self.unreadable_definitions.first().map_or(Ok(()), |unreadable| Err(unreadable.clone()))
    }
}

impl Deref for Objects {
    type Target = BTreeMap<String, Object>;

    fn deref(&self) -> &Self::Target {
        &self.readable
    }
}

/// Reads workflows and objects, and keeps what never changes: prepared revisions, and objects by their revision.
pub struct Catalog {
    tables: Arc<dyn Tables>,
    unreadable: Arc<UnreadableItems>,
    plans: Mutex<BTreeMap<(String, u64), Arc<Plan>>>,
    objects: Mutex<Option<(u64, Arc<Objects>)>>,
    /// The dimensions under which somebody is listed, by topic, each as of a change of what is listened on.
    listened: Mutex<BTreeMap<String, (u64, Listened)>>,
    retention: DefaultRetention,
    expires: bool,
    block_sizes: BlockSizes,
    marks_unheard: bool,
}

impl Catalog {
    /// Makes an empty one over the tables.
    pub fn new(tables: Arc<dyn Tables>, unreadable: Arc<UnreadableItems>) -> Self {
        Self {
            tables,
            unreadable,
            plans: Mutex::default(),
            objects: Mutex::default(),
            listened: Mutex::default(),
            retention: DefaultRetention::default(),
            expires: true,
            block_sizes: BlockSizes::default(),
            marks_unheard: false,
        }
    }

    /// Keeps ended executions, splits limits and marks changes as the options say.
    #[must_use]
    pub(crate) fn with_options(self, options: &ExecutorOptions) -> Self {
        let ExecutorOptions { retention, expires, block_sizes, marks_unheard, .. } = *options;
        Self { retention, expires, block_sizes, marks_unheard, ..self }
    }

    /// The blocks of a limit of `concurrency`.
    pub(crate) fn slots(&self, limit: u32) -> Blocks {
        Blocks::new(limit, self.block_sizes.slots)
    }

    /// The blocks of a limit of `starts`.
    pub(crate) fn starts(&self, limit: u32) -> Blocks {
        Blocks::new(limit, self.block_sizes.starts)
    }

    /// Forgets what it keeps.
    pub(crate) fn forget(&self) {
        self.plans.lock().expect("no holder panics").clear();
        *self.objects.lock().expect("no holder panics") = None;
        self.listened.lock().expect("no holder panics").clear();
    }

    /// Whether nobody seems to listen to changes of records, as of a count of the installation's controls. It is no more than
    /// a guess from before the changes are committed: whoever is told of them asks anew.
    pub(crate) async fn are_unheard(&self, listening: u64, changes: &[&RecordWrite]) -> Result<bool, Error> {
        if !self.marks_unheard || changes.is_empty() {
            return Ok(false);
        }
        for change in changes {
            let Some(event) = changes::of_records(change.before.as_ref(), &change.after) else { continue };
            for topic in event.workflow_topics() {
                let dimensions = self.listened_on(listening, &topic).await?;
                let may_hear = |dimension: &String| pawl_engine::triggers::may_hear(dimension, &event);
                if dimensions.as_ref().as_ref().is_none_or(|all| all.iter().any(may_hear)) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Whether somebody listens for the ends of executions of a workflow, as of a count of the installation's controls: a workflow that is
    /// active, or a step that may wait.
    pub(crate) async fn is_end_heard(&self, listening: u64, workflow: &str) -> Result<bool, Error> {
        for topic in pawl_engine::end_topics(workflow) {
            if self.listened_on(listening, &topic).await?.as_ref().as_ref().is_none_or(|all| !all.is_empty()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn listened_on(&self, listening: u64, topic: &str) -> Result<Listened, Error> {
        if let Some((kept, dimensions)) = self.listened.lock().expect("no holder panics").get(topic)
            && *kept == listening
        {
            return Ok(dimensions.clone());
        }
        let dimensions = Arc::new(listeners::in_use(&*self.tables, topic).await?);
        let mut listened = self.listened.lock().expect("no holder panics");
        if listened.len() >= KEPT_TOPICS {
            listened.clear();
        }
        listened.insert(topic.to_owned(), (listening, dimensions.clone()));
        Ok(dimensions)
    }

    /// A prepared revision.
    pub async fn plan(&self, workflow: &str, revision: u64) -> Result<Arc<Plan>, Error> {
        let key = (workflow.to_owned(), revision);
        if let Some(plan) = self.plans.lock().expect("no holder panics").get(&key) {
            return Ok(plan.clone());
        }
        let stored_at = items::workflow::revision_key(workflow, revision);
        let item = self.tables.get(items::workflow::TABLE, &stored_at, Consistency::Strong).await?;
        let item = item.ok_or_else(|| Error::NoWorkflow(workflow.to_owned(), revision))?;
        let stored = items::workflow::parse_revision(&item)?;
        let mut parsed: Workflow = serde_json::from_value(stored.source).map_err(|error| Unreadable {
            key: format!("{}/{}", item.key.partition, item.key.sort),
            reason: items::misshapen(&error),
        })?;
        parsed.retention = parsed.retention.or(self.retention.0).filter(|_| self.expires);
        let plan = Arc::new(Plan::new(Arc::new(parsed), revision));
        let mut plans = self.plans.lock().expect("no holder panics");
        if plans.len() >= KEPT_PLANS {
            plans.clear();
        }
        plans.insert(key, plan.clone());
        Ok(plan)
    }

    /// The head of a workflow.
    pub async fn head(&self, workflow: &str) -> Result<Option<items::workflow::Head>, Error> {
        let key = items::workflow::head_key(workflow);
        let item = self.tables.get(items::workflow::TABLE, &key, Consistency::Strong).await?;
        Ok(item.as_ref().map(items::workflow::parse_head).transpose()?)
    }

    /// The controls of the installation, given their item.
    pub fn installation(item: Option<&Item>) -> Result<items::installation::Installation, Error> {
        Ok(item.map(items::installation::parse).transpose()?.unwrap_or_default())
    }

    /// Reads the controls of the installation.
    pub async fn read_installation(&self) -> Result<items::installation::Installation, Error> {
        let item =
            self.tables.get(items::installation::TABLE, &items::installation::key(), Consistency::Strong).await?;
        Self::installation(item.as_ref())
    }

    /// All objects, as of a revision of the objects that was read from the installation's controls. They are kept if all
    /// of them can be read.
    pub async fn objects(&self, revision: u64) -> Result<Arc<Objects>, Error> {
        if let Some((kept, objects)) = &*self.objects.lock().expect("no holder panics")
            && *kept == revision
        {
            return Ok(objects.clone());
        }
        let mut objects = Objects::default();
        let mut pages = Pages::of(&*self.tables, Query::of(items::object::TABLE, items::object::ALL));
        while let Some(page) = pages.next().await? {
            for item in page {
                self.add(&mut objects, &item, item.key.sort.clone());
            }
        }
        for item in Pages::of(&*self.tables, Query::of(items::definition::TABLE, items::definition::ALL)).all().await? {
            self.add_definition(&mut objects, &item);
        }
        // One that was saved meanwhile is of a later revision, and what is decided on it could not be decided again.
        if self.read_installation().await?.objects_revision != revision {
            objects = self.objects_as_of(revision).await?;
        }
        let objects = Arc::new(objects);
        if objects.require_all().is_ok() {
            *self.objects.lock().expect("no holder panics") = Some((revision, objects.clone()));
        }
        Ok(objects)
    }

    /// All objects as they were with a revision of the objects: of each the last save that is not later.
    pub async fn objects_as_of(&self, revision: u64) -> Result<Objects, Error> {
        let query = Query::of(items::object::TABLE, items::object::REVISIONS);
        let mut found = BTreeMap::new();
        for item in Pages::of(&*self.tables, query).all().await? {
            let Some((id, _)) = item.key.sort.rsplit_once('#') else { continue };
            if items::object::revision_of(&item.key).is_some_and(|saved| saved <= revision) {
                found.insert(id.to_owned(), item);
            }
        }
        let mut objects = Objects::default();
        for (id, item) in found {
            self.add(&mut objects, &item, id);
        }
        let query = Query::of(items::definition::TABLE, items::definition::REVISIONS);
        let mut found = BTreeMap::new();
        for item in Pages::of(&*self.tables, query).all().await? {
            let Some((kind, id, Some(saved))) = items::definition::named(&item.key) else { continue };
            if saved <= revision {
                found.insert((kind, id.to_owned()), item);
            }
        }
        for item in found.into_values() {
            self.add_definition(&mut objects, &item);
        }
        Ok(objects)
    }

    /// The business days of a calendar as it is now.
    pub async fn calendar(&self, calendar: &WorkflowCalendar) -> Result<Calendar, Error> {
        let objects = if calendar.named().is_some() {
            let revision = self.read_installation().await?.objects_revision;
            self.objects(revision).await?
        } else {
            Arc::default()
        };
        if let Some(calendar) = calendar.resolve(&objects.definitions) {
            return Ok(calendar.into_owned());
        }
        objects.require_definitions()?;
        Err(Error::NoCalendar(calendar.named().unwrap_or_default().to_owned()))
    }

    /// Adds a definition, unless it was deleted.
    fn add_definition(&self, objects: &mut Objects, item: &Item) {
        let Some((kind, id, _)) = items::definition::named(&item.key) else { return };
        let unlike = |error: serde_json::Error| items::unreadable(item, items::misshapen(&error));
        let read = match items::definition::parse(item) {
            Ok(saved) if saved.source.is_null() => Ok(()),
            Ok(saved) => objects.definitions.insert(kind, id, &saved.source).map_err(unlike),
            Err(error) => Err(error),
        };
        if let Err(error) = read {
            self.unreadable.pass_over(&error);
            objects.unreadable_definitions.push(error);
        }
    }

    fn add(&self, objects: &mut Objects, item: &Item, id: String) {
        match items::object::parse(item) {
            Ok(object) => drop(objects.readable.insert(object.id.clone(), object)),
            Err(error) => {
                self.unreadable.pass_over(&error);
                objects.unreadable.insert(id, error);
            }
        }
    }

    /// Passes over what cannot be read.
    pub(crate) fn unreadable(&self) -> &UnreadableItems {
        &self.unreadable
    }

    /// The same, for others who read.
    pub(crate) fn shared_unreadable(&self) -> Arc<UnreadableItems> {
        self.unreadable.clone()
    }

    /// The tables that it reads.
    pub fn tables(&self) -> &dyn Tables {
        &*self.tables
    }
}
