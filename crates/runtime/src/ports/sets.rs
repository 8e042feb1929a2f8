//! Ports in sets: those that all of the runtime shares, and those through which steps reach outside. Whoever wires one
//! names what is used; all others are [`Absent`].

use std::sync::Arc;

use super::{
    Absent, Blobs, Clock, CloudCalls, DeadLetters, Http, Models, Notifier, Queue, Random, Secrets, StateMachines,
    Tables, Timers,
};

/// Ports that the runtime shares: storage, queues, timers, notices, time and chance.
#[derive(Clone)]
pub struct Ports {
    /// Storage.
    pub tables: Arc<dyn Tables>,
    /// Queues.
    pub queue: Arc<dyn Queue>,
    /// Large values.
    pub blobs: Arc<dyn Blobs>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub random: Arc<dyn Random>,
    /// Timers.
    pub timers: Arc<dyn Timers>,
    /// What queues gave up.
    pub dead_letters: Arc<dyn DeadLetters>,
    /// Notices to people.
    pub notifier: Arc<dyn Notifier>,
}

impl Ports {
    /// Makes a set over storage, time and chance; all others are absent.
    pub fn over(
        tables: Arc<dyn Tables>,
        queue: Arc<dyn Queue>,
        blobs: Arc<dyn Blobs>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        let absent = Arc::new(Absent);
        let (timers, dead_letters, notifier) = (absent.clone(), absent.clone(), absent);
        Self { tables, queue, blobs, clock, random, timers, dead_letters, notifier }
    }

    /// The same with timers.
    #[must_use]
    pub fn with_timers(self, timers: Arc<dyn Timers>) -> Self {
        Self { timers, ..self }
    }

    /// The same with what queues gave up.
    #[must_use]
    pub fn with_dead_letters(self, dead_letters: Arc<dyn DeadLetters>) -> Self {
        Self { dead_letters, ..self }
    }

    /// The same with a way to tell people.
    #[must_use]
    pub fn with_notifier(self, notifier: Arc<dyn Notifier>) -> Self {
        Self { notifier, ..self }
    }
}

/// Ports through which steps reach outside. The executor alone holds them all.
#[derive(Clone)]
pub struct OutsidePorts {
    /// Secrets.
    pub secrets: Arc<dyn Secrets>,
    /// Outside HTTP.
    pub http: Arc<dyn Http>,
    /// Language models.
    pub models: Arc<dyn Models>,
    /// State machines of Step Functions.
    pub state_machines: Arc<dyn StateMachines>,
    /// Services of the cloud.
    pub cloud: Arc<dyn CloudCalls>,
}

impl Default for OutsidePorts {
    /// All of them are absent.
    fn default() -> Self {
        let absent = Arc::new(Absent);
        let (secrets, http, models) = (absent.clone(), absent.clone(), absent.clone());
        Self { secrets, http, models, state_machines: absent.clone(), cloud: absent }
    }
}

impl OutsidePorts {
    /// The same with secrets.
    #[must_use]
    pub fn with_secrets(self, secrets: Arc<dyn Secrets>) -> Self {
        Self { secrets, ..self }
    }

    /// The same with outside HTTP.
    #[must_use]
    pub fn with_http(self, http: Arc<dyn Http>) -> Self {
        Self { http, ..self }
    }

    /// The same with language models.
    #[must_use]
    pub fn with_models(self, models: Arc<dyn Models>) -> Self {
        Self { models, ..self }
    }

    /// The same with state machines.
    #[must_use]
    pub fn with_state_machines(self, state_machines: Arc<dyn StateMachines>) -> Self {
        Self { state_machines, ..self }
    }

    /// The same with services of the cloud.
    #[must_use]
    pub fn with_cloud(self, cloud: Arc<dyn CloudCalls>) -> Self {
        Self { cloud, ..self }
    }
}
