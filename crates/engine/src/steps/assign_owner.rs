//! `assign_owner`: decides as `set_fields` does on the field that holds the owner, once it is chosen.

use std::cell::Cell;

use pawl_definition::step::AssignOwner;
use pawl_definition::{OWNER, Object, Template};
use serde_json::Value;

use super::targets::{self, ChangesRecords};
use super::{StepContext, StepDecision, StepHandler};
use crate::people::{self, Choice};
use crate::{Effect, Found, Read, Record, StepError, coerce, fields};

impl StepHandler for AssignOwner {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        let assigning = Assigning { step: self, chosen: None, used: Cell::default() };
        let targets = targets::reads(&assigning, at)?;
        let object = targets::object_of(&assigning, at)?;
        match (people::read(&self.to, at, object)?, targets) {
            (Some(read), targets) => {
                let beside = targets.map(|subjects| Box::new(Read::Records(subjects)));
                Ok(StepDecision::Read(Read::People { read, beside }))
            }
            (None, Some(subjects)) => Ok(StepDecision::Read(Read::Records(subjects))),
            (None, None) => assigned(self, at, &Found::default()),
        }
    }

    fn found(&self, at: &StepContext<'_>, found: &Found) -> Result<StepDecision, StepError> {
        assigned(self, at, found)
    }
}

/// Chooses, and gives each record the owner.
fn assigned(step: &AssignOwner, at: &StepContext<'_>, found: &Found) -> Result<StepDecision, StepError> {
    let chosen = people::choose(&step.to, at, found.people.as_ref()).map_err(|error| error.at("to"));
    let assigning = Assigning { step, chosen: Some(chosen), used: Cell::default() };
    let decision = match targets::reads(&assigning, at)? {
        Some(_) => targets::found(&assigning, at, found)?,
        None => targets::enter(&assigning, at)?,
    };
    let Assigning { chosen: Some(Ok(Choice { member, moves })), used, .. } = assigning else { return Ok(decision) };
    let StepDecision::Done(mut done) = decision else { return Ok(decision) };
    if !used.get() {
        return Ok(StepDecision::Done(done));
    }
    done.note = Some(match done.note {
        Some(note) => format!("chose {member}; {note}"),
        None => format!("chose {member}"),
    });
    done.effects.extend(moves.map(Effect::from));
    Ok(StepDecision::Done(done))
}

/// The step with whom it chose; `None` before it chooses.
struct Assigning<'a> {
    step: &'a AssignOwner,
    chosen: Option<Result<Choice, StepError>>,
    /// A record took it, be it that it had this owner already: the next choice is another one.
    used: Cell<bool>,
}

impl ChangesRecords for Assigning<'_> {
    fn target(&self) -> Option<&Template> {
        self.step.target.as_ref()
    }

    fn target_object(&self) -> Option<&str> {
        self.step.object.as_deref()
    }

    fn change(&self, _at: &StepContext<'_>, _object: &Object, record: &mut Record) -> Result<(), StepError> {
        let is_owned = record.fields.get(OWNER).is_some_and(|owner| !coerce::is_blank(owner));
        if self.step.if_blank && is_owned {
            return Ok(());
        }
        let chosen = self.chosen.as_ref().expect("a step that changes records has chosen").clone()?;
        self.used.set(true);
        fields::put(&mut record.fields, OWNER, Value::String(chosen.member));
        Ok(())
    }
}
