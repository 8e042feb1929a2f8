//! `webhook`: GET or POST on `/hooks/<workflow>/<trigger id>`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Fills, Listen, RecordMatch, TypeFacts, fills};
use crate::describe::JsonSchema;
use crate::types::{Kinds, Type};
use crate::validate::Facts;
use crate::validate::words::quoted;
use crate::{Check, Duration, Expression, HmacScheme, code};

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
    /// Name of the secret that is the key.
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
    /// Largest age of a delivery that says its time of sending; 5 minutes if absent.
    #[serde(default)]
    pub tolerance: Option<Duration>,
    /// Name of the secret that Meta's subscription check must name, which is not the key: it stands in an address.
    #[serde(default)]
    pub verify_token: Option<Secrets>,
}

impl HmacVerify {
    /// How a delivery is signed.
    pub fn scheme(&self) -> HmacScheme<'_> {
        HmacScheme {
            algorithm: self.algorithm,
            encoding: self.encoding,
            header: &self.header,
            prefix: &self.prefix,
            timestamp_header: self.timestamp_header.as_deref(),
        }
    }
}

/// One secret's name or several (for rotation): `github`, or as an expression `{{ secret("github") }}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(from = "WrittenSecrets")]
pub enum Secrets {
    /// One.
    One(String),
    /// Several; each is tried.
    Many(Vec<String>),
}

/// Secrets as they are written.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum WrittenSecrets {
    /// One.
    One(String),
    /// Several; each is tried.
    Many(#[schemars(length(min = 1))] Vec<String>),
}

impl From<WrittenSecrets> for Secrets {
    fn from(written: WrittenSecrets) -> Self {
        match written {
            WrittenSecrets::One(text) => Self::One(name_in(&text)),
            WrittenSecrets::Many(texts) => Self::Many(texts.iter().map(|text| name_in(text)).collect()),
        }
    }
}

/// The name in `{{ secret("name") }}`, or the text itself: a secret is always named here, so the call may be left out.
pub(crate) fn name_in(text: &str) -> String {
    let call = || {
        let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim();
        let argument = inner.strip_prefix("secret(")?.strip_suffix(')')?.trim();
        let quoted = |quote| argument.strip_prefix(quote)?.strip_suffix(quote);
        quoted('"').or_else(|| quoted('\''))
    };
    call().unwrap_or(text).to_owned()
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
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
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

/// The trigger `webhook`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Methods that it answers: `GET`, `POST`.
    #[serde(default = "Webhook::default_methods")]
    #[schemars(extend("items" = {"enum": ["GET", "POST"]}, "minItems" = 1))]
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

impl Verify {
    /// The secrets that it names, below the key of its settings; `None` for `none`.
    pub fn secrets(&self) -> Option<(&'static str, &Secrets)> {
        Some(match self {
            Self::None => return None,
            Self::Token { secret, .. } => ("token", secret),
            Self::Basic { secret, .. } => ("basic", secret),
            Self::Hmac(hmac) => ("hmac", &hmac.secret),
            Self::Github { secret } => ("github", secret),
            Self::Stripe { secret } => ("stripe", secret),
            Self::Slack { secret } => ("slack", secret),
            Self::Shopify { secret } => ("shopify", secret),
            Self::StandardWebhooks { secret } => ("standard-webhooks", secret),
        })
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        if !cx.written("verify") {
            let message = "anyone who knows the URL of this webhook can call it";
            cx.warning(code::SUSPICIOUS, &cx.path.clone(), message)
                .suggest("say how deliveries are verified, or `verify: none`".to_owned());
        }
        if let Some((key, secrets)) = self.secrets() {
            let path = cx.key("verify").key(key).key("secret");
            for name in secrets.names().iter().filter(|name| name.trim().is_empty() || name.contains(['{', '('])) {
                cx.error(code::INVALID_VALUE, &path, format!("expected the name of a secret, found {}", quoted(name)));
            }
        }
        if let Self::Hmac(HmacVerify { timestamp_header: None, tolerance: Some(_), .. }) = self {
            let message = "expected `timestamp_header` beside `tolerance`, found none: a delivery's age cannot be told";
            cx.error(code::MISSING_KEY, &cx.key("verify").key("hmac").key("tolerance"), message);
        }
    }
}

impl Listen for Webhook {
    fn words(&self) -> String {
        "another system calls its webhook".to_owned()
    }

    fn facts() -> TypeFacts {
        TypeFacts { has_address: true, ..TypeFacts::default() }
    }

    fn brings(keys: &Map<String, Value>) -> Vec<&str> {
        fills::named_values(keys)
    }

    fn webhook(&self) -> Option<&Webhook> {
        Some(self)
    }

    fn fills(&self) -> Option<Fills<'_>> {
        Some(Fills { record: self.record.as_ref(), values: &self.values })
    }

    fn event(&self, _: &Facts<'_>) -> Vec<(&'static str, Type)> {
        let texts = || Type::of(Kinds::OBJECT);
        vec![("body", Type::any()), ("query", texts()), ("headers", texts()), ("values", texts())]
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        self.verify.check(cx);
        fills::check(self.record.as_ref(), "its deliveries", cx);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Secrets, Verify};

    fn names(written: Value) -> Vec<String> {
        serde_json::from_value::<Secrets>(written).expect("secrets are written so").names().to_vec()
    }

    #[test]
    fn secrets_are_named_with_and_without_the_call() {
        assert_eq!(names(json!("github")), ["github"]);
        assert_eq!(names(json!("{{ secret(\"github\") }}")), ["github"]);
        assert_eq!(names(json!(["{{secret('new')}}", "old"])), ["new", "old"]);
        assert_eq!(names(json!("{{ vars.github }}")), ["{{ vars.github }}"]);
    }

    #[test]
    fn presets_refuse_unknown_keys() {
        let wrong = json!({"github": {"secret": "github", "header": "x-sig"}});
        assert!(serde_json::from_value::<Verify>(wrong).is_err());
    }
}
