//! A step moves on in its round of members.

use async_trait::async_trait;
use pawl_engine::PositionMove;

use super::{EffectContext, EffectHandler};
use crate::items::position;
use crate::ports::{Expect, Write};

#[async_trait]
impl EffectHandler for PositionMove {
    /// It must stand as it was read: of two executions that read the same place one decides again.
    fn writes(&self, _cx: &EffectContext<'_>) -> Vec<Write> {
        let item = position::item(&self.workflow, &self.step, &self.to, self.version + 1);
        let expect = if self.version == 0 { Expect::Absent } else { Expect::Version(self.version) };
        vec![Write::Put { table: position::TABLE, item, expect }]
    }
}
