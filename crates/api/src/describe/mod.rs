//! What the API says of itself: `docs/openapi.json`, generated from its routes and types with the feature `describe` only.
//!
//! The file is compiled in and served; a test of the workspace holds it equal to what is generated here. So a program is
//! compiled without utoipa, and types derive nothing.

#[cfg(feature = "describe")]
mod openapi;

#[cfg(feature = "describe")]
pub use openapi::openapi;
pub(crate) use pawl_describe::operation;
#[cfg(not(feature = "describe"))]
pub(crate) use pawl_describe::{IntoParams, ToSchema};
#[cfg(feature = "describe")]
pub(crate) use utoipa::{IntoParams, ToSchema};

/// The description of the API, OpenAPI 3.1 as JSON.
pub fn description() -> &'static str {
    include_str!("../../../../docs/openapi.json")
}

/// What is described of a handler: nothing.
#[cfg(not(feature = "describe"))]
pub(crate) trait Described {}

#[cfg(not(feature = "describe"))]
impl<P> Described for P {}

/// What is described of a handler, by `utoipa::path`.
#[cfg(feature = "describe")]
pub(crate) trait Described:
    utoipa::Path + utoipa::__dev::SchemaReferences + utoipa::__dev::Tags<'static>
{
}

#[cfg(feature = "describe")]
impl<P: utoipa::Path + utoipa::__dev::SchemaReferences + utoipa::__dev::Tags<'static>> Described for P {}
