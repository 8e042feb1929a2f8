//! The word that the process is about to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Says that the process is about to end: no step and no outside call is begun any more. What is due is left on its
/// queue. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Says so, for good.
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it was said.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
