//! The ports on AWS pass every suite of the contract, and know what became of a call whose answer was lost.
//!
//! The endpoint is that of `PAWL_TEST_AWS_ENDPOINT`; see [`account`]. With `aws` it is a real account, in which each
//! test makes resources of its own and removes them; the faults need an emulator (`--skip faults`).

mod account;
mod backend;
mod bucket;
mod faults;
mod fired;
mod pump;
mod resources;
mod rotation;
mod timer_relay;

use backend::Amazon;
use resources::Uses;

pawl_contract::contract!(tables, Amazon::start(Uses::Tables).await);
pawl_contract::contract!(queue, Amazon::start(Uses::Queues).await);
pawl_contract::contract!(dead_letters, Amazon::start(Uses::DeadLetters).await);
pawl_contract::contract!(timers, Amazon::start(Uses::Timers).await);
pawl_contract::contract!(blobs, Amazon::start(Uses::Blobs).await);
pawl_contract::contract!(secrets, Amazon::start(Uses::Secrets).await);
