//! What a workflow does, told as stories: one file an area of the language.

mod delays;
mod failures;
mod flow;
mod goals;
mod support;
mod variables;
