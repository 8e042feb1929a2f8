//! Which workflows an event may start: an index by terms, kept with the heads of workflows and asked by the evaluator.
//!
//! A workflow is listed under the terms of its triggers (see `pawl_engine::triggers`), in the transaction that writes its
//! head, and only while it is active. An event reads the first page of its topic. If that is all of it, it looks at each
//! item; else it reads only what stands under its own values in the dimensions that are in use. So what an evaluation
//! costs depends on how many different things the triggers of an object ask, not on how many workflows ask them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::lock::Mutex;
use pawl_engine::Event;
use pawl_engine::triggers::{self, Answer, RecordSight};

use crate::items::listener::{self, Dimensions};
use crate::items::workflow::Head;
use crate::partition::Partition;
use crate::ports::{Consistency, Expect, Item, SortRange, TableError, Tables, Write};
use crate::{Catalog, Error, items};

/// Items of a topic that are read before its dimensions are asked: about what one read unit of `DynamoDB` holds.
const FIRST: usize = 32;
/// Dimensions of one topic, which bounds the reads of an event. A term of one more is listed under a wider one.
const MOST_DIMENSIONS: usize = 64;
/// Items of a workflow: a transaction has 100 writes, of which the copies of its head and of the installation's controls are
/// 16 each, and an edit may take all away and put all anew.
const MOST_TERMS: usize = 24;

/// The first items of topics, each read once for events that are handed over together: all of them had happened before the
/// read, so what was saved before any of them is found.
#[derive(Debug, Default)]
pub struct TopicReads(Mutex<BTreeMap<String, Arc<FirstItems>>>);

/// The first items of a topic, and whether there are more.
type FirstItems = (Vec<Item>, bool);

impl TopicReads {
    /// Those of a topic. Others wait for a read that is under way.
    async fn first(&self, partition: Partition<'_>) -> Result<Arc<FirstItems>, TableError> {
        let mut read = self.0.lock().await;
        if let Some(first) = read.get(partition.name) {
            return Ok(first.clone());
        }
        let first = Arc::new(partition.first(FIRST).await?);
        read.insert(partition.name.to_owned(), first.clone());
        Ok(first)
    }
}

/// The workflows that may hear an event, by id.
pub(crate) async fn of(catalog: &Catalog, event: &Event, reads: &TopicReads) -> Result<BTreeSet<String>, Error> {
    let mut asking = Asking { catalog, event, record: None };
    let mut workflows = BTreeSet::new();
    for topic in event.workflow_topics() {
        workflows.extend(on_topic(&mut asking, &topic, reads).await?);
    }
    Ok(workflows)
}

async fn on_topic(asking: &mut Asking<'_>, topic: &str, reads: &TopicReads) -> Result<BTreeSet<String>, Error> {
    let name = listener::partition(topic);
    let partition = partition(asking.catalog.tables(), &name);
    let first_items = reads.first(partition).await?;
    let (first, more) = &*first_items;
    if !more {
        return asking.among(first).await;
    }
    let dimensions = first.first().map(listener::parse_dimensions).transpose();
    let Ok(Some(Dimensions { used })) = dimensions else {
        // They cannot be read: everything is looked at.
        return asking.among(&partition.all(SortRange::All).await?).await;
    };
    let mut workflows = BTreeSet::new();
    for dimension in used.keys() {
        let values = match asking.answer(dimension).await? {
            Answer::Values(values) => Some(values),
            Answer::Anything => None,
            Answer::Nothing | Answer::NeedsRecord => continue,
        };
        let range = SortRange::Prefix(listener::prefix(dimension, values.as_deref()));
        let found = partition.all(range).await?;
        workflows.extend(found.iter().filter_map(|item| Some(listener::parse(item)?.2.to_owned())));
    }
    Ok(workflows)
}

/// An event that is held against an index.
struct Asking<'a> {
    catalog: &'a Catalog,
    event: &'a Event,
    /// Read when the first dimension looks at it.
    record: Option<RecordSight>,
}

impl Asking<'_> {
    /// The workflows of those items whose terms it may meet.
    async fn among(&mut self, items: &[Item]) -> Result<BTreeSet<String>, Error> {
        let mut workflows = BTreeSet::new();
        let mut last = None;
        for (dimension, values, workflow) in items.iter().filter_map(listener::parse) {
            let answer = match last.take() {
                Some((same, answer)) if same == dimension => answer,
                _ => self.answer(dimension).await?,
            };
            let is_met = match &answer {
                Answer::Values(own) => own == values,
                Answer::Anything => true,
                Answer::Nothing | Answer::NeedsRecord => false,
            };
            if is_met {
                workflows.insert(workflow.to_owned());
            }
            last = Some((dimension, answer));
        }
        Ok(workflows)
    }

    async fn answer(&mut self, dimension: &str) -> Result<Answer, Error> {
        match triggers::answer(dimension, self.event, self.record.as_ref()) {
            Answer::NeedsRecord => {
                let record = self.read_record().await?;
                let answer = triggers::answer(dimension, self.event, Some(&record));
                self.record = Some(record);
                Ok(answer)
            }
            answer => Ok(answer),
        }
    }

    /// The record as it is now, as filters see it.
    async fn read_record(&self) -> Result<RecordSight, Error> {
        let mut keys = vec![(items::installation::TABLE, items::installation::key())];
        keys.extend(self.event.subject.iter().map(|subject| (items::record::TABLE, items::record::key(subject))));
        let found = self.catalog.tables().get_many(&keys).await?;
        let installation = Catalog::installation(found[0].as_ref())?;
        let objects = self.catalog.objects(installation.objects_revision).await?;
        self.event.subject.iter().try_for_each(|subject| objects.require(&subject.object))?;
        let record = found.get(1).and_then(Option::as_ref).map(items::record::parse).transpose()?;
        Ok(RecordSight::of(record.as_ref(), &objects))
    }
}

