//! Bytes as senders write them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Reads hexadecimal of either case; `None` if it is anything else or empty.
pub fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| u8::try_from(char::from(*byte).to_digit(16)?).ok();
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    (!text.is_empty()).then(|| text.as_bytes().chunks(2).map(pair).collect())?
}

/// Reads base64 in its one standard form, with padding; `None` if it is anything else or empty.
pub fn base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok().filter(|bytes| !bytes.is_empty())
}

/// Writes hexadecimal.
pub fn to_hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).expect("half a byte is a digit");
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Writes base64 in its one standard form.
pub fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::{base64, hex, to_hex};

    #[test]
    fn only_whole_hexadecimal_is_read() {
        assert_eq!(hex("00fFa9"), Some(vec![0, 255, 169]));
        assert_eq!(to_hex(&[0, 255, 169]), "00ffa9");
        for text in ["", "0", "0g", "é0", "00 ", "+1"] {
            assert_eq!(hex(text), None, "{text:?}");
        }
    }

    #[test]
    fn only_standard_base64_is_read() {
        assert_eq!(base64("//8="), Some(vec![255, 255]));
        for text in ["", "__8=", "//8", "//9=", " //8="] {
            assert_eq!(base64(text), None, "{text:?}");
        }
    }
}
