//! Signatures over bodies: what a signed request says, and what a webhook is held against.
//!
//! - [`hmac`]: as an author describes it. [`standard_webhooks`]: as that specification says, "Signature scheme".
//! - [`mac`], [`encoding`]: the computation, which every kind of signature shares.

pub mod encoding;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use pawl_definition::HmacScheme;
use pawl_definition::step::Sign;
use pawl_definition::trigger::{Encoding, HmacAlgorithm};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

/// Secrets of Standard Webhooks are handed out with and without padding.
const SECRET: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Signs a message given in parts.
pub fn mac(algorithm: HmacAlgorithm, key: &[u8], message: &[&[u8]]) -> Vec<u8> {
    match algorithm {
        HmacAlgorithm::Sha1 => computed::<Hmac<Sha1>>(key, message),
        HmacAlgorithm::Sha256 => computed::<Hmac<Sha256>>(key, message),
        HmacAlgorithm::Sha512 => computed::<Hmac<Sha512>>(key, message),
    }
}

fn computed<M: Mac + KeyInit>(key: &[u8], message: &[&[u8]]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("an HMAC takes a key of any length");
    for part in message {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

/// The headers, in lower case, that a body sent now gets by an HMAC: over the body, or over `<time>.<body>`.
pub fn hmac(scheme: &HmacScheme<'_>, key: &[u8], body: &[u8], now: Timestamp) -> Vec<(String, String)> {
    let time = now.as_second().to_string();
    let message: &[&[u8]] = match scheme.timestamp_header {
        Some(_) => &[time.as_bytes(), b".", body],
        None => &[body],
    };
    let signature = mac(scheme.algorithm, key, message);
    let written = match scheme.encoding {
        Encoding::Hex => encoding::to_hex(&signature),
        Encoding::Base64 => encoding::to_base64(&signature),
    };
    let signed = (scheme.header.to_ascii_lowercase(), format!("{}{written}", scheme.prefix));
    let timed = scheme.timestamp_header.map(|header| (header.to_ascii_lowercase(), time));
    [signed].into_iter().chain(timed).collect()
}

/// The headers, in lower case, that a body sent now gets by Standard Webhooks, under this id of the message.
pub fn standard_webhooks(key: &[u8], id: &str, body: &[u8], now: Timestamp) -> Vec<(String, String)> {
    let time = now.as_second().to_string();
    let message: &[&[u8]] = &[id.as_bytes(), b".", time.as_bytes(), b".", body];
    let signature = format!("v1,{}", encoding::to_base64(&mac(HmacAlgorithm::Sha256, key, message)));
    Sign::STANDARD_WEBHOOKS.map(str::to_owned).into_iter().zip([id.to_owned(), time, signature]).collect()
}

/// The key in a secret of Standard Webhooks: base64, usually after `whsec_`; `None` if it is anything else or empty.
pub fn standard_webhooks_key(secret: &str) -> Option<Vec<u8>> {
    let written = secret.trim();
    SECRET.decode(written.strip_prefix("whsec_").unwrap_or(written)).ok().filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time of this century")
    }

    /// The example of the Standard Webhooks specification and of its libraries.
    #[test]
    fn standard_webhooks_signs_as_its_published_example() {
        let key = standard_webhooks_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a key");
        let headers =
            standard_webhooks(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", br#"{"test": 2432232314}"#, at(1_614_265_330));
        let expected = [
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ];
        assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(standard_webhooks_key("whsec_"), None);
        assert_eq!(standard_webhooks_key("no base64"), None);
    }

    /// GitHub's published example, and RFC 4231, case 2, by base64 and with a time.
    #[test]
    fn an_hmac_is_written_as_its_scheme_says() {
        let scheme = HmacScheme {
            algorithm: HmacAlgorithm::Sha256,
            encoding: Encoding::Hex,
            header: "X-Hub-Signature-256",
            prefix: "sha256=",
            timestamp_header: None,
        };
        let headers = hmac(&scheme, b"It's a Secret to Everybody", b"Hello, World!", at(0));
        let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert_eq!(headers, [("x-hub-signature-256".to_owned(), signature.to_owned())]);
        let timed = HmacScheme { timestamp_header: Some("X-Time"), encoding: Encoding::Base64, prefix: "", ..scheme };
        let headers = hmac(&timed, b"key", b"body", at(7));
        let expected = encoding::to_base64(&mac(HmacAlgorithm::Sha256, b"key", &[b"7.body"]));
        assert_eq!(headers[0].1, expected);
        assert_eq!(headers[1], ("x-time".to_owned(), "7".to_owned()));
    }
}
