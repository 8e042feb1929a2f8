//! What `docs/first-deployment.md` tells people to look at is in the template.

use std::collections::BTreeSet;

use crate::cloudformation::{resources, section, texts};
use crate::workspace::read;

const GUIDE: &str = "docs/first-deployment.md";

/// The names that follow a word of a command, up to what is no letter or digit.
fn named_after<'a>(text: &'a str, word: &'a str) -> BTreeSet<&'a str> {
    let rests = text.split(word).skip(1);
    let names = rests.map(|rest| rest.split(|char: char| !char.is_ascii_alphanumeric()).next().unwrap_or_default());
    names.filter(|name| name.starts_with(|char: char| char.is_ascii_uppercase())).collect()
}

fn expect_in_template(names: &BTreeSet<&str>, part: &str) {
    assert!(!names.is_empty(), "{GUIDE} names nothing of {part}: this test looks for the wrong words");
    let known: BTreeSet<&str> = section(part).map(|(name, _)| name).collect();
    for name in names {
        assert!(known.contains(name), "{GUIDE} names {name}, which is not among the {part} of the template");
    }
}

#[test]
fn resources_outputs_and_parameters_that_the_guide_names_are_in_the_template() {
    let guide = read(GUIDE);
    expect_in_template(&named_after(&guide, "$(resource "), "Resources");
    expect_in_template(&named_after(&guide, "$(output "), "Outputs");
    expect_in_template(&named_after(&guide, "--parameter-overrides "), "Parameters");
}

#[test]
fn filters_that_the_guide_quotes_are_those_of_the_mappings() {
    let guide = read(GUIDE);
    let mappings = resources("AWS::Lambda::EventSourceMapping");
    let patterns: Vec<String> = mappings.flat_map(|(_, mapping)| texts(&mapping["FilterCriteria"])).collect();
    let quoted: Vec<&str> = guide.split('`').filter(|code| code.starts_with("\"h\":")).collect();
    assert!(!quoted.is_empty(), "{GUIDE} says which changes the mappings take");
    for filter in quoted {
        assert!(
            patterns.iter().any(|pattern| pattern.contains(filter)),
            "no mapping has the filter {filter}: {patterns:?}"
        );
    }
}
