//! Bugs of children.

use pawl_runtime::items;
use pawl_runtime::ports::{Expect, Write};

use super::is_head;

/// A child under another id than the one that follows from its place, with all that is written of it. A retry comes later, and
/// so gives it a third one.
pub(super) fn rename(write: &mut Write) {
    let Write::Put { item, expect: Expect::Absent, .. } = write else { return };
    if let Ok(Some((mut head, rows))) = items::execution::parse_whole(item)
        && head.parent.is_some()
        && is_head(&item.key)
    {
        head.id = format!("{}{}", head.id, head.created_at.as_nanosecond());
        *item = items::execution::changed(item, &head, &rows).expect("it was just read");
    } else if let Ok(event) = items::event::parse(item)
        && event.parent.is_some()
        && item.key.sort == items::event::SORT
    {
        let id = item.key.partition.trim_start_matches("execution#");
        *item = items::event::item(&format!("{id}{}", event.occurred_at.as_nanosecond()), &event);
    }
}