fn partition<'a>(tables: &'a dyn Tables, name: &'a str) -> Partition<'a> {
    Partition { tables, table: listener::TABLE, name }
}

/// Lists a workflow under the terms of its triggers while it is active, and under those of what its steps wait for always:
/// sets what its head says of that, and returns what is written beside the head. What steps of an earlier revision wait for
/// stays listed, since executions may wait there. Others who list at the same time make the transaction conflict.
pub(crate) async fn list(
    tables: &dyn Tables,
    before: Option<&Head>,
    after: &mut Head,
    terms: BTreeSet<String>,
) -> Result<Vec<Write>, Error> {
    let empty = BTreeSet::new();
    let old = before.map_or(&empty, |head| &head.listed);
    let mut wanted: BTreeSet<String> = old.iter().filter(|term| triggers::is_awaited(term)).cloned().collect();
    wanted.extend(terms.into_iter().filter(|term| after.active || triggers::is_awaited(term)));
    let wanted = bounded(wanted);
    let topics: BTreeSet<_> = old.symmetric_difference(&wanted).map(|term| listener::topic_of(term)).collect();
    let mut stored = BTreeMap::new();
    for topic in topics {
        stored.insert(topic.to_owned(), dimensions(tables, topic).await?);
    }
    after.listed = wanted.into_iter().map(|term| with_room(term, &mut stored)).collect();
    let mut writes = Vec::new();
    for term in old.difference(&after.listed) {
        count(&mut stored, term, false);
        let key = listener::key(term, &after.id);
        writes.push(Write::Delete { table: listener::TABLE, key, expect: Expect::Any });
    }
    for term in after.listed.difference(old) {
        count(&mut stored, term, true);
        let item = listener::item(term, &after.id);
        writes.push(Write::Put { table: listener::TABLE, item, expect: Expect::Any });
    }
    if writes.is_empty() {
        return Ok(writes);
    }
    writes.extend(stored.into_iter().map(|(topic, (version, used))| Write::Put {
        table: listener::TABLE,
        item: listener::dimensions_item(&topic, &Dimensions { used }, version.unwrap_or(0) + 1),
        expect: version.map_or(Expect::Absent, Expect::Version),
    }));
    writes.push(counted(tables).await?);
    Ok(writes)
}

/// The controls of the installation with one more change of what is listened on.
async fn counted(tables: &dyn Tables) -> Result<Write, Error> {
    let stored = tables.get(items::installation::TABLE, &items::installation::key(), Consistency::Strong).await?;
    let version = stored.as_ref().map(|item| item.version);
    let mut controls = Catalog::installation(stored.as_ref())?;
    controls.listening += 1;
    Ok(Write::Put {
        table: items::installation::TABLE,
        item: items::installation::item(&controls, version.unwrap_or(0) + 1),
        expect: version.map_or(Expect::Absent, Expect::Version),
    })
}

/// The dimensions under which somebody is listed on a topic; `None` if they cannot be read.
pub(crate) async fn in_use(tables: &dyn Tables, topic: &str) -> Result<Option<Vec<String>>, TableError> {
    let item = tables.get(listener::TABLE, &listener::dimensions_key(topic), Consistency::Strong).await?;
    let dimensions = item.as_ref().map(listener::parse_dimensions).transpose();
    Ok(dimensions.ok().map(|found| found.unwrap_or_default().used.into_keys().collect()))
}

/// So many terms that they fit a transaction: the fewer probes, the fewer terms.
fn bounded(mut terms: BTreeSet<String>) -> BTreeSet<String> {
    while terms.len() > MOST_TERMS {
        let wider: BTreeSet<_> =
            terms.iter().map(|term| triggers::widened(term).unwrap_or_else(|| term.clone())).collect();
        if wider == terms {
            break;
        }
        terms = wider;
    }
    terms
}

/// The version of what is stored, and the number of items by dimension.
type Counted = (Option<u64>, BTreeMap<String, u64>);

async fn dimensions(tables: &dyn Tables, topic: &str) -> Result<Counted, TableError> {
    let item = tables.get(listener::TABLE, &listener::dimensions_key(topic), Consistency::Strong).await?;
    let version = item.as_ref().map(|item| item.version);
    if let Ok(found) = item.as_ref().map(listener::parse_dimensions).transpose() {
        return Ok((version, found.unwrap_or_default().used));
    }
    // They cannot be read: they are counted anew.
    let mut used = BTreeMap::new();
    for (dimension, ..) in
        partition(tables, &listener::partition(topic)).all(SortRange::All).await?.iter().filter_map(listener::parse)
    {
        *used.entry(dimension.to_owned()).or_default() += 1;
    }
    Ok((version, used))
}

/// The term, or a wider one if its topic has no room for another dimension.
fn with_room(mut term: String, stored: &mut BTreeMap<String, Counted>) -> String {
    let Some((_, used)) = stored.get_mut(listener::topic_of(&term)) else { return term };
    while used.len() >= MOST_DIMENSIONS && !used.contains_key(listener::dimension_of(&term)) {
        let Some(wider) = triggers::widened(&term) else { break };
        term = wider;
    }
    // It is counted when it is listed.
    used.entry(listener::dimension_of(&term).to_owned()).or_default();
    term
}

fn count(stored: &mut BTreeMap<String, Counted>, term: &str, comes: bool) {
    let Some((_, used)) = stored.get_mut(listener::topic_of(term)) else { return };
    let dimension = listener::dimension_of(term);
    let items = used.entry(dimension.to_owned()).or_default();
    *items = if comes { *items + 1 } else { items.saturating_sub(1) };
    if *items == 0 {
        used.remove(dimension);
    }
}
