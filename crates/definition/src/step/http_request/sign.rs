//! `sign`: how a request proves where it comes from. The counterpart of a webhook's `verify`.

use serde::Deserialize;

use super::{CLIENT_HEADERS, is_header_name, is_header_value};
use crate::describe::JsonSchema;
use crate::path::Path;
use crate::trigger::{Encoding, HmacAlgorithm, secret_name_in};
use crate::validate::words::quoted;
use crate::{Check, HmacScheme, code};

/// How a request is signed. The secret is named, never written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Sign {
    /// A signature over the body.
    Hmac(HmacSign),
    /// Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
    StandardWebhooks {
        /// Name of the secret: `whsec_` and a key in base64.
        secret: SecretName,
    },
}

/// A signature over the body.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HmacSign {
    /// Name of the secret that is the key.
    pub secret: SecretName,
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
    /// Header that holds the time of sending in seconds; `<time>.<body>` is signed then.
    #[serde(default)]
    pub timestamp_header: Option<String>,
}

/// A secret's name: `partner`, or as an expression `{{ secret("partner") }}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(from = "String")]
pub struct SecretName(pub String);

impl From<String> for SecretName {
    fn from(written: String) -> Self {
        Self(secret_name_in(&written))
    }
}

impl HmacSign {
    /// How the request is signed.
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

impl Sign {
    /// The headers of Standard Webhooks: id, time, signature.
    pub const STANDARD_WEBHOOKS: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

    /// The name of its secret.
    pub fn secret(&self) -> &str {
        match self {
            Self::Hmac(HmacSign { secret, .. }) | Self::StandardWebhooks { secret } => &secret.0,
        }
    }

    /// The headers that it sets, each with the key that names it.
    fn headers(&self) -> Vec<(&str, Option<&'static str>)> {
        match self {
            Self::Hmac(shape) => {
                let time = shape.timestamp_header.as_deref().map(|name| (name, Some("timestamp_header")));
                [(shape.header.as_str(), Some("header"))].into_iter().chain(time).collect()
            }
            Self::StandardWebhooks { .. } => Self::STANDARD_WEBHOOKS.map(|name| (name, None)).into(),
        }
    }

    /// Checks it at its place; `given` are the headers that the author sets beside it.
    pub(super) fn check(&self, given: &[&String], cx: &mut Check<'_, '_>) {
        let key = match self {
            Self::Hmac(_) => "hmac",
            Self::StandardWebhooks { .. } => "standard-webhooks",
        };
        let place = cx.key("sign").key(key);
        self.check_secret(&place, cx);
        let mut own: Vec<String> = Vec::new();
        for (name, key) in self.headers() {
            let (path, lower) = (key.map_or_else(|| place.clone(), |key| place.key(key)), name.to_ascii_lowercase());
            if !is_header_name(name) {
                let message = format!("expected a name of a header such as x-signature, found {name:?}");
                cx.error(code::INVALID_VALUE, &path, message);
            } else if CLIENT_HEADERS.contains(&lower.as_str()) || matches!(&*lower, "content-type" | "idempotency-key")
            {
                let message = format!("the header `{lower}` is set by pawl and cannot hold what is signed");
                cx.error(code::INVALID_VALUE, &path, message);
            } else if own.contains(&lower) || given.iter().any(|other| other.eq_ignore_ascii_case(name)) {
                let message = format!("the header `{lower}` is given twice: `sign` sets it");
                cx.error(code::DUPLICATE_KEY, &path, message);
            }
            own.push(lower);
        }
        if let Self::Hmac(HmacSign { prefix, .. }) = self
            && !is_header_value(prefix)
        {
            let message = "expected one line without control characters before the signature, found some".to_owned();
            cx.error(code::INVALID_VALUE, &place.key("prefix"), message);
        }
    }

    fn check_secret(&self, place: &Path, cx: &mut Check<'_, '_>) {
        let name = self.secret();
        if name.trim().is_empty() || name.contains(['{', '(']) {
            let message = format!("expected the name of a secret, found {}", quoted(name));
            cx.error(code::INVALID_VALUE, &place.key("secret"), message);
        }
    }
}
