//! What is accepted and what is not: published examples, the ways to fail, and properties against a signer.

mod properties;
mod published;
mod refusals;
mod signed;
