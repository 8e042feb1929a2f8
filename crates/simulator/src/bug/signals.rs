//! Mistakes about signals.

use pawl_engine::Wake;
use pawl_runtime::items;
use pawl_runtime::ports::Item;

/// The head of an execution that has just begun to wait for a signal, as if it had looked already.
pub(super) fn without_look(item: &mut Item) {
    if let Ok(Some((mut head, rows))) = items::execution::parse_whole(item)
        && pawl_engine::signal::awaited(&head).is_some()
        && head.wake == (Wake::Signal { until: Some(head.updated_at) })
    {
        head.wake = Wake::Signal { until: rows.last().and_then(|row| row.due) };
        *item = items::execution::changed(item, &head, &rows).expect("it was just read");
    }
}
