//! What a workflow does, told as stories: one file an area of the language.

mod bounds;
mod breaker;
mod controls;
mod dead_letters;
mod deaths;
mod delays;
mod edits;
mod effects;
mod expressions;
mod failures;
mod flow;
mod goals;
mod history;
mod illegal;
mod large;
mod machines;
mod models;
mod records;
mod rejections;
mod requests;
mod starts;
mod support;
mod types;
mod unreadable;
mod values;
mod variables;
