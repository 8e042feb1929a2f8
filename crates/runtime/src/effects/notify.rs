//! People are told: the notice is stored with its transition, and handed on after it.

use async_trait::async_trait;
use pawl_engine::NoticeText;

use super::{EffectContext, EffectHandler};
use crate::items;
use crate::notices::Notices;
use crate::ports::{Durability, Expect, Notice, Write};

#[async_trait]
impl EffectHandler for NoticeText {
    fn writes(&self, cx: &EffectContext<'_>) -> Vec<Write> {
        let item = items::notice::item(&notice(self, cx), false);
        vec![Write::Put { table: items::notice::TABLE, item, expect: Expect::Any }]
    }

    fn durability(&self) -> Durability {
        Durability::Durable
    }

    async fn committed(&self, cx: &EffectContext<'_>, notices: &Notices) {
        notices.hand_on(&notice(self, cx)).await;
    }
}

/// The notice, whose id is derived: the same transition written again tells the same.
fn notice(text: &NoticeText, cx: &EffectContext<'_>) -> Notice {
    Notice {
        id: format!("{}-{}-{}", cx.execution.id, cx.execution.seq, cx.place),
        to: text.to.clone(),
        severity: text.severity.to_owned(),
        subject: text.subject.clone(),
        text: text.text.clone(),
        at: cx.at,
    }
}
