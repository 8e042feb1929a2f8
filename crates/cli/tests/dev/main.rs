//! `pawl dev` as its author and its operator meet it.

mod definitions;
mod faults;
mod following;
mod forks;
mod guard;
mod metrics;
mod records;
mod remote;
mod saves;
mod serving;
mod signals;
mod stepping;
mod variables;
