//! Inputs of chance, and what must hold whatever comes.
//!
//! - [`Random`]: chance that a seed decides.
//! - [`make`]: inputs, right and wrong.
//! - [`target`]: parsers and evaluation, each a plain function that an input goes through.
//! - [`soak`]: a running installation under such inputs, for an hour or a minute.

pub mod make;
pub mod mutate;
pub mod soak;
pub mod target;

mod random;

pub use random::Random;
