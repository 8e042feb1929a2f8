//! The JSON Schema of test cases, from their types: with the feature `describe` only. See `pawl_definition::describe`.

#[cfg(feature = "describe")]
mod schemas;

#[cfg(not(feature = "describe"))]
pub(crate) use pawl_describe::JsonSchema;
#[cfg(feature = "describe")]
pub(crate) use schemars::JsonSchema;
#[cfg(feature = "describe")]
pub use schemas::cases;
