//! Secrets in memory.

use async_trait::async_trait;
use pawl_runtime::ports::{SecretError, Secrets, without_line_end};

use super::MemoryStore;

impl MemoryStore {
    /// Sets a secret.
    pub fn set_secret(&self, name: &str, value: &str) {
        self.lock().secrets.insert(name.to_owned(), value.to_owned());
    }
}

#[async_trait]
impl Secrets for MemoryStore {
    async fn get(&self, name: &str) -> Result<String, SecretError> {
        let secret = self.lock().secrets.get(name).map(|secret| without_line_end(secret).to_owned());
        secret.ok_or_else(|| SecretError::NotFound(name.to_owned()))
    }
}
