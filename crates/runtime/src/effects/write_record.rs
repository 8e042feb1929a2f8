//! A record changes, or is made.

use async_trait::async_trait;
use pawl_engine::RecordWrite;

use super::{EffectContext, EffectHandler};
use crate::items::record_change::ChangedBy;
use crate::items::{self, record_change};
use crate::ports::Write;

#[async_trait]
impl EffectHandler for RecordWrite {
    fn writes(&self, cx: &EffectContext<'_>) -> Vec<Write> {
        let mut writes = items::record::writes(self, cx.objects.get(&self.after.object));
        writes.push(record_change::write(self, ChangedBy::step(cx.execution, cx.step)));
        writes
    }

    fn change(&self) -> Option<&RecordWrite> {
        Some(self)
    }
}
