//! Bugs of executions that stop before each step.

use pawl_engine::{PauseReason, Status, Wake};
use pawl_runtime::items;
use pawl_runtime::ports::Item;

/// The head of an execution that stops before a step as if it were let go on.
pub(super) fn let_go(item: &mut Item) {
    if let Ok(Some((mut head, rows))) = items::execution::parse_whole(item)
        && head.pause.as_ref().is_some_and(|pause| pause.reason == PauseReason::Debug)
        && let Some(stepping) = &mut head.debug
    {
        stepping.may.clone_from(&head.cursor);
        (head.pause, head.status, head.wake) = (None, Status::Running, Wake::Job);
        *item = items::execution::changed(item, &head, &rows).expect("it was just read");
    }
}
