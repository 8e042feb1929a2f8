//! Secrets from environment variables.

use std::collections::BTreeMap;

use async_trait::async_trait;
use pawl_runtime::doubt_about;
use pawl_runtime::ports::{SecretError, Secrets, without_line_end};

/// What the variables that hold secrets begin with.
const PREFIX: &str = "PAWL_SECRET_";

/// Secrets that came as variables `PAWL_SECRET_<NAME>`. A name is looked up in upper case with `_` for everything
/// that is not a letter or digit, as variables are written: `secret("github-token")` reads
/// `PAWL_SECRET_GITHUB_TOKEN`. Line breaks at the end of a value are left out.
#[derive(Clone, Default)]
pub struct VariableSecrets {
    values: BTreeMap<String, String>,
}

impl VariableSecrets {
    /// Keeps the variables that hold secrets; others are ignored. Reads no environment itself.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let secret = |(name, value): (String, String)| Some((name.strip_prefix(PREFIX)?.to_owned(), value));
        Self { values: variables.into_iter().filter_map(secret).collect() }
    }

    /// What is doubtful about the secrets, a sentence each, for the one who starts the process. It never repeats a secret.
    pub fn doubts(&self) -> Vec<String> {
        let told = |(name, secret): (&String, &String)| Some(format!("{PREFIX}{name} {}", doubt_about(secret)?));
        self.values.iter().filter_map(told).collect()
    }
}

#[async_trait]
impl Secrets for VariableSecrets {
    async fn get(&self, name: &str) -> Result<String, SecretError> {
        let secret = self.values.get(&variable(name)).map(|secret| without_line_end(secret).to_owned());
        secret.ok_or_else(|| SecretError::NotFound(name.to_owned()))
    }
}

/// The variable that holds a secret.
pub fn secret_variable(name: &str) -> String {
    format!("{PREFIX}{}", variable(name))
}

fn variable(name: &str) -> String {
    let letter = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' };
    name.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_is_looked_up_as_variables_are_written() {
        let variables = [("PAWL_SECRET_GITHUB_TOKEN", "s3cret"), ("GITHUB_TOKEN", "other")];
        let secrets = VariableSecrets::new(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(secrets.get("github-token").await, Ok("s3cret".to_owned()));
        assert_eq!(secrets.get("token").await, Err(SecretError::NotFound("token".to_owned())));
    }

    /// A secret from a file ended with one, and every delivery was refused without a hint.
    #[tokio::test]
    async fn a_line_break_at_the_end_is_left_out_and_told() {
        let variables =
            [("PAWL_SECRET_A", "topsecret\n"), ("PAWL_SECRET_B", "topsecret"), ("PAWL_SECRET_C", " x-secret")];
        let secrets = VariableSecrets::new(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(secrets.get("a").await, Ok("topsecret".to_owned()));
        let doubts = [
            "PAWL_SECRET_A ends with a line break, which is left out",
            "PAWL_SECRET_C begins or ends with blanks, which are sent and compared as a part of it",
        ];
        assert_eq!(secrets.doubts(), doubts);
    }
}
