//! The secrets that an execution may have used so far, so that an echo of one is taken out of whatever comes back.
//!
//! Which ones a workflow names is known from its definition. Their values are read anew for each call, and kept nowhere;
//! the secret store keeps them in memory for a while, so that this costs little.

use std::collections::{BTreeMap, BTreeSet};

use pawl_definition::FailureClass;
use pawl_engine::{Performed, StepCode, StepError};

use super::filled::Used;
use crate::Redactor;
use crate::ports::{SecretError, Secrets};

/// The secrets that steps of one workflow name, with their values.
pub(super) struct Known<'a> {
    store: &'a dyn Secrets,
    values: BTreeMap<String, String>,
}

impl<'a> Known<'a> {
    /// Reads them. One that is not there was never sent by anyone, and no call fails for it that does not use it.
    ///
    /// # Errors
    /// The store does not answer for one of them. Then nothing is sent: what came back could not be kept free of it.
    pub(super) async fn read(store: &'a dyn Secrets, names: &BTreeSet<String>) -> Result<Self, StepError> {
        let mut values = BTreeMap::new();
        for name in names {
            match store.get(name).await {
                Ok(value) => drop(values.insert(name.clone(), value)),
                Err(SecretError::NotFound(_)) => {}
                Err(error) => return Err(not_read(&error)),
            }
        }
        Ok(Self { store, values })
    }

    /// The secrets that a call uses. The revision that made the call may name others than the one in force.
    pub(super) async fn used(&self, names: BTreeSet<String>) -> Result<Used, StepError> {
        let mut used = Used::new();
        for name in names {
            let value = match self.values.get(&name) {
                Some(value) => value.clone(),
                None => self.store.get(&name).await.map_err(|error| not_read(&error))?,
            };
            used.insert(name, value);
        }
        Ok(used)
    }

    /// Takes all of them out of what came back, and those of the call.
    pub(super) fn redactor(&self, used: &Used) -> Redactor {
        let others = self.values.iter().filter(|(name, _)| !used.contains_key(*name));
        Redactor::new(used.iter().chain(others).map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// What came of a call that uses no secret, without them.
    pub(super) fn taken_out_of(&self, performed: Performed) -> Performed {
        if self.values.is_empty() {
            return performed;
        }
        let redactor = self.redactor(&Used::new());
        let error = performed.error.map(|error| StepError { message: redactor.text(&error.message), ..error });
        let (output, trace) = (redactor.value(performed.output), redactor.value(performed.trace));
        Performed { output, trace, error, ..performed }
    }
}

/// A store that cannot be reached is asked again; nothing was sent, so that is safe for every delivery.
fn not_read(error: &SecretError) -> StepError {
    let code = StepCode::SecretUnavailable;
    match error {
        SecretError::NotFound(_) => StepError::new(code, error.to_string()),
        SecretError::Unavailable(_) => StepError::classed(code, FailureClass::Throttled, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use futures::FutureExt;

    use super::*;

    /// Has the secret `a`, and does not answer for `b`.
    struct Store;

    #[async_trait]
    impl Secrets for Store {
        async fn get(&self, name: &str) -> Result<String, SecretError> {
            match name {
                "a" => Ok("value-of-a".to_owned()),
                "b" => Err(SecretError::Unavailable("throttled".to_owned())),
                _ => Err(SecretError::NotFound(name.to_owned())),
            }
        }
    }

    fn read(names: &[&str]) -> Result<Known<'static>, StepError> {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Known::read(&Store, &names).now_or_never().expect("the store answers at once")
    }

    #[test]
    fn a_secret_that_is_not_there_fails_only_the_call_that_uses_it() {
        let known = read(&["a", "c"]).expect("nobody sent what is not there");
        let used = |name: &str| known.used([name.to_owned()].into()).now_or_never().expect("the store answers at once");
        assert_eq!(used("a").map(|used| used["a"].clone()), Ok("value-of-a".to_owned()));
        assert_eq!(used("c").map_err(|error| (error.code, error.class)), Err((StepCode::SecretUnavailable, None)));
        assert_eq!(known.redactor(&Used::new()).text("it was value-of-a"), "it was [secret:a]");
    }

    #[test]
    fn nothing_is_sent_while_the_store_does_not_say_what_to_take_out() {
        let error = read(&["a", "b"]).err().expect("an echo of it could not be known");
        assert_eq!((error.code, error.class), (StepCode::SecretUnavailable, Some(FailureClass::Throttled)));
    }
}
