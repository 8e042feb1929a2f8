//! Why a delivery was not believed.

/// Why a delivery was not believed. Its text says what was expected; it never holds a secret or what was sent instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The sender did not sign. Set the same secret at the sender, or another `verify` here.
    #[error("expected a signature in the header {header}, found none")]
    SignatureMissing {
        /// Where it was expected.
        header: String,
    },
    /// The signature is not written as this kind of `verify` expects it.
    #[error("expected {expected} in the header {header}, found none or another form")]
    SignatureMalformed {
        /// Where it stands.
        header: String,
        /// The form that was expected.
        expected: String,
    },
    /// The signature is another one: another secret, or a body that was changed on its way.
    #[error(
        "the signature in the header {header} does not match the body as received: another secret, or a changed body"
    )]
    SignatureMismatch {
        /// Where it stands.
        header: String,
    },
    /// The signature is right and too old (a replay, or a late retry), or from the future (clocks differ).
    #[error("expected a time of sending within {tolerance_s} s of the server's clock, found {} s {} it in {header}",
        .off_by_s.unsigned_abs(), if *.off_by_s < 0 { "ahead of" } else { "behind" })]
    SignatureExpired {
        /// Where the time stands.
        header: String,
        /// Seconds that the delivery is behind the clock; negative if it is ahead.
        off_by_s: i64,
        /// Seconds that are accepted.
        tolerance_s: i64,
    },
    /// The time of sending, which is part of what is signed, was not sent.
    #[error("expected the time of sending in seconds in the header {header}, found none")]
    TimestampMissing {
        /// Where it was expected.
        header: String,
    },
    /// The time of sending is not a number of seconds.
    #[error("expected the time of sending in whole seconds since 1970 in the header {header}, found another form")]
    TimestampMalformed {
        /// Where it stands.
        header: String,
    },
    /// The token was not sent.
    #[error("expected a token in the {place}, found none")]
    TokenMissing {
        /// Where it was expected, such as `header x-token`.
        place: String,
    },
    /// The token is another one.
    #[error("the token in the {place} is not the one expected")]
    TokenMismatch {
        /// Where it stands.
        place: String,
    },
    /// No user name and password were sent.
    #[error("expected a user name and password by HTTP basic authentication, found none")]
    CredentialsMissing,
    /// The user name or the password is another one.
    #[error("the user name or password is not the one expected")]
    CredentialsMismatch,
    /// None of the secrets that the trigger names has a value here. The operator must set one.
    #[error("no value is set for the secret {}", .names.join(" or "))]
    SecretMissing {
        /// Their names.
        names: Vec<String>,
    },
    /// A secret has a value that cannot be a key of this kind. The operator must set it as the sender gave it.
    #[error("expected the secret {name} to be {expected}, found another form")]
    SecretMalformed {
        /// Its name.
        name: String,
        /// The form that was expected.
        expected: String,
    },
}

impl Rejection {
    /// Its stable code. Stored, do not rename.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SignatureMissing { .. } => "signature_missing",
            Self::SignatureMalformed { .. } => "signature_malformed",
            Self::SignatureMismatch { .. } => "signature_mismatch",
            Self::SignatureExpired { .. } => "signature_expired",
            Self::TimestampMissing { .. } => "timestamp_missing",
            Self::TimestampMalformed { .. } => "timestamp_malformed",
            Self::TokenMissing { .. } => "token_missing",
            Self::TokenMismatch { .. } => "token_mismatch",
            Self::CredentialsMissing => "credentials_missing",
            Self::CredentialsMismatch => "credentials_mismatch",
            Self::SecretMissing { .. } => "secret_missing",
            Self::SecretMalformed { .. } => "secret_malformed",
        }
    }

    /// Its HTTP status: 503 if the fault is on this side, so that the sender tries again later; else 401.
    pub fn status(&self) -> u16 {
        if self.is_ours() { 503 } else { 401 }
    }

    /// Its text for the sender. What is wrong on this side is for the operator alone.
    pub fn for_sender(&self) -> String {
        if self.is_ours() { "this webhook cannot verify deliveries at the moment".to_owned() } else { self.to_string() }
    }

    /// The value of `WWW-Authenticate`, which HTTP basic authentication asks for.
    pub fn challenge(&self) -> Option<&'static str> {
        matches!(self, Self::CredentialsMissing | Self::CredentialsMismatch)
            .then_some(r#"Basic realm="webhook", charset="UTF-8""#)
    }

    fn is_ours(&self) -> bool {
        matches!(self, Self::SecretMissing { .. } | Self::SecretMalformed { .. })
    }
}
