//! Inputs: valid ones, hostile ones, and those between.

pub mod expression;
pub mod json;
pub mod workflow;
