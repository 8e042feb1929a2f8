//! The suite of [`pawl_runtime::ports::Secrets`].

use pawl_runtime::ports::SecretError;

use super::Backend;

/// The backend's one secret has its value.
pub async fn a_known_secret_is_read(backend: &dyn Backend) {
    assert_eq!(backend.secrets().get("contract").await, Ok("a secret value".to_owned()));
}

/// Other names are unknown.
pub async fn an_unknown_secret_is_not_found(backend: &dyn Backend) {
    for name in ["nobody", ""] {
        assert_eq!(backend.secrets().get(name).await, Err(SecretError::NotFound(name.to_owned())));
    }
}
