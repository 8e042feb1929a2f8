//! Proofs that run beside each other on one installation.

mod controls;
pub(crate) mod deliveries;
mod edits;
mod flow;
pub(crate) mod kill_switch;
mod large_values;
mod main_path;
mod many;
mod state_machines;
mod sweeper;
