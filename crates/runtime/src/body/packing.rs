//! Content encodings, which servers and senders apply.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::header::{CONTENT_ENCODING, HeaderMap};

use super::shown;

/// Most encodings on top of each other. More than one is rare, and each costs a body's size.
const MOST_LAYERS: usize = 2;

/// Why a body could not be unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unpackable {
    /// Unpacked, it is longer than the limit.
    TooLarge,
    /// It has more encodings than are undone.
    TooManyLayers,
    /// Its encoding, by name, is not read.
    Unknown(String),
    /// It is not what its encoding, by name, says, or it is cut off.
    Broken(String),
}

/// Undoes `Content-Encoding`: `gzip` and `deflate`, and at most `limit` bytes come of it.
pub fn unpacked<'a>(headers: &HeaderMap, body: &'a [u8], limit: usize) -> Result<Cow<'a, [u8]>, Unpackable> {
    let lists: Vec<_> = headers.get_all(CONTENT_ENCODING).iter().map(|list| shown(list.as_bytes())).collect();
    let names = lists.iter().flat_map(|list| list.split(',')).map(|name| name.trim().to_ascii_lowercase());
    let layers: Vec<_> = names.filter(|name| !name.is_empty() && name != "identity").collect();
    if layers.len() > MOST_LAYERS {
        return Err(Unpackable::TooManyLayers);
    }
    let mut unpacked = Cow::Borrowed(body);
    if body.is_empty() {
        return Ok(unpacked);
    }
    for name in layers.iter().rev() {
        let packed = unpacked.as_ref();
        let bytes = match name.as_str() {
            "gzip" | "x-gzip" => read(MultiGzDecoder::new(packed), limit, name),
            // Meant is zlib (RFC 9110, section 8.4.1.2); some servers send the bare stream.
            "deflate" => read(ZlibDecoder::new(packed), limit, name)
                .or_else(|error| read(DeflateDecoder::new(packed), limit, name).map_err(|_| error)),
            _ => Err(Unpackable::Unknown(name.clone())),
        };
        unpacked = Cow::Owned(bytes?);
    }
    Ok(unpacked)
}

fn read(unpacking: impl Read, limit: usize, name: &str) -> Result<Vec<u8>, Unpackable> {
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let done = unpacking.take(most).read_to_end(&mut bytes);
    done.map_err(|_| Unpackable::Broken(name.to_owned()))?;
    if bytes.len() > limit { Err(Unpackable::TooLarge) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use http::HeaderValue;

    use super::*;

    const LIMIT: usize = 100_000;

    #[test]
    fn a_body_that_was_packed_unasked_is_unpacked_up_to_the_limit() {
        let text = b"{\"a\":1}".repeat(50);
        let of = |encoding: &str, body: &[u8]| {
            let encoding = HeaderValue::from_str(encoding).expect("the test's value can be sent");
            unpacked(&HeaderMap::from_iter([(CONTENT_ENCODING, encoding)]), body, LIMIT).map(Cow::into_owned)
        };
        let (gzip, zlib, bare) = (packed_gzip(&text), packed_zlib(&text), packed_bare(&text));
        for (encoding, body) in
            [("gzip", &gzip), ("X-Gzip", &gzip), ("deflate", &zlib), ("deflate", &bare), ("identity", &text)]
        {
            assert_eq!(of(encoding, body).as_ref(), Ok(&text), "{encoding}");
        }
        assert_eq!(of("deflate, gzip", &packed_gzip(&zlib)), Ok(text.clone()));
        assert_eq!(of("gzip", b""), Ok(Vec::new()), "as after HEAD");
        assert_eq!(of("gzip", &packed_gzip(&vec![b'x'; LIMIT])).map(|body| body.len()), Ok(LIMIT));
        assert_eq!(of("gzip", &packed_gzip(&vec![b'x'; LIMIT + 1])), Err(Unpackable::TooLarge));
        let broken = Err(Unpackable::Broken("gzip".to_owned()));
        assert_eq!(of("gzip", &text), broken);
        assert_eq!(of("gzip", &gzip[..gzip.len() - 9]), broken);
        assert_eq!(of("br", b"x"), Err(Unpackable::Unknown("br".to_owned())));
        assert_eq!(of("gzip, gzip, gzip", &gzip), Err(Unpackable::TooManyLayers));
    }

    fn packed_gzip(text: &[u8]) -> Vec<u8> {
        let mut packing = GzEncoder::new(Vec::new(), Compression::fast());
        packing.write_all(text).expect("memory takes it");
        packing.finish().expect("memory takes it")
    }

    fn packed_zlib(text: &[u8]) -> Vec<u8> {
        let mut packing = ZlibEncoder::new(Vec::new(), Compression::fast());
        packing.write_all(text).expect("memory takes it");
        packing.finish().expect("memory takes it")
    }

    fn packed_bare(text: &[u8]) -> Vec<u8> {
        let mut packing = DeflateEncoder::new(Vec::new(), Compression::fast());
        packing.write_all(text).expect("memory takes it");
        packing.finish().expect("memory takes it")
    }
}
