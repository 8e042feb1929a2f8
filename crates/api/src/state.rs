//! What every handler holds.

use std::sync::Arc;

use pawl_runtime::ports::Secrets;
use pawl_runtime::{Core, Finder};

use crate::ApiOptions;

/// What every handler holds.
pub(crate) struct Api {
    pub(crate) core: Core,
    /// By which deliveries are verified.
    pub(crate) secrets: Arc<dyn Secrets>,
    pub(crate) options: ApiOptions,
    pub(crate) finder: Finder,
}

impl Api {
    pub(crate) fn new(core: Core, secrets: Arc<dyn Secrets>, options: ApiOptions) -> Self {
        let finder = Finder::new(core.ports.tables.clone(), core.unreadable.clone());
        Self { core, secrets, options, finder }
    }
}
