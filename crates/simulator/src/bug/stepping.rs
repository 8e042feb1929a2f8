//! Bugs of executions that stop before each step.

use pawl_runtime::items;
use pawl_runtime::ports::Item;

/// The head as if somebody had let the execution carry out the step that it comes to.
pub(super) fn let_go(item: &mut Item) {
    if let Ok(Some((mut head, rows))) = items::execution::parse_whole(item)
        && let Some(stepping) = head.debug.as_mut().filter(|_| head.pause.is_none())
    {
        stepping.may.clone_from(&head.cursor);
        *item = items::execution::changed(item, &head, &rows).expect("it was just read");
    }
}
