//! Deliveries of GitHub as `events/webhook-ingress` has them: real bodies with their signatures.

use std::path::Path;

use serde_json::Value;

use crate::installation::of_this_run;

/// The secret with which they are signed.
pub(crate) const SECRET: &str = "fake-github-secret";

/// A delivery as GitHub sends it.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    /// Headers that GitHub sets, the signature among them.
    pub(crate) headers: Vec<(String, String)>,
    /// The body, of which the signature is.
    pub(crate) body: String,
}

impl Delivery {
    /// The delivery of a file, by its name without `.json`.
    pub(crate) fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../events/webhook-ingress/{name}.json"));
        let text = std::fs::read_to_string(&path).expect("the file is there");
        let event: Value = serde_json::from_str(&text).expect("the file is JSON");
        let headers = event["headers"].as_object().expect("an event has headers").iter();
        let is_githubs = |name: &str| {
            name == "content-type" || name == "user-agent" || name.starts_with("x-github") || name.starts_with("x-hub")
        };
        let headers = headers.filter(|(name, _)| is_githubs(name));
        let headers = headers.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()));
        Self { headers: headers.collect(), body: event["body"].as_str().expect("an event has a body").to_owned() }
    }

    /// The same under an id of this run of the tests. GitHub signs the body only.
    pub(crate) fn of_this_run(mut self) -> Self {
        for (_, id) in self.headers.iter_mut().filter(|(name, _)| name == "x-github-delivery") {
            *id = of_this_run(id);
        }
        self
    }
}
