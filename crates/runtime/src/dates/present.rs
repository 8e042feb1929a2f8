//! What has a date, as it is now.

use std::borrow::Cow;

use pawl_engine::{ActivityStatus, Record, RecordActivity, Subject};
use serde_json::Value;

use super::{CountsFrom, Dates, Following};
use crate::items::date::Dated;
use crate::ports::{Consistency, Expect, Write};
use crate::{Error, items};

/// A record or an activity as it is now, if it is there.
pub(super) enum Present {
    Record(Subject, Option<Box<Record>>),
    Activity(String, Option<Box<RecordActivity>>),
}

impl Present {
    /// Which it is.
    pub(super) fn of(&self) -> Dated {
        match self {
            Self::Record(record, _) => Dated::Record(record.clone()),
            Self::Activity(id, _) => Dated::Activity(id.clone()),
        }
    }

    /// Its version; 0 if it is not there.
    pub(super) fn version(&self) -> u64 {
        match self {
            Self::Record(_, record) => record.as_ref().map_or(0, |record| record.version),
            Self::Activity(_, activity) => activity.as_ref().map_or(0, |activity| activity.version),
        }
    }

    /// Requires that it is as it was read.
    pub(super) fn check(&self) -> Option<Write> {
        let expect = Expect::Version(self.version());
        match self {
            Self::Record(record, Some(_)) => {
                Some(Write::Check { table: items::record::TABLE, key: items::record::key(record), expect })
            }
            Self::Activity(id, Some(_)) => {
                Some(Write::Check { table: items::activity::TABLE, key: items::activity::key(id), expect })
            }
            _ => None,
        }
    }
}

impl Following<'_> {
    /// The date that a record or an activity has for it; `None` if it never fires for this one.
    pub(super) fn date<'r>(&self, present: &'r Present) -> Option<Cow<'r, str>> {
        match (&self.counts_from, present) {
            (CountsFrom::Field(field), Present::Record(_, record)) => {
                let record = record.as_ref().filter(|record| !record.is_archived() && record.forgotten.is_none())?;
                record.fields.get(*field).and_then(Value::as_str).map(Cow::Borrowed)
            }
            (CountsFrom::Due(of), Present::Activity(_, activity)) => {
                let is_meant =
                    |activity: &&RecordActivity| activity.status == ActivityStatus::Open && activity.activity == *of;
                let activity = activity.as_deref().filter(is_meant)?;
                let is_for_it = self.object.is_none() || self.record(activity).is_some();
                activity.due.filter(|_| is_for_it).map(|due| Cow::Owned(due.to_string()))
            }
            _ => None,
        }
    }

    /// The record of an activity on which its workflow starts.
    pub(super) fn record<'r>(&self, activity: &'r RecordActivity) -> Option<&'r Subject> {
        activity.records.iter().find(|record| self.object == Some(record.object.as_str()))
    }
}

impl Dates {
    /// Reads what has a date.
    pub(super) async fn present(&self, of: &Dated) -> Result<Present, Error> {
        let (table, key) = match of {
            Dated::Record(record) => (items::record::TABLE, items::record::key(record)),
            Dated::Activity(id) => (items::activity::TABLE, items::activity::key(id)),
        };
        let item = self.tables.get(table, &key, Consistency::Strong).await?;
        Ok(match of {
            Dated::Record(record) => {
                let found = item.as_ref().map(items::record::parse).transpose()?;
                Present::Record(record.clone(), found.map(Box::new))
            }
            Dated::Activity(id) => {
                let found = item.as_ref().map(items::activity::parse).transpose()?;
                Present::Activity(id.clone(), found.map(Box::new))
            }
        })
    }
}
