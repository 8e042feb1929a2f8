//! Bounds a text before it is parsed.

use super::Bounds;
use super::error::{Error, ErrorKind};

/// Longest number that an error repeats, in characters.
const MOST_SHOWN: usize = 40;

/// Goes through a text once, without building anything. That it is JSON is for the parser to say; this says whether what
/// the parser would build stays within bounds.
pub(super) fn scan(text: &[u8], bounds: &Bounds) -> Result<(), Error> {
    if text.len() > bounds.bytes {
        return Err(Error { kind: ErrorKind::TooLarge { limit: bounds.bytes, unit: "bytes" }, place: None });
    }
    let mut scan = Scan { text, at: 0, depth: 0, values: 0, bounds };
    while let Some(byte) = text.get(scan.at) {
        match byte {
            b'"' => scan.string()?,
            b'{' | b'[' => scan.open()?,
            b'}' | b']' => scan.close(),
            b'-' | b'0'..=b'9' => scan.number()?,
            b'a'..=b'z' => scan.word()?,
            _ => scan.at += 1,
        }
    }
    Ok(())
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
    values: usize,
    bounds: &'a Bounds,
}

impl<'a> Scan<'a> {
    fn open(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > self.bounds.depth {
            return Err(self.error(self.at, ErrorKind::TooDeep { limit: self.bounds.depth }));
        }
        self.count(self.at)?;
        self.at += 1;
        Ok(())
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.at += 1;
    }

    fn string(&mut self) -> Result<(), Error> {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        let length = self.at.saturating_sub(start + 1);
        self.at += 1;
        let after = self.text.get(self.at..).unwrap_or_default().trim_ascii_start();
        if after.first() != Some(&b':') {
            return self.count(start);
        }
        if length > self.bounds.key_bytes {
            let limit = self.bounds.key_bytes;
            return Err(self.error(start, ErrorKind::TooLarge { limit, unit: "bytes in a key" }));
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), Error> {
        let start = self.at;
        let digits = self.take(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'));
        self.count(start)?;
        let digits = String::from_utf8_lossy(digits);
        let is_whole = !digits.contains(['.', 'e', 'E', '+']);
        if is_whole && is_beyond_64_bits(&digits) {
            let shown = match digits.char_indices().nth(MOST_SHOWN) {
                Some((at, _)) => format!("{}…", &digits[..at]),
                None => digits.into_owned(),
            };
            return Err(self.error(start, ErrorKind::NumberOutOfRange(shown)));
        }
        Ok(())
    }

    fn word(&mut self) -> Result<(), Error> {
        self.take(|byte| byte.is_ascii_lowercase());
        self.count(self.at)
    }

    fn take(&mut self, belongs: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = &self.text[self.at..];
        let length = rest.iter().position(|byte| !belongs(*byte)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn count(&mut self, at: usize) -> Result<(), Error> {
        self.values += 1;
        if self.values > self.bounds.values {
            return Err(self.error(at, ErrorKind::TooLarge { limit: self.bounds.values, unit: "values" }));
        }
        Ok(())
    }

    fn error(&self, at: usize, kind: ErrorKind) -> Error {
        let before = String::from_utf8_lossy(&self.text[..at]);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Error { kind, place: Some((line, column)) }
    }
}

/// Whether the digits of a whole number stand for more than an `i64` or a `u64` holds.
fn is_beyond_64_bits(digits: &str) -> bool {
    let is_whole = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_whole(digits.strip_prefix('-').unwrap_or(digits))
        && digits.parse::<i64>().is_err()
        && digits.parse::<u64>().is_err()
}
