//! `manual`: a person, the API, a bulk start or another workflow starts it. Always present.

use schemars::JsonSchema;
use serde::Deserialize;

/// The trigger `manual`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manual {}

impl super::Listen for Manual {}
