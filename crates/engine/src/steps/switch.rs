//! `switch`.

use pawl_definition::step::Switch;
use pawl_definition::value;
use serde_json::json;

use super::{Decide, Done, Next, StepContext};
use crate::StepError;

impl Decide for Switch {
    fn enter(&self, at: &StepContext<'_>) -> Result<Next, StepError> {
        let value = self.on.evaluate(&at.scope()).map_err(|error| StepError::from(error).at("on"))?;
        let branch = value::named(self.cases.keys(), &value).unwrap_or("default").to_owned();
        Ok(Next::done(Done { input: json!({"on": value}), output: value, branch: Some(branch), ..Done::default() }))
    }
}
