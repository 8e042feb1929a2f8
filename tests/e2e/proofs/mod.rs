//! What issue after issue asks of an installation, each a test.

mod controls;
mod crashes;
mod dead_letters;
mod deliveries;
mod edits;
mod kill_switch;
mod large_values;
mod main_path;
mod state_machines;
