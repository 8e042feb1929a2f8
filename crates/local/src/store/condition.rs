//! Whether the store is in service, and the sessions in which it is.
//!
//! A session lasts from one opening of the file to the next. When the file fails, ordered commits that were not yet
//! durable may be lost, as in a crash; all that was begun before must then not go on with what it had read, for the
//! same versions will be written again with other content. So each request carries the session in which its sender
//! began ([`Store::in_session`](super::Store::in_session)), and one of a session that is over is refused.

use std::future::Future;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use tokio::sync::watch;

/// Whether the store is in service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// In service.
    Ready,
    /// Requests are refused for now, and why. The store goes on by itself once the cause is gone.
    Waiting(String),
    /// It has ended for good, and why: it was closed, or the file is damaged.
    Ended(String),
}

/// Why a request is refused.
pub(super) struct Refused(pub(super) String);

/// In which session a task began, and whether it waits while another program holds a lock.
#[derive(Clone, Copy)]
struct Scope {
    session: u64,
    patient: bool,
}

tokio::task_local! {
    static SCOPE: Scope;
}

/// A sender's session, and whether it waits.
#[derive(Clone, Copy)]
pub(super) struct Session {
    pub(super) number: u64,
    pub(super) patient: bool,
}

fn over() -> Refused {
    Refused("the storage failed since this was begun; it has to begin again".to_owned())
}

const READY: u8 = 0;
const LOCKED: u8 = 1;
const FAILED: u8 = 2;
const ENDED: u8 = 3;

/// The condition, shared by all threads of the store. Only the writer's thread changes it.
pub(super) struct Standing {
    state: AtomicU8,
    session: AtomicU64,
    condition: watch::Sender<Condition>,
}

impl Default for Standing {
    fn default() -> Self {
        let condition = watch::Sender::new(Condition::Ready);
        Self { state: AtomicU8::new(READY), session: AtomicU64::new(1), condition }
    }
}

impl Standing {
    /// The present session, from 1.
    pub(super) fn session(&self) -> u64 {
        self.session.load(Ordering::SeqCst)
    }

    /// In service.
    pub(super) fn is_ready(&self) -> bool {
        self.state.load(Ordering::SeqCst) == READY
    }

    /// It will never be in service again.
    pub(super) fn is_ended(&self) -> bool {
        self.state.load(Ordering::SeqCst) == ENDED
    }

    /// The condition, to look at and to wait for.
    pub(super) fn watch(&self) -> watch::Receiver<Condition> {
        self.condition.subscribe()
    }

    /// Why requests are refused.
    pub(super) fn reason(&self) -> String {
        match &*self.condition.borrow() {
            Condition::Ready => "the store is closing".to_owned(),
            Condition::Waiting(why) | Condition::Ended(why) => why.clone(),
        }
    }

    /// The session of a request that is made now, or why it is refused.
    pub(super) fn admit(&self) -> Result<Session, Refused> {
        let present = self.session();
        let scope = SCOPE.try_with(|scope| *scope).unwrap_or(Scope { session: present, patient: false });
        if scope.session != present {
            return Err(over());
        }
        match self.state.load(Ordering::SeqCst) {
            READY => {}
            LOCKED if scope.patient => {}
            _ => return Err(Refused(self.reason())),
        }
        Ok(Session { number: present, patient: scope.patient })
    }

    /// Whether a read is answered: a lock of another program hinders none.
    pub(super) fn admit_reader(&self) -> Result<(), Refused> {
        match self.state.load(Ordering::SeqCst) {
            READY | LOCKED => {}
            _ => return Err(Refused(self.reason())),
        }
        let present = self.session();
        let began = SCOPE.try_with(|scope| scope.session).unwrap_or(present);
        if began == present { Ok(()) } else { Err(over()) }
    }

    /// Runs work that is refused once the present session is over.
    pub(super) async fn in_session<T>(&self, patient: bool, work: impl Future<Output = T>) -> T {
        SCOPE.scope(Scope { session: self.session(), patient }, work).await
    }

    /// Another program holds a lock; nothing is lost, and the session lasts.
    pub(super) fn locked(&self, why: &str) {
        self.change(LOCKED, Condition::Waiting(why.to_owned()));
    }

    /// The file failed: the session is over, and requests are refused until [`Self::ready`].
    pub(super) fn failed(&self, why: &str) {
        self.session.fetch_add(1, Ordering::SeqCst);
        self.still_failed(why);
    }

    /// What keeps the file from being opened again.
    pub(super) fn still_failed(&self, why: &str) {
        self.change(FAILED, Condition::Waiting(why.to_owned()));
    }

    /// In service again.
    pub(super) fn ready(&self) {
        self.change(READY, Condition::Ready);
    }

    /// Over for good. The first reason stays.
    pub(super) fn ended(&self, why: &str) {
        if !self.is_ended() {
            self.change(ENDED, Condition::Ended(why.to_owned()));
        }
    }

    fn change(&self, state: u8, condition: Condition) {
        self.state.store(state, Ordering::SeqCst);
        self.condition.send_replace(condition);
    }
}
