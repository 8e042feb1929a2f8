//! Actions that start a workflow on many records: on those of its object for which an expression is true, on those of a
//! group, or on those that were listed.
//!
//! The id of a start's event follows from the action and the record, and the id of the execution from that of the event. So
//! a start that is made again finds what it made.

use std::sync::Arc;

use pawl_definition::{Expression, Source, Trigger};
use pawl_engine::{Cause, Event, EventType, Plan, Record, Subject, ids};
use serde_json::{Map, Value, json};

use super::super::Operations;
use super::super::action::{Reason, Records, Starts, Target};
use super::pages::{Came, Candidate, Found};
use super::{ActionError, LISTED_MOST, VALUES_MOST};
use crate::evaluator::Outcome;
use crate::items::operation::Operation;
use crate::items::operation_records::{self, PER_ITEM};
use crate::place::Place;
use crate::ports::{Consistency, Index, Query, SortRange, TableError};
use crate::{Error, Objects, items};

/// The trigger by which people start workflows.
const MANUAL: &str = "manual";

/// What an expression over records may name.
const NAMES: [&str; 1] = ["record"];

impl Operations {
    /// Checks what an action starts, and on which records.
    pub(super) async fn check_starts(&self, starts: &Starts, listed: &[String]) -> Result<(), ActionError> {
        let bad = |path, detail| Err(ActionError::BadFilter { path, detail });
        let values = pawl_definition::json::bytes(&Value::Object(starts.values.clone()));
        if values > VALUES_MOST {
            return bad("values", format!("expected at most {VALUES_MOST} bytes of values, found {values}"));
        }
        let source = match &starts.records {
            Records::Listed { .. } if listed.is_empty() => return Err(ActionError::EmptyFilter),
            Records::Listed { .. } if listed.len() > LISTED_MOST => {
                return bad("records", format!("expected at most {LISTED_MOST} records, found {}", listed.len()));
            }
            // A group was checked when it was saved.
            Records::Listed { .. } | Records::Group { .. } => return Ok(()),
            Records::Where(source) => source,
        };
        let installation = self.catalog.read_installation().await?;
        let objects = self.catalog.objects(installation.objects_revision).await?;
        checked(source, &starts.object, &objects).map(drop).or_else(|detail| bad("where", detail))
    }

    /// Why a start on a record would be refused.
    pub(super) async fn would_refuse_start(
        &self,
        operation: &Operation,
        starts: &Starts,
        id: &str,
    ) -> Result<Option<Reason>, Error> {
        if let Some(reason) = self.lacks_record(starts, id).await? {
            return Ok(Some(reason));
        }
        let refused = self.starter.would_refuse(&starts.workflow, &event(operation, starts, id)).await?;
        Ok(refused.map(|(code, message)| Reason { code, message }))
    }

    /// Starts on one record, once.
    pub(super) async fn start_one(&self, operation: &Operation, starts: &Starts, id: &str) -> Result<Came, Error> {
        if let Some(reason) = self.lacks_record(starts, id).await? {
            return Ok(Came::Refused(reason));
        }
        let came = match self.starter.start(&starts.workflow, &event(operation, starts, id)).await? {
            Outcome::Started(_) | Outcome::Debounced(_) => Came::Done,
            Outcome::Refused { code, message } => Came::Refused(Reason { code, message }),
            Outcome::NoMatch => {
                let message = format!("there is no workflow {:?}", starts.workflow);
                Came::Refused(Reason::new("no_workflow", message))
            }
        };
        Ok(came)
    }

    /// A record that is not there, of those that were listed.
    async fn lacks_record(&self, starts: &Starts, id: &str) -> Result<Option<Reason>, Error> {
        if !matches!(starts.records, Records::Listed { .. }) {
            return Ok(None);
        }
        let subject = Subject { object: starts.object.clone(), id: id.to_owned() };
        let missing = Reason::new("no_record", format!("there is no record {subject}"));
        if !pawl_engine::fields::is_key(id) {
            return Ok(Some(missing));
        }
        let key = items::record::key(&subject);
        let item = self.tables.get(items::record::TABLE, &key, Consistency::Strong).await?;
        Ok(item.is_none().then_some(missing))
    }

    /// The next records of an action.
    pub(super) async fn search_records(
        &self,
        operation: &Operation,
        starts: &Starts,
        place: Place,
        limit: usize,
    ) -> Result<Found, Error> {
        match &starts.records {
            Records::Listed { count, .. } => {
                let count = usize::try_from(*count).unwrap_or(usize::MAX);
                self.search_listed(operation, count, (place, limit)).await
            }
            Records::Where(source) | Records::Group { test: source, .. } => {
                self.search_where((operation, starts), source, (place, limit)).await
            }
        }
    }

    /// The next of the records that were listed; the place is the number of the first one.
    async fn search_listed(
        &self,
        operation: &Operation,
        count: usize,
        (place, limit): (Place, usize),
    ) -> Result<Found, Error> {
        let key = operation_records::key(&operation.id, place.number / PER_ITEM);
        let item = self.tables.get(operation_records::TABLE, &key, Consistency::Strong).await?;
        let ids = item.as_ref().map(operation_records::parse).transpose()?.unwrap_or_default();
        let some: Vec<_> = ids.into_iter().skip(place.number % PER_ITEM).take(limit).collect();
        let number = place.number + some.len();
        // What is not there any more ends the search, rather than repeating it for ever.
        let next = (number < count && !some.is_empty()).then_some(Place { number, cursor: None });
        let candidates = some.into_iter().map(|id| candidate(id, None)).collect();
        Ok(Found { candidates, next })
    }

