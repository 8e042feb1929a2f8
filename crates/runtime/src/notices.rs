//! Notices to people: committed with the transition, handed on after it, and again by the sweeper if that failed.

use std::sync::Arc;

use pawl_definition::Severity;

use crate::ports::{Durability, Expect, Index, Item, Notice, Notifier, Query, Tables, Transaction, Write};
use crate::{Error, Metrics, UnreadableItems, items};

/// Hands notices on.
pub struct Notices {
    tables: Arc<dyn Tables>,
    notifier: Arc<dyn Notifier>,
    unreadable: Arc<UnreadableItems>,
    metrics: Arc<Metrics>,
}

impl Notices {
    /// Over these ports.
    pub fn new(
        tables: Arc<dyn Tables>,
        notifier: Arc<dyn Notifier>,
        (unreadable, metrics): (Arc<UnreadableItems>, Arc<Metrics>),
    ) -> Self {
        Self { tables, notifier, unreadable, metrics }
    }

    /// Stores a notice that belongs to no transition, and hands it on.
    pub(crate) async fn post(&self, notice: &Notice) -> Result<(), Error> {
        let put =
            Write::Put { table: items::notice::TABLE, item: items::notice::item(notice, false), expect: Expect::Any };
        self.tables.transact(Transaction { writes: vec![put], durability: Durability::Durable }).await?;
        self.hand_on(notice).await;
        Ok(())
    }

    /// Hands a stored notice on. A failure is logged and left to the sweeper: what the notice is about stands.
    pub(crate) async fn hand_on(&self, notice: &Notice) {
        if let Err(error) = self.try_hand_on(notice).await {
            tracing::warn!(notice_id = %notice.id, "notice {} is not handed on yet: {error}", notice.id);
        }
    }

    async fn try_hand_on(&self, notice: &Notice) -> Result<(), Error> {
        self.notifier.notify(notice.clone()).await?;
        Metrics::count(&self.metrics.notices_sent);
        if notice.severity == Severity::Critical.as_str() {
            Metrics::count(&self.metrics.notices_critical);
        }
        let put = Write::Put {
            table: items::notice::TABLE,
            item: items::notice::item(notice, true),
            expect: Expect::Present,
        };
        Ok(self.tables.transact(Transaction { writes: vec![put], durability: Durability::Ordered }).await?)
    }

    /// Notices that are not handed on yet, oldest first.
    pub(crate) fn unsent() -> Query {
        Query::of_index(items::notice::TABLE, Index::Gsi1, items::notice::UNSENT)
    }

    /// Hands on those of a page.
    pub(crate) async fn hand_on_all(&self, page: &[Item]) {
        let (notices, _) = self.unreadable.read(page, items::notice::parse);
        for notice in &notices {
            self.hand_on(notice).await;
        }
    }
}
