//! What programs describe themselves by, as files: the schemas that editors complete by and the check walks by, and the API.

use pawl_definition::DefinitionKind;
use serde_json::Value;

use crate::workspace::{check_generated, read};

#[track_caller]
fn check(path: &str, description: &Value) {
    let text = serde_json::to_string_pretty(description).expect("a description is JSON");
    check_generated(path, &format!("{text}\n"));
}

#[test]
fn the_schema_of_workflows_is_what_the_code_says() {
    check("docs/schema/workflow.schema.json", &pawl_definition::describe::workflow());
}

#[test]
fn the_schema_of_objects_is_what_the_code_says() {
    check("docs/schema/object.schema.json", &pawl_definition::describe::object());
}

#[test]
fn the_schemas_of_other_definitions_are_what_the_code_says() {
    for kind in DefinitionKind::ALL {
        let path = format!("docs/schema/{}.schema.json", kind.word());
        check(&path, &pawl_definition::describe::definition(*kind));
    }
}

#[test]
fn the_schema_of_test_cases_is_what_the_code_says() {
    check("docs/schema/cases.schema.json", &pawl_testkit::cases::describe::cases());
}

#[test]
fn the_description_of_the_api_is_what_the_code_says() {
    let description = serde_json::to_value(pawl_api::describe::openapi()).expect("a description is JSON");
    check("docs/openapi.json", &description);
}

/// What stands in the files is what programs answer, which were compiled with them.
#[test]
fn what_is_served_stands_in_the_files() {
    if std::env::var_os("UPDATE").is_some() {
        // What is served was compiled in before.
        return;
    }
    let served = [
        ("docs/schema/workflow.schema.json", pawl_definition::workflow_schema()),
        ("docs/schema/object.schema.json", pawl_definition::object_schema()),
        ("docs/schema/cases.schema.json", pawl_testkit::cases::cases_schema()),
        ("docs/openapi.json", pawl_api::description()),
    ];
    for (path, served) in served {
        assert!(read(path) == served, "{path}");
    }
    for kind in DefinitionKind::ALL {
        assert!(read(&format!("docs/schema/{}.schema.json", kind.word())) == kind.schema(), "{kind:?}");
    }
}
