//! Inputs of chance, and what must hold whatever comes.
//!
//! - [`Random`]: chance that a seed decides.
//! - [`make`]: inputs, right and wrong.
//! - [`soak`]: a running installation under such inputs, for an hour or a minute.

pub mod make;
pub mod soak;

mod random;

pub use random::Random;
