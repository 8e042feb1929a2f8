//! `find_records`: reads records by the values of fields, and gives them to the steps after it.

use pawl_definition::Template;
use pawl_definition::step::{FieldTest, FindRecords};
use serde_json::{Value, json};

use super::{StepContext, StepDecision, StepHandler, StepResult};
use crate::context::{StepScope, plain_view};
use crate::{Found, Read, RecordQuery, ResolvedTest, StepError, fields};

impl StepHandler for FindRecords {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        Ok(StepDecision::Read(Read::FindRecords(query(self, at)?)))
    }

    fn found(&self, at: &StepContext<'_>, found: &Found) -> Result<StepDecision, StepError> {
        let input = describe(&query(self, at)?);
        // Related records of a found record are not read: they stay ids.
        let view = |record| Value::Object(plain_view(record, at.cx.objects));
        let records = found.records.iter().map(view).collect();
        let note = Some(format!("{} found", found.records.len()));
        Ok(StepDecision::done(StepResult { input, output: Value::Array(records), note, ..StepResult::default() }))
    }
}

fn query(step: &FindRecords, at: &StepContext<'_>) -> Result<RecordQuery, StepError> {
    let scope = at.scope();
    let mut tests = Vec::new();
    for (field, test) in &step.tests {
        resolve(field, test, &scope, &mut tests)?;
    }
    if let Some(object) = at.cx.objects.get(&step.object) {
        for test in &mut tests {
            let value = std::mem::take(&mut test.value);
            test.value = fields::operand(object, &test.field, test.operator, value, &at.cx.plan.timezone)?;
        }
    }
    let order = step.order.as_ref().map(|order| match order.strip_prefix('-') {
        Some(field) => (field.to_owned(), true),
        None => (order.clone(), false),
    });
    Ok(RecordQuery { object: step.object.clone(), tests, order, limit: step.limit })
}

fn resolve(
    field: &str,
    test: &FieldTest,
    scope: &StepScope<'_>,
    tests: &mut Vec<ResolvedTest>,
) -> Result<(), StepError> {
    let operands: [(&'static str, &Option<Template>); 8] = [
        ("equals", &test.equals),
        ("not", &test.not),
        ("in", &test.r#in),
        ("gt", &test.gt),
        ("gte", &test.gte),
        ("lt", &test.lt),
        ("lte", &test.lte),
        ("contains", &test.contains),
    ];
    for (operator, template) in operands {
        let Some(template) = template else { continue };
        let value = template.resolve(scope).map_err(|error| StepError::from(error).at(field))?;
        tests.push(ResolvedTest { field: field.to_owned(), operator, value });
    }
    if let Some(blank) = test.blank {
        tests.push(ResolvedTest { field: field.to_owned(), operator: "blank", value: blank.into() });
    }
    Ok(())
}

fn describe(query: &RecordQuery) -> Value {
    let tests: Vec<_> = query.tests.iter().map(|test| json!([test.field, test.operator, test.value])).collect();
    json!({"object": query.object, "where": tests, "limit": query.limit})
}
