//! `manual`: a person, the API, a bulk start or another workflow starts it. Always present.

use serde::Deserialize;

use super::TypeFacts;
use crate::describe::JsonSchema;
use crate::types::{Kinds, Type};
use crate::validate::Facts;

/// The trigger `manual`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manual {}

impl super::Listen for Manual {
    fn words(&self) -> String {
        "somebody starts it by hand".to_owned()
    }

    fn facts() -> TypeFacts {
        TypeFacts { by_hand: true, ..TypeFacts::default() }
    }

    fn event(&self, _: &Facts<'_>) -> Vec<(&'static str, Type)> {
        vec![("values", Type::of(Kinds::OBJECT)), ("actor", Type::text())]
    }
}
