//! What is found when all proofs have ended.

mod left_over;
mod logs;
mod payloads;
