//! `find_records`: reads records by the values of fields, and gives them to the steps after it.

use std::collections::BTreeMap;

use pawl_definition::Template;
use pawl_definition::step::{FieldTest, FindRecords, Limit};
use serde_json::{Value, json};

use super::{StepContext, StepDecision, StepHandler, StepResult};
use crate::context::{StepScope, plain_view};
use crate::{Found, GroupTest, Read, RecordQuery, ResolvedTest, StepCode, StepError, fields};

impl StepHandler for FindRecords {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        Ok(StepDecision::Read(Read::FindRecords(query(self, at)?)))
    }

    fn found(&self, at: &StepContext<'_>, found: &Found) -> Result<StepDecision, StepError> {
        let input = describe(&query(self, at)?);
        if self.count {
            let output = found.values.first().cloned().unwrap_or_else(|| 0.into());
            return Ok(StepDecision::done(StepResult { input, output, ..StepResult::default() }));
        }
        // Related records of a found record are not read: they stay ids.
        let view = |record| Value::Object(plain_view(record, at.cx.objects));
        let records = found.records.iter().map(view).collect();
        let note = Some(format!("{} found", found.records.len()));
        Ok(StepDecision::done(StepResult { input, output: Value::Array(records), note, ..StepResult::default() }))
    }
}

fn query(step: &FindRecords, at: &StepContext<'_>) -> Result<RecordQuery, StepError> {
    let scope = at.scope();
    let resolved = |written: &BTreeMap<String, FieldTest>| -> Result<Vec<ResolvedTest>, StepError> {
        let mut tests = Vec::new();
        for (field, test) in written {
            resolve(field, test, &scope, &mut tests)?;
        }
        let Some(object) = at.cx.objects.get(&step.object) else { return Ok(tests) };
        for test in &mut tests {
            let value = std::mem::take(&mut test.value);
            test.value = fields::operand(object, &test.field, test.operator, value, &at.cx.plan.timezone)?;
        }
        Ok(tests)
    };
    let mut tests = resolved(&step.tests)?;
    let any = step.any.iter().map(resolved).collect::<Result<_, _>>()?;
    let order = step.order.as_ref().map(|order| match order.strip_prefix('-') {
        Some(field) => (field.to_owned(), true),
        None => (order.clone(), false),
    });
    let limit = match step.limit {
        Limit::Most(most) => most,
        Limit::All => usize::MAX,
    };
    let group = group(step, at)?;
    // What the group asks of fields narrows the search, if an index has it.
    if let (Some(group), Some(object)) = (&group, at.cx.objects.get(&step.object)) {
        tests.extend(group.narrowing(object));
    }
    Ok(RecordQuery { object: step.object.clone(), tests, any, group, order, limit, count: step.count })
}

fn group(step: &FindRecords, at: &StepContext<'_>) -> Result<Option<Box<GroupTest>>, StepError> {
    let Some(id) = &step.in_group else { return Ok(None) };
    let cx = at.cx;
    let group = cx.definitions.groups.get(id).ok_or_else(|| {
        StepError::new(StepCode::UnknownDefinition, format!("`in_group`: the group {id:?} is not there"))
    })?;
    let calendar = cx.calendar().map_err(|error| StepError::from(error).at("in_group"))?.clone();
    let test = GroupTest { group: group.clone(), now: cx.now, timezone: cx.plan.timezone.clone(), calendar };
    Ok(Some(Box::new(test)))
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
    let told = |tests: &Vec<ResolvedTest>| -> Value {
        tests.iter().map(|test| json!([test.field, test.operator, test.value])).collect()
    };
    let mut input = json!({"object": query.object, "where": told(&query.tests)});
    if !query.any.is_empty() {
        input["any"] = query.any.iter().map(told).collect();
    }
    if let Some(test) = &query.group {
        input["in_group"] = test.group.id.as_str().into();
    }
    match (query.count, query.limit) {
        (true, _) => input["count"] = true.into(),
        (false, usize::MAX) => input["limit"] = "all".into(),
        (false, most) => input["limit"] = most.into(),
    }
    input
}
