//! Begins a fork of an execution. A person asked for it, so no guard of starts holds it back.

use jiff::Timestamp;
use pawl_engine::{Execution, ForkStart, ids};

use super::Outcome;
use super::matching::{self, Matched, ToStart};
use super::start::{Asked, Starter, record_forgotten, too_old};
use crate::admission::{Admitted, Reason};
use crate::ports::{Consistency, Expect, Write};
use crate::{Error, items};

impl Starter {
    /// Begins it, or refuses it if values that it begins with were forgotten meanwhile.
    pub(super) async fn fork(
        &self,
        asked: &Asked<'_>,
        start: &ForkStart,
        forgotten: Option<Timestamp>,
    ) -> Result<Outcome, Error> {
        let Asked { plan, event, .. } = *asked;
        let now = self.clock.now();
        let gone = forgotten.map(|at| record_forgotten(event, at));
        if let Some(reason) = gone.or_else(|| too_old(plan, start.act.at, now)) {
            return self.refuse(asked, event.trigger.as_deref(), &reason).await;
        }
        if start.fork.refused.is_some() {
            return self.replay(asked, start, now).await;
        }
        let original = &start.fork.execution;
        let key = items::execution::key(original);
        let item = self.tables.get(items::execution::TABLE, &key, Consistency::Strong).await?;
        let head = item.as_ref().map(items::execution::parse).transpose()?.flatten();
        let (Some(item), Some(head)) = (item, head) else {
            let message = format!("the execution {original} has expired since the fork was asked for");
            return self.refuse(asked, event.trigger.as_deref(), &because("no_execution", message)).await;
        };
        if let Some(at) = head.forgotten {
            let message = format!("the values of the execution {original} were forgotten at {at}");
            return self.refuse(asked, event.trigger.as_deref(), &because("not_forkable", message)).await;
        }
        let slot_key = match matching::slot_key_of(&self.catalog, plan, event, now).await? {
            Ok(slot_key) => slot_key,
            Err(reason) => return self.refuse(asked, event.trigger.as_deref(), &reason).await,
        };
        let fork = ids::execution_id(&event.id, &plan.workflow.id);
        let still = Write::Check { table: items::execution::TABLE, key, expect: expected(&head, item.version) };
        let writes = vec![items::fork::write(original, &fork), still];
        self.create(asked, Admitted { writes, slot_key, ..Admitted::default() }, now).await
    }

    /// Begins an execution by an event that was refused. Its trigger decides anew; no guard holds it back.
    async fn replay(&self, asked: &Asked<'_>, start: &ForkStart, now: Timestamp) -> Result<Outcome, Error> {
        let Asked { plan, event, .. } = *asked;
        let ToStart { trigger, creation, unheard, slot_key, .. } =
            match matching::matched(&self.catalog, plan, event, now).await? {
                Matched::By(to_start) => to_start,
                Matched::Nobody => return Ok(Outcome::NoMatch),
                Matched::Refused(trigger, reason) => return self.refuse(asked, trigger.as_deref(), &reason).await,
            };
        // With others that are collected, the key would follow later.
        let slot_key = match slot_key {
            None => match matching::slot_key_of(&self.catalog, plan, event, now).await? {
                Ok(slot_key) => slot_key,
                Err(reason) => return self.refuse(asked, Some(&trigger), &reason).await,
            },
            slot_key => slot_key,
        };
        let key = items::execution::key(&start.fork.execution);
        let fork = ids::execution_id(&event.id, &plan.workflow.id);
        let still = Write::Check { table: items::execution::TABLE, key, expect: Expect::Present };
        let writes = vec![items::fork::write(&start.fork.execution, &fork), still];
        let admitted = Admitted { writes, trigger: Some(trigger), ..Admitted::default() };
        match self.create(asked, admitted.with((creation, unheard), slot_key), now).await {
            Err(error) if error.is_conflict() && !self.is_there(&start.fork.execution).await? => {
                let message = "the refusal has expired since the replay was asked for".to_owned();
                self.refuse(asked, event.trigger.as_deref(), &because("no_refusal", message)).await
            }
            result => result,
        }
    }

    async fn is_there(&self, execution: &str) -> Result<bool, Error> {
        let key = items::execution::key(execution);
        Ok(self.tables.get(items::execution::TABLE, &key, Consistency::Strong).await?.is_some())
    }
}

/// One that has ended changes only if it is forgotten or expires; one that goes on keeps its values.
fn expected(original: &Execution, version: u64) -> Expect {
    if original.status.is_ended() { Expect::Version(version) } else { Expect::Present }
}

fn because(code: &'static str, message: String) -> Reason {
    Reason { code, message, opens_breaker: false }
}
