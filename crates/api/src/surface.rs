//! Routes that are written once and read twice: as the router that answers, and as its description. A function that only
//! answers does not carry the description.

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::routing::on;
use utoipa::__dev::{SchemaReferences, Tags};
use utoipa::openapi::{ComponentsBuilder, OpenApi};
use utoipa_axum::PathItemExt;

use crate::state::Api;

/// What `utoipa::path` makes of a handler: `__path_<handler>`.
pub(crate) trait Described: utoipa::Path + SchemaReferences + Tags<'static> {}

impl<P: utoipa::Path + SchemaReferences + Tags<'static>> Described for P {}

/// What routes are read as.
pub(crate) trait Surface: Sized {
    /// A handler, at the path and for the methods that its description names.
    fn on<P: Described, H: Handler<T, Arc<Api>>, T: 'static>(self, handler: H) -> Self;
}

impl Surface for Router<Arc<Api>> {
    fn on<P: Described, H: Handler<T, Arc<Api>>, T: 'static>(self, handler: H) -> Self {
        P::methods()
            .iter()
            .fold(self, |router, method| router.route(&P::path(), on(method.to_method_filter(), handler.clone())))
    }
}

impl Surface for OpenApi {
    fn on<P: Described, H: Handler<T, Arc<Api>>, T: 'static>(mut self, _: H) -> Self {
        let mut operation = P::operation();
        operation.tags = Some(P::tags().into_iter().map(str::to_owned).collect());
        self.paths.add_path_operation(P::path(), P::methods(), operation);
        let mut schemas = Vec::new();
        P::schemas(&mut schemas);
        self.components.get_or_insert_with(|| ComponentsBuilder::new().build()).schemas.extend(schemas);
        self
    }
}
