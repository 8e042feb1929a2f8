//! A signal is taken out of its line: a step receives or refuses it.

use async_trait::async_trait;
use pawl_engine::TakenSignal;

use super::{EffectContext, EffectHandler};
use crate::items::refusal::{self, Refusal};
use crate::items::{signal, signal_line};
use crate::ports::{Durability, Expect, Write};

/// The code of a refusal.
const REFUSED: &str = "signal_refused";

#[async_trait]
impl EffectHandler for TakenSignal {
    /// The entry must still be there: of two executions that are offered a signal, one commits.
    fn writes(&self, cx: &EffectContext<'_>) -> Vec<Write> {
        let entry = signal_line::entry_key(&self.signal.topic(), self.signal.number);
        let taken = signal::taken_item(self, &cx.execution.id);
        let mut writes = vec![
            Write::Delete { table: signal_line::TABLE, key: entry, expect: Expect::Present },
            Write::Put { table: signal::TABLE, item: taken, expect: Expect::Absent },
        ];
        if let Some(why) = &self.refused {
            let item = refusal::item(&refusal(self, why, cx), 1);
            writes.push(Write::Put { table: refusal::TABLE, item, expect: Expect::Any });
        }
        writes
    }

    /// Its sender is told.
    fn durability(&self) -> Durability {
        Durability::Durable
    }
}

/// The refusal among those of the workflow.
fn refusal(taken: &TakenSignal, why: &str, cx: &EffectContext<'_>) -> Refusal {
    let TakenSignal { signal, step, .. } = taken;
    Refusal {
        workflow: cx.execution.workflow.clone(),
        trigger: None,
        event_id: signal.id.clone(),
        record: cx.execution.record.clone(),
        code: REFUSED.to_owned(),
        message: format!(
            "step {step} of {} refuses the signal {} of {}: {why}",
            cx.execution.id, signal.name, signal.key
        ),
        at: cx.at,
        collected: None,
        first_at: None,
        count: 1,
        at_least: false,
        has_event: false,
    }
}
