//! When triggers will fire, as far as it can be told now.

use std::collections::BTreeMap;

use jiff::Timestamp;
use pawl_engine::{ActivityStatus, Plan, RecordActivity, Subject};

use super::Dates;
use crate::items::date::{self as stored, Dated};
use crate::ports::Query;
use crate::{Error, items};

/// Open activities of a record that are looked at: those that are due first.
const ACTIVITIES: usize = 50;

impl Dates {
    /// When the triggers of a workflow fire next for a record that has a date, or that open activities are about, by trigger.
    pub(crate) async fn firings(
        &self,
        workflow: &str,
        record: &Subject,
        plan: &Plan,
    ) -> Result<BTreeMap<String, Timestamp>, Error> {
        let of = Dated::Record(record.clone());
        let dated = plan.workflow.triggers.iter().filter(|trigger| trigger.kind.shape().date().is_some());
        let keys: Vec<_> = dated.map(|trigger| (stored::TABLE, stored::key(&of, (workflow, &trigger.id)))).collect();
        let entries = if keys.is_empty() { Vec::new() } else { self.tables.get_many(&keys).await? };
        let entries: Vec<_> = entries.into_iter().flatten().collect();
        let (entries, _) = self.catalog.unreadable().read(&entries, stored::parse);
        let mut firings: BTreeMap<_, _> = entries.into_iter().map(|entry| (entry.trigger, entry.at)).collect();
        firings.extend(self.of_activities(record, plan).await?);
        Ok(firings)
    }

    /// The same of triggers for overdue activities.
    async fn of_activities(&self, record: &Subject, plan: &Plan) -> Result<Vec<(String, Timestamp)>, Error> {
        let triggers = || plan.workflow.triggers.iter().filter_map(|one| Some((one, one.kind.shape().overdue()?)));
        if triggers().next().is_none() {
            return Ok(Vec::new());
        }
        let open = self.open_activities(record).await?;
        let delayed = self.following(plan, &Dated::Activity(String::new())).await?;
        let now = self.clock.now();
        let mut firings = Vec::new();
        for (trigger, keys) in triggers() {
            let around = delayed.iter().find(|one| one.trigger.id == trigger.id).map(|one| &one.around);
            let of_type = open.iter().filter(|activity| activity.activity == keys.activity);
            let at = of_type.filter_map(|activity| match around {
                Some(around) => Some(around.next_after(&activity.due?.to_string(), now)?.at),
                None => activity.due.filter(|due| *due > now),
            });
            firings.extend(at.min().map(|at| (trigger.id.clone(), at)));
        }
        Ok(firings)
    }

    /// The open activities of a record that are due first.
    async fn open_activities(&self, record: &Subject) -> Result<Vec<RecordActivity>, Error> {
        let rows = Query::of(items::activity::ROWS, items::activity::of_record(record));
        let rows = self.tables.query(&rows.range(items::activity::open()).limit(ACTIVITIES)).await?;
        let ids = rows.items.iter().map(items::activity::row_target).collect::<Result<Vec<_>, _>>()?;
        let keys: Vec<_> = ids.iter().map(|id| (items::activity::TABLE, items::activity::key(id))).collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let found: Vec<_> = self.tables.get_many(&keys).await?.into_iter().flatten().collect();
        let (read, _) = self.catalog.unreadable().read(&found, items::activity::parse);
        Ok(read.into_iter().filter(|activity| activity.status == ActivityStatus::Open).collect())
    }
}
