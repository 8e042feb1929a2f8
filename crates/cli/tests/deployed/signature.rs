//! Signature version 4 from the side that checks it, by AWS's description and without AWS's code.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use std::fmt::Write;

use axum::http::HeaderName;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::gateway::Sent;

/// Why a request is not let in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Unsigned,
    Scope,
    Mismatch,
}

/// Computes the signature of a request again from what was received, and compares.
pub(crate) fn check(sent: &Sent, (key_id, secret): (&str, &str)) -> Result<(), Refused> {
    let authorization = sent.header("authorization").ok_or(Refused::Unsigned)?;
    let fields = authorization.strip_prefix("AWS4-HMAC-SHA256 ").ok_or(Refused::Unsigned)?;
    let field = |name: &str| {
        let mut fields = fields.split(", ").filter_map(|field| field.split_once('='));
        fields.find(|(found, _)| *found == name).map(|(_, value)| value).ok_or(Refused::Unsigned)
    };
    let time = sent.header("x-amz-date").ok_or(Refused::Unsigned)?;
    let scope = format!("{}/eu-central-1/execute-api/aws4_request", &time[..8]);
    if field("Credential")? != format!("{key_id}/{scope}") {
        return Err(Refused::Scope);
    }
    let canonical = canonical(sent, field("SignedHeaders")?);
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let start = format!("AWS4{secret}").into_bytes();
    let key = scope.split('/').fold(start, |key, part| hmac(&key, part.as_bytes()));
    if hex(&hmac(&key, text.as_bytes())) == field("Signature")? { Ok(()) } else { Err(Refused::Mismatch) }
}

/// The canonical request; what AWS demands to be signed must be.
fn canonical(sent: &Sent, signed: &str) -> String {
    let names: Vec<&str> = signed.split(';').collect();
    assert!(names.is_sorted() && names.contains(&"host"), "{signed}");
    for name in sent.headers.keys().map(HeaderName::as_str) {
        let must = name == "content-type" || name.starts_with("x-amz-");
        assert!(!must || names.contains(&name), "{name} is not signed");
    }
    let line = |name: &&str| format!("{name}:{}\n", sent.header(name).expect("a signed header is sent").trim());
    let headers = names.iter().map(line).collect::<Vec<_>>().concat();
    // Both are taken as they came: the path is encoded once more, the query must have been encoded as AWS does it.
    let query = sent.uri.query().unwrap_or_default();
    assert!(query.bytes().all(|byte| is_plain(byte) || b"%=&".contains(&byte)), "{query}");
    let mut pairs: Vec<&str> = query.split('&').collect();
    pairs.sort_unstable();
    let (path, query, body) = (encoded(sent.path()), pairs.join("&"), hex(&Sha256::digest(&sent.body)));
    format!("{}\n{path}\n{query}\n{headers}\n{signed}\n{body}", sent.method)
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn encoded(path: &str) -> String {
    path.bytes().fold(String::new(), |mut text, byte| {
        if is_plain(byte) || byte == b'/' {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").expect("a text takes more");
        }
        text
    })
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key may have any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text takes more");
        text
    })
}
