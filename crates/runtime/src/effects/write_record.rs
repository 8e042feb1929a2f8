//! A record changes, or is made.

use async_trait::async_trait;
use pawl_engine::RecordWrite;

use super::{EffectContext, EffectHandler};
use crate::items;
use crate::ports::Write;

#[async_trait]
impl EffectHandler for RecordWrite {
    fn writes(&self, cx: &EffectContext<'_>) -> Vec<Write> {
        items::record::writes(self, cx.objects.get(&self.after.object))
    }

    fn change(&self) -> Option<&RecordWrite> {
        Some(self)
    }
}
