//! An input that is fed again.

use std::collections::BTreeMap;

use crate::{
    Act, Activity, Address, Answer, Control, Event, Execution, Found, Given, Input, Performance, Performed, Row,
    StepError,
};

/// An input with all that it refers to.
pub(super) enum Fed {
    Run,
    Found(Found),
    Performed(Box<Ended>),
    Rejected(StepError),
    Event(Box<Event>),
    LookAgain,
    Control(Control, Act),
}

impl Fed {
    /// Of what was observed with a head, given what was claimed last and the row that came of it; `None` if something of
    /// it is missing.
    pub(super) fn of(
        given: &Given,
        head: &Execution,
        claimed: &BTreeMap<Address, Activity>,
        row: Option<&Row>,
    ) -> Option<Self> {
        Some(match given {
            Given::Run => Self::Run,
            Given::LookAgain => Self::LookAgain,
            Given::Found(looked) => Self::Found(looked.found(row)?),
            Given::Performed(answer) => Self::Performed(Box::new(Ended::of(answer, head, claimed, row)?)),
            Given::Rejected { error } => Self::Rejected(error.clone().or_else(|| row?.error.clone())?),
            Given::Event(event) => Self::Event(event.clone()),
            Given::Control(asked) => {
                let control = asked.control()?;
                let act = asked.act(&control, row?);
                Self::Control(control, act)
            }
        })
    }

    /// As [`crate::transition`] takes it.
    pub(super) fn input(&self) -> Input<'_> {
        match self {
            Self::Run => Input::Run,
            Self::Found(found) => Input::Found(found),
            Self::Performed(ended) => Input::Performed(ended.performance()),
            Self::Rejected(error) => Input::Rejected(error),
            Self::Event(event) => Input::Event(event),
            Self::LookAgain => Input::LookAgain,
            Self::Control(control, act) => Input::Control(control, act),
        }
    }
}

/// An activity that has ended again.
pub(super) struct Ended {
    address: Address,
    attempt: u32,
    activity: Activity,
    performed: Performed,
}

impl Ended {
    /// Of the only claim there is, or of the one that is named.
    fn of(answer: &Answer, head: &Execution, claimed: &BTreeMap<Address, Activity>, row: Option<&Row>) -> Option<Self> {
        let address = answer.address.as_ref().or_else(|| head.leases.iter().next().map(|(address, _)| address))?;
        Some(Self {
            address: address.clone(),
            attempt: head.leases.at(address)?.attempt,
            activity: claimed.get(address)?.clone(),
            performed: answer.performed(row),
        })
    }

    fn performance(&self) -> Performance<'_> {
        let Self { address, attempt, activity, performed } = self;
        Performance { address, attempt: *attempt, activity, performed }
    }
}
