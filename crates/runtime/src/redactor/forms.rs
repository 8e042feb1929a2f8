//! The forms in which one secret may come back.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use url::Url;

use super::FEWEST_DIGITS;

/// Fewest bytes of a secret that is told from other text in every form.
pub(super) const FEWEST_BYTES: usize = 5;

/// Fewest bytes of a segment of a URL's path, or of a value of its query, that is taken for a credential: `/v1/messages`
/// and `api-version=2016-10-01` are none.
const FEWEST_IN_URL: usize = 16;

/// The forms of one secret.
#[derive(Debug, Default)]
pub(super) struct Forms {
    /// To be found in any case of their letters.
    pub(super) loose: Vec<Vec<u8>>,
    /// In base64, to be found as they are, in the middle of a longer text too.
    pub(super) encoded: Vec<Vec<u8>>,
    /// As a number.
    pub(super) number: Option<f64>,
}

impl Forms {
    pub(super) fn of(secret: &str) -> Self {
        let mut forms = Self::default();
        let unpadded = secret.trim();
        if unpadded.is_empty() {
            return forms;
        }
        for part in [unpadded.to_owned()].into_iter().chain(credentials(unpadded)) {
            forms.add(&part);
        }
        let is_number =
            unpadded.len() >= FEWEST_DIGITS && unpadded.bytes().all(|byte| b"0123456789+-.eE".contains(&byte));
        forms.number = unpadded.parse().ok().filter(|number: &f64| is_number && number.is_finite());
        forms
    }

    fn add(&mut self, part: &str) {
        let bytes = part.as_bytes();
        self.loose.push(bytes.to_vec());
        // A secret that is escaped itself comes back undone.
        let undone: Vec<u8> = percent_encoding::percent_decode(bytes).collect();
        if undone != bytes && undone.len() >= FEWEST_BYTES {
            self.loose.push(undone);
        }
        if bytes.len() < FEWEST_BYTES {
            return;
        }
        self.loose.push(bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect());
        for before in 0..3 {
            self.encoded.extend(in_base64(bytes, before));
        }
    }
}

/// What of a URL is a credential by itself.
fn credentials(secret: &str) -> Vec<String> {
    let Ok(url) = Url::parse(secret) else { return Vec::new() };
    let segments = url.path_segments().into_iter().flatten().filter(|segment| segment.len() >= FEWEST_IN_URL);
    let mut found: Vec<String> = segments.map(str::to_owned).collect();
    found.extend(url.query_pairs().map(|(_, value)| value.into_owned()).filter(|value| value.len() >= FEWEST_IN_URL));
    found.extend(url.password().filter(|password| !password.is_empty()).map(str::to_owned));
    found
}

/// The characters in base64, of both alphabets, that depend on nothing but the secret, where so many bytes, modulo
/// three, stand before it.
fn in_base64(secret: &[u8], before: usize) -> [Vec<u8>; 2] {
    let mut bytes = vec![0; before];
    bytes.extend_from_slice(secret);
    let (first, end) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
    let part = |text: String| text.as_bytes()[first..end].to_vec();
    [part(BASE64_STANDARD_NO_PAD.encode(&bytes)), part(BASE64_URL_SAFE_NO_PAD.encode(&bytes))]
}

/// The whole run of base64 around a part of it. Its neighbours hold bits of the secret, and `user:secret` is one run.
pub(super) fn run_around(bytes: &[u8], start: usize, end: usize) -> (usize, usize) {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
    let before = bytes[..start].iter().rev().take_while(|byte| is_base64(byte)).count();
    let after = bytes[end..].iter().take_while(|byte| is_base64(byte)).count();
    let padding = bytes[end + after..].iter().take(2).take_while(|byte| **byte == b'=').count();
    (start - before, end + after + padding)
}
