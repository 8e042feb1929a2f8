//! Routes that are written once and read twice: as the router that answers, and as its description.

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, on};

use crate::describe::Described;
use crate::state::Api;

/// Where a handler answers: [`operation`](crate::describe::operation) makes it of `__path_<handler>`.
pub(crate) trait Routed {
    const METHOD: MethodFilter;
    const PATH: &'static str;
}

/// What routes are read as.
pub(crate) trait Surface: Sized {
    /// A handler, at its path and for its method.
    fn on<P: Routed + Described, H: Handler<T, Arc<Api>>, T: 'static>(self, handler: H) -> Self;
}

impl Surface for Router<Arc<Api>> {
    fn on<P: Routed + Described, H: Handler<T, Arc<Api>>, T: 'static>(self, handler: H) -> Self {
        self.route(P::PATH, on(P::METHOD, handler))
    }
}
