//! The JSON Schemas of the language, from its types: with the feature `describe` only.
//!
//! They are files in `docs/schema`, which the check walks by and `pawl schema` prints; a test of the workspace holds the files
//! equal to what is generated here. So a program is compiled without schemars, and types derive nothing.

#[cfg(feature = "describe")]
mod schemas;

#[cfg(not(feature = "describe"))]
pub(crate) use pawl_describe::JsonSchema;
#[cfg(feature = "describe")]
pub(crate) use schemars::JsonSchema;
#[cfg(feature = "describe")]
pub use schemas::{definition, object, workflow};
