//! Bodies from outside, of deliveries and of answers alike: unpacked and decoded by what their headers say. Nothing is
//! guessed and nothing is replaced.
//!
//! - [`unpacked`]: without its content encoding.
//! - [`ContentType`] and [`Charset`]: its bytes as text.

mod charset;
mod packing;

pub use charset::{Charset, ContentType, NotText, UnknownCharset};
pub use packing::{Unpackable, unpacked};

/// Longest part of a header that is read, in bytes.
const MOST_HEADER: usize = 240;

/// A header as text, shortened.
fn shown(header: &[u8]) -> String {
    let header = &header[..header.len().min(MOST_HEADER)];
    String::from_utf8_lossy(header).chars().filter(|c| !c.is_control()).collect()
}
