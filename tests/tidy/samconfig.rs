//! What SAM is told, in `samconfig.toml` and by commands in the docs, held against the template.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

use crate::cloudformation::{PATH, section};
use crate::workspace::{files, is, read};

const CONFIG: &str = "samconfig.toml";

/// What a command of SAM is told, by name. Each entry of the file is on a line of its own.
fn told(command: &str) -> BTreeMap<String, String> {
    let text = read(CONFIG);
    let heading = format!("\n[default.{command}.parameters]\n");
    let entries = text.split(&heading).nth(1).and_then(|rest| rest.split("\n[").next()).unwrap_or_default();
    let entries = entries.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
    entries.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect()
}

#[test]
fn sam_builds_the_template_and_deploys_what_was_built() {
    for command in ["build", "validate"] {
        assert_eq!(told(command).get("template_file").map(String::as_str), Some(PATH), "sam {command}");
    }
    // SAM would look for changes in a function's own folder only.
    assert_eq!(told("build").get("cached").map(String::as_str), Some("false"));
    // A template that is named for all commands, or for this one, would be deployed without the programs.
    for command in ["global", "deploy"] {
        assert!(!told(command).contains_key("template_file"), "sam {command} takes a template that was not built");
    }
    assert!(told("deploy").contains_key("capabilities"), "{CONFIG} is not written as this test reads it");
}

/// Bug: `sam deploy` asks for a processor, and `sam build` built for another.
#[test]
fn a_build_and_its_deployment_are_for_the_same_processor() {
    let processor = |command: &str| {
        let parameters =
            ["global", command].into_iter().filter_map(|command| told(command).remove("parameter_overrides"));
        let words = parameters.collect::<Vec<_>>().join(" ");
        let chosen = words.split_whitespace().filter_map(|word| word.strip_prefix("Architecture=")).next_back();
        chosen.map(str::to_owned)
    };
    assert_eq!(processor("build"), processor("deploy"), "{CONFIG} builds and deploys (right) for");
}

/// Bug: what a command in the docs overrides must be there, by that name and with that value.
#[test]
fn parameters_that_commands_set_are_those_of_the_template() {
    let parameters: BTreeMap<&str, &Value> = section("Parameters").collect();
    let word = Regex::new(r#"\b([A-Z][A-Za-z]+)=("[^"]*"|[^\s"`',;]+)"#).expect("the expression is right");
    let mut set = 0;
    let is_read = |file: &String| is(file, "md") || file == CONFIG;
    for file in files().iter().filter(|file| is_read(file) && *file != "CHANGELOG.md") {
        let text = read(file).replace("parameter_overrides", "parameter-overrides");
        for (_, words) in text.lines().filter_map(|line| line.split_once("parameter-overrides")) {
            for found in word.captures_iter(words) {
                let (name, value) = (&found[1], found[2].trim_matches('"'));
                let parameter = parameters.get(name);
                let parameter = parameter.unwrap_or_else(|| panic!("{file}: {PATH} has no parameter {name}"));
                let is_allowed = |values: &Vec<Value>| value.contains('$') || values.iter().any(|other| other == value);
                let allowed = parameter["AllowedValues"].as_array().is_none_or(is_allowed);
                assert!(allowed, "{file}: {name} may not be {value}");
                set += 1;
            }
        }
    }
    assert!(set >= 5, "commands set {set} parameters, so they are not written as this test reads them");
}
