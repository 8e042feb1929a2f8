//! Packed bodies: what an item costs is counted by the kilobyte, and most of a body is names that all bodies have.
//!
//! A packed body is zlib (RFC 1950) with a preset dictionary, which the stream names by its checksum.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use pawl_runtime::ports::rules::MAX_ITEM_BODY;

/// What bodies hold again and again, the most frequent last. Items are stored that need it as it is: never change it.
/// Another one would stand beside it, and the checksum would say which one an item needs.
const DICTIONARY: &[u8] = include_bytes!("dictionary.txt");

/// How much an unpacked body grows at a time.
const CHUNK: usize = 8 * 1024;

/// Packs a body; none if that does not make it smaller.
pub(super) fn pack(body: &str) -> Option<Vec<u8>> {
    let mut stream = Compress::new(Compression::best(), true);
    stream.set_dictionary(DICTIONARY).expect("a fresh stream takes a dictionary");
    let mut packed = Vec::with_capacity(body.len());
    let status = stream.compress_vec(body.as_bytes(), &mut packed, FlushCompress::Finish);
    matches!(status, Ok(Status::StreamEnd)).then_some(packed)
}

/// Unpacks a body; none if it is not one that was packed here, and if it is longer than any body.
pub(super) fn unpack(packed: &[u8]) -> Option<String> {
    let mut stream = Decompress::new(true);
    let mut body = Vec::with_capacity(CHUNK);
    loop {
        let read = usize::try_from(stream.total_in()).ok()?;
        let before = (stream.total_in(), stream.total_out());
        match stream.decompress_vec(packed.get(read..)?, &mut body, FlushDecompress::Finish) {
            Ok(_) if body.len() > MAX_ITEM_BODY => return None,
            Ok(Status::StreamEnd) => return String::from_utf8(body).ok(),
            Ok(Status::Ok | Status::BufError) if body.len() == body.capacity() => body.reserve(CHUNK),
            Ok(_) if before == (stream.total_in(), stream.total_out()) => return None,
            Ok(_) => {}
            Err(error) if error.needs_dictionary().is_some() => drop(stream.set_dictionary(DICTIONARY).ok()?),
            Err(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `{"execution":{"id":"exe_1","status":"completed"}}`, as the first version packed it.
    const STORED: &[u8] = &[
        0x78, 0xf9, 0x0b, 0x57, 0xad, 0xec, 0xc3, 0x95, 0x16, 0x0d, 0xb1, 0xe7, 0x9b, 0xda, 0x5a, 0x00, 0xa3, 0x63,
        0x10, 0xf3,
    ];

    #[test]
    fn what_was_stored_once_can_be_read_for_ever() {
        assert_eq!(unpack(STORED).as_deref(), Some("{\"execution\":{\"id\":\"exe_1\",\"status\":\"completed\"}}"));
    }

    #[test]
    fn the_names_of_a_head_cost_nearly_nothing() {
        let body = "{\"execution\":{\"id\":\"exe_1\",\"workflow\":\"w\",\"revision\":1,\"version\":8,\"seq\":6,\"status\":\"completed\"}}";
        assert!(pack(body).is_some_and(|packed| packed.len() * 2 < body.len()));
    }

    #[test]
    fn what_is_no_packed_body_is_not_read() {
        let packed = pack(&"{\"execution\":1}".repeat(9)).expect("it becomes smaller");
        let longer = pack(&"a".repeat(MAX_ITEM_BODY + CHUNK)).expect("it becomes smaller");
        assert!(unpack(&longer).is_none());
        for broken in [&packed[..packed.len() - 1], &packed[..7], &[], b"{}"] {
            assert_eq!(unpack(broken), None);
        }
    }

    proptest! {
        #[test]
        fn a_body_comes_back_as_it_was(part in "\\PC{1,40}", times in 1_usize..2_000) {
            let body = part.repeat(times);
            if let Some(packed) = pack(&body) {
                prop_assert_eq!(unpack(&packed), Some(body));
            }
        }
    }
}
