//! Test cases of workflows: the runner of `*.cases.yaml`, described in `docs/testing.md`.
//!
//! - [`run_file`] runs the cases of a file on the real runtime, each in a world of its own with virtual time.
//! - [`CaseReport`] says what came of them; its `Display` tells the difference of the path taken.
//! - [`cases_schema`] is the JSON Schema by which an editor completes the file.
//! - [`describe`]: that schema, generated from the types of the file.
//! - [`Files`] is where files come from; [`Disk`] is the obvious one.

pub mod describe;

mod calls;
mod check;
mod children;
mod cloud;
mod ended;
mod file;
mod files;
mod happens;
mod interaction;
mod load;
mod machines;
mod mail;
mod outside;
mod outside_event;
mod people;
mod report;
mod run;
mod schema;
mod texts;

pub use files::{Disk, Files};
pub use report::{CaseReport, CaseResult};
pub use run::{check_file, run_file};
pub use schema::cases_schema;

pub(crate) use calls::{fits_body, is_url};
pub(crate) use outside::fits_pattern;
