//! What may go wrong in a run, and how often.

use super::chance::Chance;

/// How often each kind of disturbance happens: once in so many occasions on average, 0 for never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Profile {
    /// A process dies between two looks at its tasks.
    pub(super) crash: u32,
    /// A handler panics: its message is given back, and its process lives.
    pub(super) panic: u32,
    /// Storage is full for a while: it refuses what is written, and answers what is read.
    pub(super) full: u32,
    /// An item that is read becomes unreadable for a while.
    pub(super) unreadable: u32,
    /// All processes die, and what was not durable is gone.
    pub(super) power_loss: u32,
    /// A message is delivered twice.
    pub(super) duplicate: u32,
    /// Storage refuses a call, and nothing happens.
    pub(super) refuse: u32,
    /// The answer of a call is lost; it may have happened.
    pub(super) lose: u32,
    /// A task stands still for longer than a lease.
    pub(super) freeze: u32,
    /// A commit about what others want too is held up.
    pub(super) contend: u32,
    /// A call takes seconds.
    pub(super) slow: u32,
    /// The clocks of processes differ by seconds.
    pub(super) skew: bool,
    /// Indexes show what was some seconds ago.
    pub(super) lag: bool,
    /// How many disturbances in all, so that a run comes to its end.
    pub(super) budget: u32,
    /// Deliveries after which a message goes to a dead-letter queue.
    pub(super) deliveries: u32,
}

impl Profile {
    /// Nothing goes wrong.
    pub(super) fn calm() -> Self {
        Self {
            crash: 0,
            panic: 0,
            full: 0,
            unreadable: 0,
            power_loss: 0,
            duplicate: 0,
            refuse: 0,
            lose: 0,
            freeze: 0,
            contend: 0,
            slow: 0,
            skew: false,
            lag: false,
            budget: 0,
            deliveries: 60,
        }
    }

    /// The same weather, in which items become unreadable in one seed of ten.
    pub(super) fn with_unreadable(self, chance: &Chance) -> Self {
        if !chance.percent(10) {
            return self;
        }
        Self { unreadable: *chance.pick(&[20, 60, 150]), ..self }
    }

    /// The same weather without some of its disturbances, each left out by a coin.
    fn some(self, chance: &Chance) -> Self {
        let keep = |often: u32| if chance.percent(50) { often } else { 0 };
        Self {
            crash: keep(self.crash),
            panic: keep(self.panic),
            full: keep(self.full),
            power_loss: keep(self.power_loss),
            duplicate: keep(self.duplicate),
            refuse: keep(self.refuse),
            lose: keep(self.lose),
            freeze: keep(self.freeze),
            contend: keep(self.contend),
            slow: keep(self.slow),
            ..self
        }
    }

    /// The weather of a seed.
    pub(super) fn of(chance: &Chance) -> Self {
        let calm = Self { budget: 30, contend: 8, skew: chance.percent(30), lag: chance.percent(40), ..Self::calm() };
        let mixed = Self {
            crash: 150,
            panic: 120,
            full: 400,
            power_loss: 600,
            duplicate: 12,
            refuse: 80,
            lose: 60,
            freeze: 150,
            slow: 20,
            ..calm
        };
        match chance.below(12) {
            0 => Self { crash: 60, ..calm },
            1 => Self { duplicate: 4, slow: 10, ..calm },
            2 => Self { refuse: 25, lose: 25, ..calm },
            3 => Self { contend: 2, freeze: 60, slow: 15, duplicate: 10, ..calm },
            4 => Self { power_loss: 120, crash: 200, ..calm },
            5 => Self { deliveries: 4, crash: 60, refuse: 30, ..calm },
            6 => Self { budget: 100, ..mixed },
            7 => Self { panic: 25, deliveries: 4, ..calm },
            8 => Self { full: 60, crash: 200, ..calm },
            9 | 10 => mixed.some(chance),
            _ => mixed,
        }
    }
}
