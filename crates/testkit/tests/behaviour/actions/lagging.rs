//! Indexes that tell late of what an action did.

use std::sync::Arc;

use async_trait::async_trait;
use pawl_engine::Status;
use pawl_runtime::items;
use pawl_runtime::ports::{Consistency, Item, Key, Page, Ports, Query, Table, TableError, Tables, Transaction};
use pawl_runtime::{ExecutorOptions, Selection, System, Verb};
use pawl_testkit::scenario::{manual, scenario, waiting};

use super::{all_done, asked, at_once, control, state};
use crate::support::workflow;

/// Storage whose list of paused executions shows others, too, as they once were.
struct Lagging {
    ports: Ports,
    once: Vec<Item>,
}

#[async_trait]
impl Tables for Lagging {
    async fn get(&self, table: Table, key: &Key, consistency: Consistency) -> Result<Option<Item>, TableError> {
        self.ports.tables.get(table, key, consistency).await
    }

    async fn get_many(&self, keys: &[(Table, Key)]) -> Result<Vec<Option<Item>>, TableError> {
        self.ports.tables.get_many(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, TableError> {
        let mut page = self.ports.tables.query(query).await?;
        if query.partition == items::execution::of_status(Status::Paused) {
            page.items.extend(self.once.clone());
        }
        Ok(page)
    }

    async fn transact(&self, transaction: Transaction) -> Result<(), TableError> {
        self.ports.tables.transact(transaction).await
    }
}

/// Bug: such executions were counted again, although nothing was done to them.
#[test]
fn bug_what_an_index_tells_late_of_is_counted_once() {
    let nap = "  - {id: nap, type: delay, for: 1h}";
    let story = scenario().workflow(&workflow(nap)).event(manual("w")).event(manual("w")).run_for("1m");
    let story = story.expect(waiting());
    let mut world = story.world().clone();
    let is_head = |item: &Item| item.key.sort == "head";
    let once = world.store.items(Table::Executions).into_iter().filter(is_head).collect();
    let lagging = Lagging { ports: world.system.ports.clone(), once };
    let ports = Ports { tables: Arc::new(lagging), ..world.system.ports.clone() };
    world.system = System::new(ports, world.system.outside.clone(), ExecutorOptions::default());
    let of_workflow = Selection { workflow: Some("w".to_owned()), ..Selection::default() };
    let new = asked(control(Verb::Cancel, of_workflow), &story);
    let begun = at_once(world.system.operations.begin_action(new)).expect("it is begun");
    world.settle().expect("it goes on");
    assert_eq!(state(&world, &begun.id), all_done(2));
}
