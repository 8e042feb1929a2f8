//! What stands around a file that is checked: the objects and definitions of its installation.

use std::collections::{BTreeMap, BTreeSet};

use crate::{DefinitionKind, Definitions, Object};

static NO_IDS: BTreeSet<String> = BTreeSet::new();
static NO_DEFINITIONS: BTreeSet<(DefinitionKind, String)> = BTreeSet::new();

/// What stands around a file that is checked. What is not known is not checked.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// Objects by id; none, and what needs their schemas (fields, relationships, options) is not checked.
    pub objects: &'a BTreeMap<String, Object>,
    /// The ids of objects that are there and are not right: what needs their schemas is not checked, since their own
    /// problems are told where they stand.
    pub broken: &'a BTreeSet<String>,
    /// Other definitions; `None`, and no name of one is checked.
    pub definitions: Option<&'a Definitions>,
    /// Definitions that are there and are not right.
    pub broken_definitions: &'a BTreeSet<(DefinitionKind, String)>,
}

impl<'a> Around<'a> {
    /// Objects and nothing else.
    pub fn new(objects: &'a BTreeMap<String, Object>) -> Self {
        Self { objects, broken: &NO_IDS, definitions: None, broken_definitions: &NO_DEFINITIONS }
    }

    /// Beside objects that are not right.
    #[must_use]
    pub fn beside(self, broken: &'a BTreeSet<String>) -> Self {
        Self { broken, ..self }
    }

    /// With other definitions.
    #[must_use]
    pub fn with(self, definitions: &'a Definitions) -> Self {
        Self { definitions: Some(definitions), ..self }
    }

    /// Beside definitions that are not right.
    #[must_use]
    pub fn beside_definitions(self, broken_definitions: &'a BTreeSet<(DefinitionKind, String)>) -> Self {
        Self { broken_definitions, ..self }
    }

    /// Whether a definition of a kind is there and not right.
    pub(crate) fn has_broken(&self, kind: DefinitionKind) -> bool {
        self.broken_definitions.iter().any(|(other, _)| *other == kind)
    }

    /// Whether a definition is there and not right.
    pub(crate) fn is_broken(&self, kind: DefinitionKind, id: &str) -> bool {
        self.broken_definitions.iter().any(|(other, broken)| *other == kind && broken == id)
    }
}

impl<'a> From<&'a BTreeMap<String, Object>> for Around<'a> {
    fn from(objects: &'a BTreeMap<String, Object>) -> Self {
        Self::new(objects)
    }
}
