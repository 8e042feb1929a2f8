//! What every handler holds.

use std::sync::OnceLock;

use bytes::Bytes;
use pawl_runtime::{Finder, System};

use crate::ApiOptions;

/// What every handler holds.
pub(crate) struct Api {
    pub(crate) system: System,
    pub(crate) options: ApiOptions,
    pub(crate) finder: Finder,
    /// Finds the record of a delivery: one that cannot be read is not made anew.
    pub(crate) matcher: Finder,
    schema_text: OnceLock<Bytes>,
}

impl Api {
    pub(crate) fn new(system: System, options: ApiOptions) -> Self {
        let finder = || Finder::new(system.ports.tables.clone(), system.unreadable.clone());
        let (finder, matcher) = (finder(), finder().strict());
        Self { system, options, finder, matcher, schema_text: OnceLock::new() }
    }

    /// The JSON Schema of workflow files, written once.
    pub(crate) fn workflow_schema(&self) -> Bytes {
        let text = || pawl_definition::workflow_schema().to_string().into();
        self.schema_text.get_or_init(text).clone()
    }
}
