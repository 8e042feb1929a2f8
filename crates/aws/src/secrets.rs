//! Secrets in Secrets Manager.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use jiff::{SignedDuration, Timestamp};
use pawl_runtime::ports::{Clock, SecretError, Secrets, without_line_end};

use crate::failure::Failure;

/// How long a value is used before it is read again. A rotated secret is noticed within this time; a call of the
/// service costs money and some milliseconds.
const KEPT: SignedDuration = SignedDuration::from_mins(5);

/// Longest name of a secret.
const NAME_MOST: usize = 512;

/// Secrets in Secrets Manager: `x` is the secret `<prefix>x`. Values are kept for five minutes, in memory only;
/// errors are not kept.
#[derive(Clone)]
pub struct ManagerSecrets {
    client: Client,
    prefix: String,
    clock: Arc<dyn Clock>,
    kept: Arc<Mutex<BTreeMap<String, Kept>>>,
}

struct Kept {
    value: String,
    until: Timestamp,
}

impl ManagerSecrets {
    /// Makes the client.
    pub fn new(sdk: &SdkConfig, prefix: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self { client: Client::new(sdk), prefix: prefix.into(), clock, kept: Arc::default() }
    }

    fn kept(&self, name: &str) -> Option<String> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(name).filter(|kept| self.clock.now() < kept.until).map(|kept| kept.value.clone())
    }

    fn keep(&self, name: &str, value: &str) {
        let until = self.clock.now().saturating_add(KEPT).unwrap_or(Timestamp::MAX);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(name.to_owned(), Kept { value: value.to_owned(), until });
    }

    async fn read(&self, name: &str) -> Result<String, SecretError> {
        let id = format!("{}{name}", self.prefix);
        if name.is_empty() || !is_name(&id) {
            return Err(SecretError::NotFound(name.to_owned()));
        }
        let answer = self.client.get_secret_value().secret_id(id).send().await;
        let answer = answer.map_err(|error| match error.as_service_error() {
            Some(GetSecretValueError::ResourceNotFoundException(_)) => SecretError::NotFound(name.to_owned()),
            _ => SecretError::Unavailable(Failure::of(&error).to_string()),
        })?;
        let binary = || SecretError::Unavailable(format!("the secret {name:?} is binary, expected text"));
        answer.secret_string.map(|secret| without_line_end(&secret).to_owned()).ok_or_else(binary)
    }
}

#[async_trait]
impl Secrets for ManagerSecrets {
    async fn get(&self, name: &str) -> Result<String, SecretError> {
        if let Some(value) = self.kept(name) {
            return Ok(value);
        }
        let value = self.read(name).await?;
        self.keep(name, &value);
        Ok(value)
    }
}

/// Whether the service allows a name. Others are not even asked for.
fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@-".contains(&byte);
    name.len() <= NAME_MOST && name.bytes().all(allowed)
}
