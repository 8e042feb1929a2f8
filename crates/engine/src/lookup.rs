//! Records that expressions look up by the value of a unique field: `lookup("company", {"domain": value})`.
//!
//! Which record that is, is known only while an expression is evaluated. So the first evaluation notes the lookup that it lacks; the
//! decision is thrown away and asks for it instead ([`crate::Read::Lookup`]). It is made again, on the same input, with what was
//! found, until it lacks none. A row keeps what was found, so a replay asks for nothing.

use std::sync::OnceLock;

use pawl_definition::{ExpressionError, value};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::context::plain_view;
use crate::{Context, Record, fields};

/// Most records that one decision looks up.
const LOOKUPS_MOST: usize = 16;

/// A record by the value of a unique field. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lookup {
    /// Record type.
    #[serde(rename = "o")]
    pub object: String,
    /// Unique field.
    #[serde(rename = "f")]
    pub field: String,
    /// Its value, as the field holds it.
    #[serde(rename = "v")]
    pub value: Value,
}

impl Lookup {
    fn is_same(&self, other: &Self) -> bool {
        self.object == other.object && self.field == other.field && value::equal(&self.value, &other.value)
    }
}

/// What a lookup found.
#[derive(Debug, Clone, PartialEq)]
pub struct LookedUp {
    /// What was looked for.
    pub lookup: Lookup,
    /// The record; `None` if none has the value.
    pub record: Option<Record>,
}

/// What a decision has looked up, and what it lacks.
#[derive(Debug, Clone, Copy)]
pub struct Lookups<'a> {
    known: &'a [LookedUp],
    lacking: Option<&'a OnceLock<Lookup>>,
}

impl<'a> Lookups<'a> {
    /// Where nothing is looked up.
    pub const NONE: Lookups<'static> = Lookups { known: &[], lacking: None };

    /// Of a decision that has found these.
    pub fn of(known: &'a [LookedUp]) -> Self {
        Self { known, lacking: None }
    }

    /// The same, with a place for the first that is lacking.
    pub(crate) fn noting(self, lacking: &'a OnceLock<Lookup>) -> Self {
        Self { lacking: Some(lacking), ..self }
    }

    /// What was found.
    pub(crate) fn known(&self) -> &'a [LookedUp] {
        self.known
    }
}

/// The record that has a value in a unique field, as expressions see it; null if the value is blank, or no record has it.
pub(crate) fn find(cx: &Context<'_>, object: &str, field: &str, value: Value) -> Result<Value, ExpressionError> {
    let refused = |message: String| ExpressionError::Value { message: format!("lookup(): {message}") };
    let of = cx.objects.get(object).ok_or_else(|| refused(format!("there is no object {object:?}")))?;
    let value = fields::unique_value(of, field, value, &cx.plan.timezone).map_err(|error| refused(error.message))?;
    if value::is_blank(&value) {
        return Ok(Value::Null);
    }
    let lookup = Lookup { object: object.to_owned(), field: field.to_owned(), value };
    if let Some(known) = cx.lookups.known.iter().find(|known| known.lookup.is_same(&lookup)) {
        let view = |record: &Record| Value::Object(plain_view(record, cx.objects));
        return Ok(known.record.as_ref().map_or(Value::Null, view));
    }
    let Some(lacking) = cx.lookups.lacking else {
        return Err(refused("records are looked up by steps, variables and results only".to_owned()));
    };
    if cx.lookups.known.len() >= LOOKUPS_MOST {
        return Err(refused(format!("expected at most {LOOKUPS_MOST} records in one step, found one more")));
    }
    // The result of this evaluation is thrown away.
    let error = refused("the record is not read yet".to_owned());
    lacking.get_or_init(|| lookup);
    Err(error)
}
