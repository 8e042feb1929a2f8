//! Who waits in this process for an execution to end.

use std::collections::BTreeMap;
use std::sync::Mutex;

use futures::channel::oneshot;

/// Tells those who wait that an execution ended. Only a short cut: an execution may end in another process, so
/// whoever waits also looks from time to time.
#[derive(Default)]
pub struct CompletionSignals {
    waiting: Mutex<BTreeMap<String, Vec<oneshot::Sender<()>>>>,
}

impl CompletionSignals {
    /// A future that is ready once the execution has ended in this process.
    pub fn of(&self, execution: &str) -> oneshot::Receiver<()> {
        let (ended, wait) = oneshot::channel();
        let mut waiting = self.waiting.lock().expect("no holder panics");
        let all = waiting.entry(execution.to_owned()).or_default();
        // Those who gave up leave their place.
        all.retain(|other| !other.is_canceled());
        all.push(ended);
        wait
    }

    /// Forgets the waits that were given up.
    pub fn give_up(&self, execution: &str) {
        let mut waiting = self.waiting.lock().expect("no holder panics");
        if let Some(all) = waiting.get_mut(execution) {
            all.retain(|other| !other.is_canceled());
            if all.is_empty() {
                waiting.remove(execution);
            }
        }
    }

    pub(crate) fn announce(&self, execution: &str) {
        let waiting = self.waiting.lock().expect("no holder panics").remove(execution);
        for ended in waiting.into_iter().flatten() {
            // Whoever gave up needs no word.
            let _ = ended.send(());
        }
    }
}
