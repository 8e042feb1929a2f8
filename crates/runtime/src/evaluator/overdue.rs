//! Activities whose time has passed.

use jiff::Timestamp;
use pawl_engine::overdue;

use super::Evaluator;
use crate::ports::{Consistency, Durability, Expect, Transaction, Write};
use crate::{Error, TopicReads, items};

impl Evaluator {
    /// Tells who listens that an activity is overdue, if it is. Doing it again starts nothing twice: the events have ids of the
    /// activity and of the time at which it was due, and that time is taken away only after they have come to something.
    pub(super) async fn overdue(&self, activity: &str, deadline: Option<Timestamp>) -> Result<(), Error> {
        let key = items::due_activity::key(activity);
        let Some(item) = self.tables.get(items::due_activity::TABLE, &key, Consistency::Strong).await? else {
            return Ok(());
        };
        let due = items::due_activity::parse(&item)?;
        if due.at > self.clock.now() {
            return Ok(());
        }
        let at = (items::activity::TABLE, items::activity::key(activity));
        let stored = self.tables.get(at.0, &at.1, Consistency::Strong).await?;
        let stored = stored.as_ref().map(items::activity::parse).transpose()?;
        for event in stored.filter(|stored| stored.due == Some(due.at)).iter().flat_map(overdue) {
            self.evaluate_with(event, &TopicReads::default(), deadline).await?;
        }
        let delete =
            Write::Delete { table: items::due_activity::TABLE, key: item.key, expect: Expect::Version(item.version) };
        match self.tables.transact(Transaction { writes: vec![delete], durability: Durability::Ordered }).await {
            // It was moved meanwhile, or the activity has ended.
            Err(error) if Error::from(error.clone()).is_conflict() => Ok(()),
            result => Ok(result?),
        }
    }
}
