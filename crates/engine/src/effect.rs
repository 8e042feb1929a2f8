//! Effects inside Pawl, as values: what commits with a transition in addition to its head and its row.

use serde_json::{Value, json};

use crate::{ActivityWrite, PositionMove, RecordWrite, TakenSignal, ids};

/// One effect of a transition, written together with it or not at all. Each has a file in `crates/runtime/src/effects/`.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Changes or creates a record.
    WriteRecord(Box<RecordWrite>),
    /// Changes or creates an activity about records.
    WriteActivity(Box<ActivityWrite>),
    /// Notifies people.
    Notify(NoticeText),
    /// Takes a signal that was kept: a step receives or refuses it.
    TakeSignal(Box<TakenSignal>),
    /// Moves the place of a step in its round of members.
    MovePosition(Box<PositionMove>),
    /// Stores values of the execution that its head names, or of the one that it carries out items for.
    StoreValues(Box<StoredValues>),
}

/// Values that are stored beside the head, under the hash of their text: what is stored again is the same.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredValues {
    /// The execution that they belong to, if it is not the one that stores them.
    pub owner: Option<String>,
    /// Lower-case hexadecimal SHA-256 of their text.
    pub name: String,
    /// They.
    pub values: Vec<Value>,
}

impl StoredValues {
    /// With their name.
    pub fn new(values: Vec<Value>) -> Self {
        let mut stored = Self { owner: None, name: String::new(), values };
        stored.name = ids::content_hash(stored.text().as_bytes());
        stored
    }

    /// Their text.
    pub fn text(&self) -> String {
        json!(self.values).to_string()
    }
}

/// A notice for people, decided with a transition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeText {
    /// Address.
    pub to: String,
    /// `info`, `warning`, `error`.
    pub severity: &'static str,
    /// One line.
    pub subject: String,
    /// What happened and what to do.
    pub text: String,
}

impl From<RecordWrite> for Effect {
    fn from(write: RecordWrite) -> Self {
        Self::WriteRecord(Box::new(write))
    }
}

impl From<ActivityWrite> for Effect {
    fn from(write: ActivityWrite) -> Self {
        Self::WriteActivity(Box::new(write))
    }
}

impl From<PositionMove> for Effect {
    fn from(moves: PositionMove) -> Self {
        Self::MovePosition(Box::new(moves))
    }
}

impl Effect {
    /// The texts that people read in the notice: each is one line, and is cut as one.
    pub(crate) fn lines_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let lines = match self {
            Self::WriteRecord(_)
            | Self::WriteActivity(_)
            | Self::TakeSignal(_)
            | Self::MovePosition(_)
            | Self::StoreValues(_) => None,
            Self::Notify(notice) => Some([&mut notice.subject, &mut notice.text]),
        };
        lines.into_iter().flatten()
    }
}
