//! The event that a delivery becomes.

use jiff::Timestamp;
use pawl_engine::Event;
use pawl_runtime::{IntakeError, Unfit};
use serde_json::{Map, Value};

use crate::{Code, Problem};

impl From<IntakeError> for Problem {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Unfit(Unfit { code, path, detail }) => {
                let code = Code::of(code)
                    .expect("every code of an event that does not fit is in the table: a test asserts it");
                let problem = Self::new(code, detail);
                path.map_or(problem.clone(), |path| problem.at(path))
            }
            IntakeError::Record(error) => error.into(),
            IntakeError::Failed(error) => error.into(),
        }
    }
}

/// An event of a delivery, with nothing but what was delivered.
pub(super) fn bare(id: String, workflow: &str, trigger: &str, at: Timestamp, data: Map<String, Value>) -> Event {
    Event {
        id,
        kind: pawl_engine::EventType::Webhook,
        workflow: Some(workflow.to_owned()),
        trigger: Some(trigger.to_owned()),
        subject: None,
        occurred_at: at,
        data,
        creation: None,
        cause: pawl_engine::Cause::default(),
        parent: None,
        region: None,
        fork: None,
        debug: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_an_event_that_does_not_fit_is_in_the_table() {
        for code in Unfit::CODES {
            assert!(Code::of(code).is_some(), "{code}");
        }
    }
}
