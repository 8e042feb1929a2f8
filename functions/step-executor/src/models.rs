//! The model port, whose keys may be secrets.
//!
//! A variable can be read by whoever may look at the function; a secret cannot. So in the place of `PAWL_MODEL_…_KEY` may
//! stand `PAWL_MODEL_…_KEY_SECRET`, the name of a secret of the installation. It is read when a model is called, through
//! the short cache of secrets, so that a new key is used soon after it was set.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::SignedDuration;
use pawl_connectors::{ModelClient, Providers};
use pawl_lambda::Failure;
use pawl_runtime::ports::{
    ModelAnswer, ModelError, ModelErrorKind, ModelRequest, ModelSlot, Models, SecretError, Secrets,
};

/// What the name of a variable ends in that names a secret.
const SECRET: &str = "_SECRET";

/// Stands for a key while the other settings are checked.
const UNKNOWN: &str = "unknown";

type Variables = BTreeMap<String, String>;

/// The settings of providers; keys may be names of secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelSettings {
    plain: Variables,
    /// Names of secrets by the variables in whose place they stand.
    secret: Variables,
}

impl ModelSettings {
    /// Reads the variables `PAWL_MODEL_…`, and checks all that can be checked without a key.
    pub fn read(variables: Variables) -> Result<Self, Failure> {
        let mut settings = Self { plain: Variables::new(), secret: Variables::new() };
        for (name, value) in variables.into_iter().filter(|(_, value)| !value.trim().is_empty()) {
            match name.strip_suffix(SECRET).filter(|key| key.ends_with("_KEY")) {
                Some(key) => drop(settings.secret.insert(key.to_owned(), value)),
                None => drop(settings.plain.insert(name, value)),
            }
        }
        let unknown = settings.secret.keys().map(|key| (key.clone(), UNKNOWN.to_owned())).collect();
        settings.providers(unknown).map_err(|error| Failure::invalid("PAWL_MODEL_…", &error))?;
        Ok(settings)
    }

    fn providers(&self, keys: Variables) -> Result<Providers, pawl_connectors::ProvidersError> {
        Providers::from_variables(self.plain.clone().into_iter().chain(keys))
    }
}

/// The model port over providers whose keys are read when they are needed.
pub struct KeyedModels {
    settings: ModelSettings,
    secrets: Arc<dyn Secrets>,
    /// The client, with the keys that it has.
    client: Mutex<Option<(Variables, Arc<ModelClient>)>>,
}

impl KeyedModels {
    /// Makes the port; the client is made at the first call.
    pub fn new(settings: ModelSettings, secrets: Arc<dyn Secrets>) -> Self {
        Self { settings, secrets, client: Mutex::default() }
    }

    async fn client(&self) -> Result<Arc<ModelClient>, ModelError> {
        let mut keys = Variables::new();
        for (variable, secret) in &self.settings.secret {
            let key = self.secrets.get(secret).await.map_err(|error| no_key(&error))?;
            keys.insert(variable.clone(), key);
        }
        let mut kept = self.client.lock().expect("no holder panics");
        if let Some((with, client)) = &*kept
            && *with == keys
        {
            return Ok(client.clone());
        }
        let unusable =
            |error: &dyn std::fmt::Display| ModelError::new(ModelErrorKind::NotConfigured, error.to_string());
        let providers = self.settings.providers(keys.clone()).map_err(|error| unusable(&error))?;
        let client = Arc::new(ModelClient::new(providers).map_err(|error| unusable(&error))?);
        *kept = Some((keys, client.clone()));
        Ok(client)
    }
}

fn no_key(error: &SecretError) -> ModelError {
    let kind = match error {
        SecretError::NotFound(_) => ModelErrorKind::NotConfigured,
        // Nothing was sent.
        SecretError::Unavailable(_) => ModelErrorKind::Throttled,
    };
    ModelError::new(kind, error.to_string())
}

#[async_trait]
impl Models for KeyedModels {
    async fn slot(&self, model: &str, at_most: SignedDuration) -> Result<ModelSlot, ModelError> {
        self.client().await?.slot(model, at_most).await
    }

    async fn complete(&self, request: ModelRequest) -> Result<ModelAnswer, ModelError> {
        self.client().await?.complete(request).await
    }
}

#[cfg(test)]
mod tests {
    use pawl_testkit::VirtualClock;
    use pawl_testkit::memory::MemoryStore;

    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn mistakes_are_found_without_a_key() {
        let wrong = variables(&[("PAWL_MODEL_URL", "no address"), ("PAWL_MODEL_KEY_SECRET", "model")]);
        let failure = ModelSettings::read(wrong).expect_err("the address is none");
        assert_eq!(failure.code, "configuration_invalid");
        assert!(failure.message.contains("PAWL_MODEL_URL"), "{failure}");
        let none = variables(&[("PAWL_MODEL_URL", ""), ("PAWL_MODEL_NAME", ""), ("PAWL_MODEL_KEY_SECRET", "")]);
        assert!(ModelSettings::read(none).is_ok());
    }

    #[tokio::test]
    async fn a_key_is_read_when_it_is_needed_and_again_when_it_changes() {
        let url = ("PAWL_MODEL_URL", "https://models.example/v1");
        let settings = ModelSettings::read(variables(&[url, ("PAWL_MODEL_KEY_SECRET", "model")]));
        let store = MemoryStore::new(VirtualClock::default());
        let models = KeyedModels::new(settings.expect("the settings are right"), store.secrets());
        let kind = models.client().await.err().map(|error| error.kind);
        assert_eq!(kind, Some(ModelErrorKind::NotConfigured));

        store.set_secret("model", "first");
        let first = models.client().await.expect("the key is there");
        assert!(Arc::ptr_eq(&first, &models.client().await.expect("the key is there")));
        store.set_secret("model", "second");
        assert!(!Arc::ptr_eq(&first, &models.client().await.expect("the key is there")));
    }
}
