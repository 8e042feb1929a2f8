//! Values: which are equal, how they are ordered, which are blank, and how they are written. The only place that says
//! so; expressions, filters, orders, index keys, unique keys and "did it change" all ask here.
//!
//! - **Types** never equal one another, but a whole number is one number however it is written: `1`, `1.0` and `1e0`.
//! - **Numbers** are whole numbers of 64 bits (`-2^63` to `2^64 - 1`), which are exact, and doubles. The two are compared
//!   by their exact values: `9007199254740993` is no double. [`canonical`] writes each in one way.
//! - **Texts** are equal code point by code point, and ordered so. Addresses of e-mail have a form of their own
//!   ([`email`]), in which they are kept and compared.
//! - **Lists** are equal element by element, **objects** key by key, whatever the order of the keys is.
//! - **Blank** ([`is_blank`]) are null, a text without letters, an empty list and an empty object.
//! - [`compare`] orders any two values, blank ones last; [`order`] two of one type, as `<` does.
//! - [`index_key`] is the same of two values if, and only if, they are equal; [`lookup_text`] of more than equal ones.

mod blank;
mod canonical;
mod email;
mod equality;
mod file;
mod key;
mod lookup;
mod money;
mod number;
mod order;
mod web_address;

#[cfg(test)]
pub(crate) mod arbitrary;
#[cfg(test)]
mod tests;

pub use blank::{is_blank, is_blank_text};
pub use canonical::{canonical, text_of};
pub use email::email;
pub use equality::{contains, equal, named, unchanged};
pub use file::file;
pub use key::index_key;
pub use lookup::lookup_text;
pub use money::money;
pub use number::{Exact, NumberError, add, number_text, read_number, subtract};
pub use order::{compare, compare_times, order, order_times};
pub use web_address::web_address;
