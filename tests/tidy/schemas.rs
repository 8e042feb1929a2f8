//! The schemas by which editors complete, as files that a comment in a workflow can name.

use serde_json::Value;

use crate::workspace::check_generated;

#[track_caller]
fn check(kind: &str, schema: &Value) {
    let text = serde_json::to_string_pretty(schema).expect("a schema is JSON");
    check_generated(&format!("docs/schema/{kind}.schema.json"), &format!("{text}\n"));
}

#[test]
fn the_schema_of_workflows_is_what_the_code_says() {
    check("workflow", &pawl_definition::workflow_schema());
}

#[test]
fn the_schema_of_objects_is_what_the_code_says() {
    check("object", &pawl_definition::object_schema());
}

#[test]
fn the_schema_of_test_cases_is_what_the_code_says() {
    check("cases", &pawl_testkit::cases::cases_schema());
}
