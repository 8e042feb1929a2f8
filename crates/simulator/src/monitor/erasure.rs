//! Executions whose values are taken out, and executions that have expired.

use jiff::Timestamp;
use pawl_engine::{Execution, Row};
use pawl_runtime::items;
use pawl_runtime::ports::{Expect, Item, Table, Transaction, Write};

use super::{Broken, Monitor};

impl Monitor {
    /// What a write breaks that takes values out of an execution; `None` for any other write.
    pub(super) fn scrub(&mut self, transaction: &Transaction) -> Option<Vec<Broken>> {
        let [Write::Put { table: Table::Executions, item, expect: Expect::Version(_) }] = &*transaction.writes else {
            return None;
        };
        let id = item.key.partition.strip_prefix("execution#")?;
        let before = self.heads.get(id)?.clone();
        let mut why = Vec::new();
        match &*item.key.sort {
            sort if sort.starts_with(items::history::PREFIX) => {
                self.scrub_rows(id, &items::history::parse(item).expect("rows have their shape"), &mut why);
            }
            sort if sort == items::event::key(id).sort => {}
            _ => self.scrub_head(&before, item, &mut why)?,
        }
        if !before.status.is_ended() {
            why.push(format!("loses its values while it is {}", before.status));
        }
        Some(why.into_iter().map(|text| (12, format!("{id}: {text}"))).collect())
    }

    fn scrub_head(&mut self, before: &Execution, item: &Item, why: &mut Vec<String>) -> Option<()> {
        let (head, rows) = items::execution::parse_whole(item).expect("a head has its shape")?;
        let at = head.forgotten.filter(|_| before.forgotten.is_none())?;
        let mut expected = Execution { version: before.version + 1, ..before.clone() };
        expected.forget(at);
        if head != expected {
            why.push("is forgotten, and more than its values has changed".to_owned());
        }
        self.scrub_rows(&head.id, &rows, why);
        self.heads.insert(head.id.clone(), head);
        Some(())
    }

    /// Each row is the one that was committed, without its values.
    fn scrub_rows(&mut self, id: &str, rows: &[Row], why: &mut Vec<String>) {
        let times: Vec<Timestamp> = self.forgotten.values().copied().collect();
        let mut known = self.rows.get_mut(id);
        for row in rows {
            let place = known.as_mut().and_then(|known| known.iter_mut().find(|known| known.seq == row.seq));
            let is_it = |before: &&mut Row| {
                times.iter().any(|at| {
                    let mut expected = (**before).clone();
                    expected.forget(*at);
                    expected == *row
                })
            };
            match place.filter(is_it) {
                Some(place) => *place = row.clone(),
                None => why.push(format!("row {} is forgotten, and more than its values has changed", row.seq)),
            }
        }
    }

    /// The executions that are not being forgotten: rows without their values come before the mark in the head.
    pub(crate) fn whole(&self) -> Vec<String> {
        let is_scrubbed = |row: &Row| row.observed.get("forgotten").is_some();
        let rows = |id: &String| self.rows.get(id).map_or(&[][..], Vec::as_slice);
        self.heads.keys().filter(|id| !rows(id).iter().any(is_scrubbed)).cloned().collect()
    }

    /// Executions whose time to live is over are not there any more.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        let is_over = |head: &&Execution| head.expires_at.is_some_and(|at| at <= now);
        let over: Vec<_> = self.heads.values().filter(is_over).map(|head| head.id.clone()).collect();
        for id in over {
            self.heads.remove(&id);
            self.rows.remove(&id);
            self.expired.insert(id);
        }
    }
}
