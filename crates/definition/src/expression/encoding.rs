//! Encodings that keep a value in its place, and those that services ask for.
//!
//! Placeholders of secrets are left as they are: the runtime encodes a secret when it puts it in.

use std::fmt::Write;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::secret::placeholders;

/// Base64 that services send comes with padding and without.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// Percent-encodes all but unreserved characters (RFC 3986, section 2.3).
pub fn percent_encoded(text: &str) -> String {
    outside_placeholders(text, |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte), false)
}

/// Encodes as a form does (WHATWG URL, section 5.2): blanks become `+`.
pub fn form_encoded(text: &str) -> String {
    outside_placeholders(text, |byte| byte.is_ascii_alphanumeric() || b"*-._".contains(&byte), true)
}

fn outside_placeholders(text: &str, is_plain: fn(u8) -> bool, plus: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let encode = |part: &str, out: &mut String| {
        for byte in part.bytes() {
            match byte {
                b' ' if plus => out.push('+'),
                byte if is_plain(byte) => out.push(char::from(byte)),
                byte => {
                    // Writing to a string cannot fail.
                    let _ = write!(out, "%{byte:02X}");
                }
            }
        }
    };
    let mut end = 0;
    for (range, _) in placeholders(text) {
        encode(&text[end..range.start], &mut out);
        out.push_str(&text[range.clone()]);
        end = range.end;
    }
    encode(&text[end..], &mut out);
    out
}

/// An encoding of the language that may be of a secret: the runtime carries it out once the secret is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoder {
    Percent,
    Base64,
    Sha256,
    Sha256Base64,
    HmacSha256,
    HmacSha256Base64,
}

impl Encoder {
    /// What it is called in a placeholder. Stored, do not rename.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Percent => "percent",
            Self::Base64 => "base64",
            Self::Sha256 => "sha256",
            Self::Sha256Base64 => "sha256-base64",
            Self::HmacSha256 => "hmac-sha256",
            Self::HmacSha256Base64 => "hmac-sha256-base64",
        }
    }

    pub(super) fn of_word(word: &str) -> Option<Self> {
        let all =
            [Self::Percent, Self::Base64, Self::Sha256, Self::Sha256Base64, Self::HmacSha256, Self::HmacSha256Base64];
        all.into_iter().find(|encoder| encoder.word() == word)
    }

    /// Encodes. The arguments are those of the function; one that is absent is empty.
    pub(super) fn apply(self, arguments: &[&[u8]]) -> String {
        let [first, second] = [0, 1].map(|at| arguments.get(at).copied().unwrap_or_default());
        match self {
            Self::Percent => percent_encoding::percent_encode(first, PERCENT).to_string(),
            Self::Base64 => BASE64_STANDARD.encode(first),
            Self::Sha256 => hexadecimal(&Sha256::digest(first)),
            Self::Sha256Base64 => BASE64_STANDARD.encode(Sha256::digest(first)),
            Self::HmacSha256 => hexadecimal(&hmac(first, second)),
            Self::HmacSha256Base64 => BASE64_STANDARD.encode(hmac(first, second)),
        }
    }
}

/// All but unreserved characters.
const PERCENT: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Decodes base64 of either alphabet, with padding and without; white space in it is passed over.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let dense: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let alphabet = if dense.contains(['-', '_']) { alphabet::URL_SAFE } else { alphabet::STANDARD };
    GeneralPurpose::new(&alphabet, LENIENT).decode(dense).ok()
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::secret_placeholder;

    #[test]
    fn a_value_is_one_segment_and_one_value() {
        assert_eq!(percent_encoded("../../admin?all=1#"), "..%2F..%2Fadmin%3Fall%3D1%23");
        assert_eq!(percent_encoded("a b+c%20é~"), "a%20b%2Bc%2520%C3%A9~");
        assert_eq!(form_encoded("a b+c&d=é~*"), "a+b%2Bc%26d%3D%C3%A9%7E*");
        let secret = secret_placeholder("k/1");
        assert_eq!(percent_encoded(&format!("a/{secret}/")), format!("a%2F{secret}%2F"), "a placeholder stays");
    }

    #[test]
    fn encoders_answer_as_their_standards_do() {
        // RFC 4231, test case 2; FIPS 180-2, appendix B.1.
        let (key, message) = (b"Jefe".as_slice(), b"what do ya want for nothing?".as_slice());
        let mac = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(Encoder::HmacSha256.apply(&[key, message]), mac);
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Encoder::Sha256.apply(&[b"abc"]), digest);
        assert_eq!(Encoder::Sha256Base64.apply(&[b"abc"]), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
        assert_eq!(Encoder::Base64.apply(&[b"user:pass"]), "dXNlcjpwYXNz");
        assert_eq!(Encoder::Percent.apply(&["a b/é~".as_bytes()]), "a%20b%2F%C3%A9~");
    }

    #[test]
    fn base64_is_read_in_both_alphabets() {
        for text in ["+/8=", "-_8=", "+/8", "-_8", " +/ 8=\n"] {
            assert_eq!(from_base64(text), Some(vec![0xfb, 0xff]), "{text:?}");
        }
        for text in ["+_8=", "a", "ä"] {
            assert_eq!(from_base64(text), None, "{text:?}");
        }
    }
}
