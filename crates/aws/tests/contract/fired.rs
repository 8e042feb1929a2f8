//! Timers of which the test knows whether they have fired.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_scheduler::Client;
use jiff::Timestamp;
use pawl_aws::SchedulerTimers;
use pawl_runtime::ports::{Timer, TimerError, Timers};

use crate::account::Account;

/// The timers under test, and when each is due.
pub(crate) struct Watched {
    timers: SchedulerTimers,
    client: Client,
    group: String,
    due: Mutex<BTreeMap<String, Timestamp>>,
}

impl Watched {
    pub(crate) fn new(timers: SchedulerTimers, account: &Account) -> Self {
        Self { timers, client: Client::new(&account.sdk), group: account.prefix.clone(), due: Mutex::default() }
    }

    /// Waits until all that is due has fired. A schedule that fired is gone.
    pub(crate) async fn settle(&self) {
        let now = Timestamp::now();
        let due = {
            let mut waiting = self.due.lock().unwrap_or_else(PoisonError::into_inner);
            let due: BTreeSet<String> =
                waiting.iter().filter(|(_, due)| **due <= now).map(|(name, _)| name.clone()).collect();
            waiting.retain(|name, _| !due.contains(name));
            due
        };
        while !due.is_empty() && !self.standing().await.is_disjoint(&due) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn standing(&self) -> BTreeSet<String> {
        let pages = self.client.list_schedules().group_name(&self.group).into_paginator().items().send();
        let schedules = pages.collect::<Result<Vec<_>, _>>().await.expect("schedules can be listed");
        schedules.into_iter().filter_map(|schedule| schedule.name).collect()
    }
}

#[async_trait]
impl Timers for Watched {
    async fn set(&self, timer: Timer) -> Result<(), TimerError> {
        let (name, due) = (timer.name.clone(), timer.due);
        self.timers.set(timer).await?;
        self.due.lock().unwrap_or_else(PoisonError::into_inner).insert(name, due);
        Ok(())
    }

    async fn cancel(&self, name: &str) -> Result<(), TimerError> {
        self.timers.cancel(name).await?;
        self.due.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        Ok(())
    }
}
