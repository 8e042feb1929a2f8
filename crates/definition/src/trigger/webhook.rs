//! `webhook`: GET or POST on `/hooks/<workflow>/<trigger id>`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Duration, Expression};

/// Where a token stands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenPlace {
    /// A header.
    Header(String),
    /// A query parameter.
    Query(String),
}

/// Hash of an HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HmacAlgorithm {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Hexadecimal.
    #[default]
    Hex,
    /// Base64.
    Base64,
}

/// A signature over the raw body.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HmacVerify {
    /// The key, usually `{{ secret("name") }}`; several are all tried, for rotation.
    pub secret: Secrets,
    /// The header that holds the signature.
    pub header: String,
    /// Hash.
    #[serde(default)]
    pub algorithm: HmacAlgorithm,
    /// How it is written.
    #[serde(default)]
    pub encoding: Encoding,
    /// Text before the signature, such as `sha256=`.
    #[serde(default)]
    pub prefix: String,
    /// Header that holds the time of sending in seconds; it is then signed as `<time>.<body>`.
    #[serde(default)]
    pub timestamp_header: Option<String>,
    /// Largest age of a delivery.
    #[serde(default)]
    pub tolerance: Option<Duration>,
}

/// One secret's name or several (for rotation).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Secrets {
    /// One.
    One(String),
    /// Several; each is tried.
    Many(Vec<String>),
}

impl Secrets {
    /// Their names.
    pub fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Many(names) => names,
        }
    }
}

/// How a delivery proves where it comes from. Secrets are named, never written.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verify {
    /// Not at all.
    #[default]
    None,
    /// A token in a header or query parameter.
    Token {
        /// Where it stands.
        #[serde(rename = "in")]
        place: TokenPlace,
        /// Name of the secret.
        secret: Secrets,
    },
    /// HTTP basic authentication.
    Basic {
        /// User name.
        user: String,
        /// Name of the secret that is the password.
        secret: Secrets,
    },
    /// A signature over the raw body.
    Hmac(HmacVerify),
    /// GitHub: `X-Hub-Signature-256`.
    Github {
        /// Name of the secret.
        secret: Secrets,
    },
    /// Stripe: `Stripe-Signature`, 5 minutes.
    Stripe {
        /// Name of the secret.
        secret: Secrets,
    },
    /// Slack: `X-Slack-Signature`, 5 minutes.
    Slack {
        /// Name of the secret.
        secret: Secrets,
    },
    /// Shopify: `X-Shopify-Hmac-Sha256`.
    Shopify {
        /// Name of the secret.
        secret: Secrets,
    },
    /// Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
    StandardWebhooks {
        /// Name of the secret.
        secret: Secrets,
    },
}

/// How the record of a delivery is found or created.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordMatch {
    /// One field and the CEL that gives its value.
    pub r#match: BTreeMap<String, Expression>,
    /// Creates the record if none matches; `match` and `values` of the same names fill its fields.
    #[serde(default)]
    pub create: bool,
}

/// The trigger `webhook`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Methods that it answers: `GET`, `POST`.
    #[serde(default = "Webhook::default_methods")]
    pub methods: Vec<String>,
    /// Verification.
    #[serde(default)]
    pub verify: Verify,
    /// How to find or create the record.
    #[serde(default)]
    pub record: Option<RecordMatch>,
    /// Values by name, which a variable of the same name takes as its first source.
    #[serde(default)]
    pub values: BTreeMap<String, Expression>,
}

impl Webhook {
    fn default_methods() -> Vec<String> {
        vec!["POST".to_owned()]
    }
}
