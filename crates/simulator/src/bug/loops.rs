//! Bugs of loops.

use pawl_engine::Execution;
use pawl_runtime::items;
use pawl_runtime::ports::Item;
use serde_json::Value;

/// A head whose loops pass over their next item.
pub(super) fn skip_item(item: &mut Item) {
    changed(item, |head| {
        let loops: Vec<_> = head.frames.iter().map(|frame| frame.step.clone()).collect();
        let mut is_changed = false;
        for step in &loops {
            let first = head.steps.get_mut(step).and_then(|state| state.checkpoint.pointer_mut("/to_do/0"));
            let Some([from, to]) = first.and_then(Value::as_array_mut).map(Vec::as_mut_slice) else { continue };
            if from.as_u64().map(|from| from + 1) < to.as_u64() {
                *from = Value::from(from.as_u64().unwrap_or_default() + 1);
                is_changed = true;
            }
        }
        is_changed
    });
}

/// A head that knows nothing of the last slice that its loop runs.
pub(super) fn forget_slice(item: &mut Item) {
    changed(item, |head| {
        let open =
            head.steps.values_mut().find_map(|state| state.checkpoint.pointer_mut("/slices/open")?.as_object_mut());
        let Some(open) = open.filter(|open| open.len() > 1) else { return false };
        let last = open.keys().next_back().cloned();
        last.is_some_and(|last| open.remove(&last).is_some())
    });
}

fn changed(item: &mut Item, change: impl Fn(&mut Execution) -> bool) {
    let Ok(Some((mut head, rows))) = items::execution::parse_whole(item) else { return };
    if change(&mut head) {
        *item = items::execution::changed(item, &head, &rows).expect("it was just read");
    }
}
