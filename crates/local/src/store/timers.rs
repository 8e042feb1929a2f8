//! The store as [`Timers`].

use async_trait::async_trait;
use pawl_runtime::ports::rules::validate_timer_name;
use pawl_runtime::ports::{Timer, TimerError, Timers};

use super::request::Change;
use super::{Refused, Store};

#[async_trait]
impl Timers for Store {
    /// Returns once the timer is on its way to the writer, in order before whatever the caller does next.
    async fn set(&self, timer: Timer) -> Result<(), TimerError> {
        timer.validate()?;
        self.post_paced(|reply| Change::SetTimer(timer, reply)).await.map_err(unavailable)
    }

    async fn cancel(&self, name: &str) -> Result<(), TimerError> {
        validate_timer_name(name)?;
        self.post(Change::CancelTimer(name.to_owned())).map_err(unavailable)
    }
}

fn unavailable(Refused(reason): Refused) -> TimerError {
    TimerError::Unavailable(reason)
}
