//! What a sender adds to a request so that it is verified.

/// What a sender adds to a request so that it is verified. Holds credentials: it is sent, and shown to nobody.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Signed {
    /// Headers by name.
    pub headers: Vec<(String, String)>,
    /// Parameters of the query by name.
    pub query: Vec<(String, String)>,
}

impl Signed {
    /// One header.
    pub(super) fn header(name: &str, value: impl Into<String>) -> Self {
        Self::default().and(name, value)
    }

    /// One parameter of the query.
    pub(super) fn parameter(name: &str, value: impl Into<String>) -> Self {
        Self { headers: Vec::new(), query: vec![(name.to_owned(), value.into())] }
    }

    /// With a header more.
    pub(super) fn and(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }
}
