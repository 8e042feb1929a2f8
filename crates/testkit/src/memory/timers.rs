//! Timers in memory.

use async_trait::async_trait;
use pawl_runtime::ports::rules::validate_timer_name;
use pawl_runtime::ports::{Timer, TimerError, Timers};

use super::MemoryStore;

#[async_trait]
impl Timers for MemoryStore {
    async fn set(&self, timer: Timer) -> Result<(), TimerError> {
        timer.validate()?;
        {
            let mut state = self.lock();
            state.fire_timers(self.now());
            state.timers.insert(timer.name.clone(), timer);
        }
        self.ring();
        Ok(())
    }

    async fn cancel(&self, name: &str) -> Result<(), TimerError> {
        validate_timer_name(name)?;
        let mut state = self.lock();
        state.fire_timers(self.now());
        state.timers.remove(name);
        Ok(())
    }
}
