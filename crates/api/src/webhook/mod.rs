//! What an outside system meets at `/hooks/<workflow>/<trigger>`: the parts without storage.
//!
//! - [`Delivery`]: a request as it was received; [`query_pairs`] reads its query.
//! - [`verify`]: whether it comes from whom the trigger names; [`secret_names`] says what to fetch first. [`sign`] is its
//!   counterpart, for trials.
//! - [`handshake`]: answers to systems that ask whether the address is willing.
//! - [`decode`]: the body as a value; [`MAX_BODY`] is the documented limit.
//! - [`delivery_id`], [`identity`]: by what a repeat is recognised.
//! - [`visible`]: the headers and query that an event may keep, its credentials taken out.
//!
//! All are pure: the caller fetches secrets and reads the clock. In order: look the trigger up, verify, answer a
//! handshake, check the method, decode, claim the delivery id. An id is claimed only after verification, else anybody
//! could use it up.

mod content;
mod delivery;
mod delivery_id;
mod handshake;
mod rejection;
#[cfg(test)]
mod sent;
mod signed;
mod verify;
mod visible;

pub use content::{ContentError, MAX_BODY, decode};
pub use delivery::{Delivery, query_pairs};
pub use delivery_id::{MAX_DELIVERY_ID, delivery_id, identity};
pub use handshake::{Answer, MAX_CHALLENGE, handshake};
pub use rejection::Rejection;
pub use signed::Signed;
pub use verify::{DEFAULT_TOLERANCE, secret_names, sign, verify};
pub use visible::{REDACTED, Visible, visible};
