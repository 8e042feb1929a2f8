//! Proofs that disturb everything that runs, one after the other.

mod bulk;
mod crashes;
mod dead_letters;
mod flow;
mod kill_switch;
