//! `pawl dev` as its author and its operator meet it.

mod faults;
mod remote;
mod saves;
mod serving;
