//! Undoes escapes, and knows where in the text each byte came from.

use std::borrow::Cow;

/// A text, perhaps with escapes undone.
#[derive(Debug)]
pub(super) struct View<'a> {
    bytes: Cow<'a, [u8]>,
    /// Where each byte came from, and where the last one ends; nothing if they stand where they came from.
    from: Option<Vec<usize>>,
}

/// Reads one escape at the beginning of some bytes: what it stands for, and its length.
type Escape = fn(&[u8]) -> Option<(Vec<u8>, usize)>;

/// Each kind of escape, with the bytes that such an escape begins with. In a form `+` is a blank.
const ESCAPES: &[(&[u8], Escape)] = &[(b"%", percent), (b"+%", form), (b"\\", json), (b"&", html)];

impl<'a> View<'a> {
    /// The text as it is.
    pub(super) fn plain(text: &'a str) -> Self {
        Self { bytes: Cow::Borrowed(text.as_bytes()), from: None }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The part of the text that a part of the bytes came from.
    pub(super) fn source(&self, start: usize, end: usize) -> (usize, usize) {
        self.from.as_ref().map_or((start, end), |from| (from[start], from[end]))
    }

    /// The views in which one kind of escapes is undone, as far as there are some, made one after the other.
    pub(super) fn unescaped(&self) -> impl Iterator<Item = View<'static>> {
        ESCAPES.iter().filter_map(|(begins, escape)| self.undone(begins, *escape))
    }

    fn undone(&self, begins: &[u8], escape: Escape) -> Option<View<'static>> {
        if begins.len() > 1 && !self.bytes.contains(&begins[0]) {
            return None; // the same as without it
        }
        let bytes = self.bytes();
        let first = bytes.iter().position(|byte| begins.contains(byte))?;
        let (mut undone, mut from) =
            (bytes[..first].to_vec(), (0..first).map(|at| self.source(at, at).0).collect::<Vec<_>>());
        let (mut at, mut changed) = (first, false);
        while at < bytes.len() {
            let here = self.source(at, at).0;
            if let Some((meant, length)) = begins.contains(&bytes[at]).then(|| escape(&bytes[at..])).flatten() {
                from.extend(std::iter::repeat_n(here, meant.len()));
                undone.extend(meant);
                at += length;
                changed = true;
            } else {
                from.push(here);
                undone.push(bytes[at]);
                at += 1;
            }
        }
        from.push(self.source(bytes.len(), bytes.len()).0);
        changed.then_some(View { bytes: Cow::Owned(undone), from: Some(from) })
    }
}

fn form(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    if bytes[0] == b'+' { Some((vec![b' '], 1)) } else { percent(bytes) }
}

fn percent(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    Some((vec![u8::try_from(hex(bytes.get(1..3)?)?).ok()?], 3))
}

/// RFC 8259, section 7, and `\x41` as languages write it.
fn json(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let one = |byte| Some((vec![byte], 2));
    match bytes.get(1)? {
        byte @ (b'"' | b'\\' | b'/' | b'\'') => one(*byte),
        b'n' => one(b'\n'),
        b't' => one(b'\t'),
        b'r' => one(b'\r'),
        b'b' => one(8),
        b'f' => one(12),
        b'x' => Some((vec![u8::try_from(hex(bytes.get(2..4)?)?).ok()?], 4)),
        b'u' => {
            let unit = hex(bytes.get(2..6)?)?;
            if !(0xD800..0xDC00).contains(&unit) {
                return Some((utf8(unit)?, 6));
            }
            let second = bytes.get(6..12).filter(|second| second.starts_with(b"\\u"))?;
            let low = hex(&second[2..])?.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
            Some((utf8(0x10000 + ((unit - 0xD800) << 10) + low)?, 12))
        }
        _ => None,
    }
}

/// The references that templates of web frameworks write, and numeric ones.
fn html(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let end = bytes.iter().take(10).position(|byte| *byte == b';')?;
    let name = str::from_utf8(&bytes[1..end]).ok()?;
    let meant = match name {
        "amp" => vec![b'&'],
        "lt" => vec![b'<'],
        "gt" => vec![b'>'],
        "quot" => vec![b'"'],
        "apos" => vec![b'\''],
        "nbsp" => vec![b' '],
        _ => {
            let digits = name.strip_prefix('#')?;
            let hexadecimal = digits.strip_prefix(['x', 'X']).map(|digits| u32::from_str_radix(digits, 16));
            utf8(hexadecimal.unwrap_or_else(|| digits.parse()).ok()?)?
        }
    };
    Some((meant, end + 1))
}

fn hex(digits: &[u8]) -> Option<u32> {
    let digits = str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
}

fn utf8(code_point: u32) -> Option<Vec<u8>> {
    Some(char::from_u32(code_point)?.to_string().into_bytes())
}
