//! What the API says of itself: its description, and a page for each code.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pawl_api::Code;
use serde_json::Value;

use crate::surface::surface;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

#[test]
fn the_description_is_served_as_it_stands_in_the_documentation() {
    let file = std::fs::read_to_string(docs().join("openapi.json")).expect("the description can be read");
    let description: Value = serde_json::from_str(&file).expect("a description is JSON");
    assert_eq!(surface().get("/openapi.json").send().expect(200), description);
}

#[test]
fn the_description_names_every_operation_once() {
    let description = surface().get("/openapi.json").send().expect(200);
    assert_eq!(description["openapi"], "3.1.0");
    let paths = description["paths"].as_object().expect("paths are an object");
    let operations: Vec<&Value> = paths
        .values()
        .flat_map(|path| path.as_object().into_iter().flatten())
        .map(|(_, operation)| operation)
        .collect();
    let ids: BTreeSet<_> = operations.iter().filter_map(|operation| operation["operationId"].as_str()).collect();
    assert_eq!(ids.len(), operations.len());
    assert!(operations.iter().all(|operation| operation["summary"].as_str().is_some_and(|text| text.ends_with('.'))));
}

#[test]
fn every_code_has_a_page() {
    for code in Code::ALL {
        let word = code.as_str();
        let page = std::fs::read_to_string(docs().join(format!("errors/{word}.md"))).unwrap_or_default();
        assert!(page.starts_with(&format!("# `{word}`\n")), "docs/errors/{word}.md");
        assert!(page.contains("**What to do**") && page.contains("**Example**"), "docs/errors/{word}.md");
    }
}

#[test]
fn every_reference_of_the_description_leads_somewhere() {
    fn references<'a>(value: &'a Value, into: &mut Vec<&'a str>) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| references(value, into)),
            Value::Object(keys) => {
                into.extend(keys.get("$ref").and_then(Value::as_str));
                keys.values().for_each(|value| references(value, into));
            }
            _ => {}
        }
    }
    let description = surface().get("/openapi.json").send().expect(200);
    let mut found = Vec::new();
    references(&description, &mut found);
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("references stay in the file");
        assert!(description.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn the_type_of_a_problem_leads_to_its_page() {
    let surface = surface();
    let problem = surface.get("/v1/workflows/none").send().problem(404, "no_workflow");
    let page = surface.get(problem["type"].as_str().expect("a type is a reference")).send();
    assert_eq!(page.header("content-type"), Some("text/markdown; charset=utf-8"));
    assert!(page.text.starts_with("# `no_workflow`\n"), "{}", page.text);
    assert_eq!(pawl_api::page("no_workflow"), Some(page.text.as_str()));
    surface.get("/docs/errors/none").send().problem(404, "unknown_route");
}

#[test]
fn words_and_codes_belong_together() {
    for code in Code::ALL {
        assert_eq!(Code::of(code.as_str()), Some(*code));
    }
    assert_eq!(Code::of("none"), None);
}

#[test]
fn the_description_tells_problems_apart_and_bodies_that_may_be_empty() {
    let description = surface().get("/openapi.json").send().expect(200);
    let pause = &description["paths"]["/v1/executions/{id}/pause"]["post"];
    let problem = "#/components/schemas/Problem";
    for status in ["404", "409", "default"] {
        assert_eq!(pause["responses"][status]["content"]["application/problem+json"]["schema"]["$ref"], problem);
    }
    assert_eq!(pause["requestBody"]["required"], Value::Null);
    assert_eq!(description["paths"]["/v1/objects/{object}/records"]["post"]["requestBody"]["required"], Value::Null);
    assert_eq!(description["paths"]["/v1/workflows"]["post"]["requestBody"]["required"], true);
    assert_eq!(description["security"], serde_json::json!([{}, {"bearer": []}]));
}

#[test]
fn every_answer_has_a_description_and_every_body_a_schema() {
    let description = surface().get("/openapi.json").send().expect(200);
    let paths = description["paths"].as_object().expect("paths are an object");
    let operations = paths.iter().flat_map(|(path, item)| {
        item.as_object().into_iter().flatten().map(move |(method, operation)| (path, method, operation))
    });
    for (path, method, operation) in operations {
        for (status, response) in operation["responses"].as_object().expect("an operation has responses") {
            let name = format!("{method} {path} {status}");
            assert!(response["description"].as_str().is_some_and(|text| !text.is_empty()), "{name}");
            let content = response["content"].as_object().unwrap_or_else(|| panic!("{name} has no content"));
            assert!(content.values().all(|content| content.get("schema").is_some()), "{name}");
            // Health is told in the same shape whether it is good or not.
            let is_problem = !status.starts_with('2') && name != "get /v1/health 503";
            assert_eq!(content.contains_key("application/problem+json"), is_problem, "{name}: {content:?}");
        }
    }
}

#[test]
fn no_schema_stands_alone() {
    let description = surface().get("/openapi.json").send().expect(200);
    let text = description.to_string();
    let schemas = description["components"]["schemas"].as_object().expect("components have schemas");
    for name in schemas.keys() {
        assert!(text.contains(&format!("\"#/components/schemas/{name}\"")), "nothing leads to {name}");
    }
}
