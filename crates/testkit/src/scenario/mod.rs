//! Stories on the real runtime, with virtual time and scripted outside systems.
//!
//! - [`scenario`] begins one: `scenario().workflow(…).record(…).event(…).run_until_idle().expect(…)`.
//! - [`World`] is what it stands on: the runtime over the ports in memory, driven one message at a time. A delay of
//!   thirty days costs nothing: when nobody can go on, the clock jumps to the next message or timer.
//! - [`Reply`], [`ModelReply`], [`MachineReply`] and [`CloudReply`] script outside systems, also slow, failing and dying ones.
//! - [`Expected`] says what must have come of it; a difference is told step by step.

mod activities;
mod cloud;
mod compare;
mod delivery;
mod drive;
mod expected;
mod happening;
mod http;
mod interactions;
mod machines;
mod mail;
mod models;
mod notices;
mod path_difference;
mod prose;
mod trace;
mod world;

pub use cloud::{CloudReply, ScriptedCloud, cloud_dies, cloud_gives, cloud_refuses, function_fails};
pub use drive::{DriveError, Reached};
pub use expected::{
    Expected, ExpectedCall, ExpectedMachine, canceled, completed, failed, nothing_began, paused, queued, refused,
    running, waiting,
};
pub use happening::{
    Delivered, Happening, HappeningError, Manual, SignalSent, archived, bus_says, created, manual, signal, unarchived,
    updated, webhook,
};
pub use http::{Reply, ScriptedHttp, answer, dies, network_error, refused_address, timeout};
pub use interactions::{interaction, page_view, whose};
pub use machines::{
    MachineReply, ScriptedMachines, bus_timer, callback, execution_arn, machine_fails, machine_refused,
    machine_succeeds, status_change,
};
pub use mail::{Mail, mail};
pub use models::{ModelReply, ScriptedModels, said, says, says_json};
pub use notices::KeptNotices;
pub use prose::{Scenario, carried_on, scenario};
pub use trace::Trace;
pub use world::World;

pub(crate) use compare::{contains, fits_cloud};
pub(crate) use expected::{ExpectedExecution, ExpectedNotice, Which};
pub(crate) use happening::start;
pub(crate) use trace::elapsed;

/// Every table.
pub const TABLES: [pawl_runtime::ports::Table; 4] = {
    use pawl_runtime::ports::Table;
    [Table::Workflows, Table::Executions, Table::Records, Table::Keys]
};

/// The output of a future that never has to wait: all that a story stands on answers at once.
fn at_once<F: Future>(future: F) -> F::Output {
    futures::FutureExt::now_or_never(future).expect("ports in memory answer at once")
}