    /// The next of the object's records for which an expression is true, in the order in which they were made. A record that
    /// cannot be read, or of which the expression cannot be evaluated, is told as failed.
    async fn search_where(
        &self,
        (operation, starts): (&Operation, &Starts),
        source: &str,
        (place, limit): (Place, usize),
    ) -> Result<Found, Error> {
        let range = SortRange::Between("0".to_owned(), items::sortable(operation.begun_at));
        let query = Query::of_index(items::record::TABLE, Index::Gsi1, items::record::of_object(&starts.object));
        let query = query.range(range).limit(limit);
        let page = match self.tables.query(&query.clone().after(place.cursor.clone())).await {
            Err(TableError::Invalid(_)) if place.cursor.is_some() => self.tables.query(&query).await?,
            page => page?,
        };
        let Some(plan) = self.plan_of(&starts.workflow).await? else {
            return Ok(Found { candidates: Vec::new(), next: None });
        };
        let filter = trigger(source);
        let mut candidates = Vec::new();
        for item in &page.items {
            let record = match items::record::parse(item) {
                Ok(record) if record.is_archived() || record.forgotten.is_some() => continue,
                Ok(record) => record,
                Err(unreadable) => {
                    self.catalog.unreadable().pass_over(&unreadable);
                    let reason = Reason::new("unreadable_item", unreadable.to_string());
                    candidates.push(candidate(item.key.sort.clone(), Some(reason)));
                    continue;
                }
            };
            let Record { id, .. } = record;
            match self.starter.passes((&plan, &filter), &event(operation, starts, &id)).await {
                Ok(true) => candidates.push(candidate(id, None)),
                Ok(false) => {}
                Err(error) => candidates.push(candidate(id, Some(why(error)?))),
            }
        }
        let next = page.next.map(|cursor| Place { number: 0, cursor: Some(cursor) });
        Ok(Found { candidates, next })
    }

    async fn plan_of(&self, workflow: &str) -> Result<Option<Arc<Plan>>, Error> {
        let Some(head) = self.catalog.head(workflow).await? else { return Ok(None) };
        self.catalog.plan(workflow, head.revision).await.map(Some)
    }
}

/// Why an expression could not be evaluated on a record: its own failure, or an item that cannot be read.
fn why(error: Result<pawl_engine::StepError, Error>) -> Result<Reason, Error> {
    match error {
        Ok(error) => Ok(Reason::new("filter_error", error.message)),
        Err(error) if error.is_transient() => Err(error),
        Err(error) => Ok(Reason::new(error.code(), error.to_string())),
    }
}

fn candidate(id: String, failed: Option<Reason>) -> Candidate {
    Candidate { target: Target { id, failed }, failure: None }
}

/// The event that starts the workflow on a record: as a person who starts it by hand.
fn event(operation: &Operation, starts: &Starts, id: &str) -> Event {
    let by = operation.action.as_ref().map(|action| action.by.actor.clone()).unwrap_or_default();
    let mut data = Map::new();
    data.insert("values".to_owned(), Value::Object(starts.values.clone()));
    data.insert("actor".to_owned(), by.into());
    Event {
        id: ids::action_event_id(&operation.id, &starts.object, id),
        kind: EventType::Manual,
        workflow: Some(starts.workflow.clone()),
        trigger: Some(MANUAL.to_owned()),
        subject: Some(Subject { object: starts.object.clone(), id: id.to_owned() }),
        occurred_at: operation.begun_at,
        data,
        creation: None,
        cause: Cause::default(),
        parent: None,
        region: None,
        fork: None,
        debug: false,
    }
}

/// An expression over records as the filter of a trigger, which is how it is evaluated.
fn trigger(source: &str) -> Trigger {
    serde_json::from_value(json!({"id": "where", "type": MANUAL, "filter": source}))
        .expect("an expression that was checked is one")
}

/// Checks an expression over the records of an object as strictly as the filter of a trigger.
fn checked(source: &str, object: &str, objects: &Objects) -> Result<Expression, String> {
    let file = json!({
        "workflow": "where", "owner": "", "object": object,
        "triggers": [{"id": "where", "type": MANUAL, "filter": source}],
        "steps": [{"id": "end", "type": "note", "text": ""}],
    });
    let (_, problems) = pawl_definition::check_workflow(&Source::from_value("where", file), objects);
    let mistake = problems.iter().find(|problem| problem.is_error() && problem.path.ends_with("filter"));
    if let Some(mistake) = mistake {
        return Err(mistake.message.clone());
    }
    let expression = Expression::parse(source).map_err(|error| error.to_string())?;
    let other = expression.roots().iter().find(|name| !NAMES.contains(&name.as_str()));
    if let Some(other) = other {
        return Err(format!("expected an expression over `record`, found one that reads `{other}`"));
    }
    if !expression.secrets().is_empty() {
        return Err("expected an expression without `secret`, found one".to_owned());
    }
    Ok(expression)
}
