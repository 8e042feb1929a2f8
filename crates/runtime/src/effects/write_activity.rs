//! An activity about records changes, or is made.

use async_trait::async_trait;
use pawl_engine::ActivityWrite;

use super::{EffectContext, EffectHandler};
use crate::items;
use crate::ports::Write;

#[async_trait]
impl EffectHandler for ActivityWrite {
    fn writes(&self, _cx: &EffectContext<'_>) -> Vec<Write> {
        items::activity::writes(self)
    }
}
