//! Encodings: `urlencode`, `base64`, `base64_decode`, `sha256`, `hmac_sha256`.
//!
//! Where secrets are allowed they may be arguments: what comes of it is a placeholder too, and the runtime encodes once
//! it knows the secret.

use std::borrow::Cow;

use serde_json::Value;

use super::convert::written;
use super::{Call, Outcome};
use crate::ExpressionError;
use crate::expression::encoding::{Encoder, from_base64};
use crate::expression::secret::{disarm, encoded_placeholder, placeholders};
use crate::expression::val::Val;

/// `urlencode(x)`: all but letters, digits and `-._~` percent-encoded.
pub(super) fn urlencode<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    encode(call, Encoder::Percent, 1)
}

/// `base64(x)`: with the standard alphabet and padding.
pub(super) fn base64<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    encode(call, Encoder::Base64, 1)
}

/// `sha256(x)`: in hexadecimal, `sha256(x, "base64")` in base64.
pub(super) fn sha256<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let encoder = if in_base64(call, 1)? { Encoder::Sha256Base64 } else { Encoder::Sha256 };
    encode(call, encoder, 1)
}

/// `hmac_sha256(key, x)`: in hexadecimal, `hmac_sha256(key, x, "base64")` in base64.
pub(super) fn hmac_sha256<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let encoder = if in_base64(call, 2)? { Encoder::HmacSha256Base64 } else { Encoder::HmacSha256 };
    encode(call, encoder, 2)
}

/// `base64_decode(text)`: the text that base64 of either alphabet says.
pub(super) fn base64_decode<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let text = call.text(0)?;
    call.evaluator.budget.spend_bytes(text.len())?;
    let bytes = from_base64(&text).ok_or_else(|| call.bad("the text is no base64"))?;
    let text = String::from_utf8(bytes).map_err(|_| call.bad("what it decodes to is no text in UTF-8"))?;
    // What was encoded may hold any character.
    Ok(Val::owned_data(disarm(Cow::Owned(Value::from(text))).into_owned()))
}

fn encode<'a>(call: &mut Call<'_, 'a>, encoder: Encoder, arguments: usize) -> Outcome<'a> {
    let bytes: Vec<Vec<u8>> = (0..arguments).map(|place| bytes_at(call, place)).collect::<Result<_, _>>()?;
    for bytes in &bytes {
        // A digest looks at each byte some dozen times.
        call.evaluator.budget.spend_elements(bytes.len() / 4 + 1)?;
    }
    let names_secret = |bytes: &Vec<u8>| str::from_utf8(bytes).is_ok_and(|text| placeholders(text).next().is_some());
    if bytes.iter().any(names_secret) {
        return Ok(Val::text(encoded_placeholder(encoder, &bytes)));
    }
    let arguments: Vec<&[u8]> = bytes.iter().map(Vec::as_slice).collect();
    Ok(Val::text(encoder.apply(&arguments)))
}

/// The bytes of a simple value: a text in UTF-8, a number or a time as it is written.
fn bytes_at(call: &Call<'_, '_>, place: usize) -> Result<Vec<u8>, ExpressionError> {
    match call.arguments.get(place) {
        Some(Val::Bytes(bytes)) => Ok(bytes.to_vec()),
        Some(simple) => {
            let text =
                written(simple).ok_or_else(|| call.wrong(place, "a simple value, json(…) writes lists and objects"));
            text.map(String::into_bytes)
        }
        None => Err(call.wrong(place, "a simple value")),
    }
}

/// Whether the argument after the others asks for base64 in place of hexadecimal.
fn in_base64(call: &Call<'_, '_>, place: usize) -> Result<bool, ExpressionError> {
    if call.arguments.len() == place {
        return Ok(false);
    }
    match &*call.text(place)? {
        "base64" => Ok(true),
        "hex" => Ok(false),
        _ => Err(call.bad("expected \"hex\" or \"base64\" as the last argument")),
    }
}
