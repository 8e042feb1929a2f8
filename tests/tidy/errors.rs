//! Every code that can be met has a page, every page has a code, and the index lists them all.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use regex::Regex;

use crate::workspace::{check_generated, files, read, sources, without_tests};

/// Where a code is met, in the order of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    File,
    Step,
    Start,
    Api,
    Function,
    CommandLine,
}

impl Place {
    fn word(self) -> &'static str {
        match self {
            Self::File => "files",
            Self::Step => "steps",
            Self::Start => "starts",
            Self::Api => "API",
            Self::Function => "functions",
            Self::CommandLine => "command line",
        }
    }
}

type Codes = BTreeMap<String, BTreeSet<Place>>;

/// The codes that a source names, by how it names them.
const NAMED: &[(&str, Place)] = &[
    (r#"\bbecause\(\s*"(\w+)""#, Place::Start),
    (r#"\brefusing\([^";{]*"(\w+)""#, Place::Start),
    (r#"\binactive\([^";{]*"(\w+)""#, Place::Start),
    (r#"\bcode: "(\w+)""#, Place::Start),
    (r#"\breject\([^";{]*"(\w+)""#, Place::Start),
    (r#"\bSelf::new\(\s*"(\w+)""#, Place::Function),
    (r#"\bFailure::new\(\s*"(\w+)""#, Place::Function),
    (r#"\bpub const CODE: &str = "(\w+)""#, Place::Function),
    (r#"\bcoded\(\s*"(\w+)""#, Place::CommandLine),
];

fn codes() -> Codes {
    let mut codes = Codes::new();
    let mut add = |code: &str, place| {
        codes.entry(code.to_owned()).or_default().insert(place);
    };
    for code in pawl_definition::code::ALL {
        add(code, Place::File);
    }
    for code in pawl_engine::StepCode::ALL {
        add(code.as_str(), Place::Step);
    }
    for code in pawl_api::Code::ALL {
        add(code.as_str(), Place::Api);
    }
    let named = NAMED.iter().map(|(pattern, place)| (Regex::new(pattern).expect("the expression is right"), *place));
    let named: Vec<_> = named.collect();
    // The codes of the testkit are those of test reports.
    for file in sources().iter().filter(|file| !file.starts_with("crates/testkit/")) {
        let text = read(file);
        for (pattern, place) in &named {
            pattern.captures_iter(without_tests(&text)).for_each(|found| add(&found[1], *place));
        }
    }
    codes
}

/// The pages by code.
fn pages() -> BTreeMap<String, String> {
    let files = files();
    let pages = files.iter().filter_map(|file| file.strip_prefix("docs/errors/")?.strip_suffix(".md"));
    let pages = pages.filter(|code| *code != "README");
    pages.map(|code| (code.to_owned(), read(&format!("docs/errors/{code}.md")))).collect()
}

#[test]
fn every_code_has_a_page_and_every_page_has_a_code() {
    let codes: BTreeSet<String> = codes().into_keys().collect();
    let pages: BTreeSet<String> = pages().into_keys().collect();
    let missing: Vec<_> = codes.difference(&pages).collect();
    let left_over: Vec<_> = pages.difference(&codes).collect();
    assert!(missing.is_empty(), "codes without a page in docs/errors: {missing:#?}");
    assert!(left_over.is_empty(), "pages in docs/errors without a code: {left_over:#?}");
}

#[test]
fn the_code_of_every_failure_and_refusal_is_found() {
    let codes = codes();
    for known in ["filtered", "inactive", "reentry", "breaker", "no_match", "dead_letter"] {
        let is_start = codes.get(known).is_some_and(|places| places.contains(&Place::Start));
        assert!(is_start, "refusals are written in a way that this test does not know: {known} is not found");
    }
}

/// A code that no step fails with any more leaves the registry.
#[test]
fn every_code_of_a_step_is_met() {
    let registry = "crates/engine/src/code.rs";
    let text = |file: &String| without_tests(&read(file)).to_owned();
    let sources: String = sources().iter().filter(|file| *file != registry).map(text).collect();
    let expressions = read("crates/definition/src/expression/error.rs");
    let is_met = |code: &&pawl_engine::StepCode| {
        let of_expression = expressions.contains(&format!("=> \"{}\"", code.as_str()));
        let of_other_version = **code == pawl_engine::StepCode::UnknownCode;
        of_expression || of_other_version || sources.contains(&format!("StepCode::{code:?}"))
    };
    let left_over: Vec<_> = pawl_engine::StepCode::ALL.iter().filter(|code| !is_met(code)).collect();
    assert!(left_over.is_empty(), "codes of the registry that no step fails with: {left_over:?}");
}

#[test]
fn every_page_says_what_it_means_and_what_to_do() {
    for (code, page) in pages() {
        assert!(page.starts_with(&format!("# `{code}`\n")), "docs/errors/{code}.md begins with its code");
        for part in ["**What to do**", "**Example**"] {
            assert!(page.contains(part), "docs/errors/{code}.md has no part {part}");
        }
    }
}

#[test]
fn the_index_lists_every_page() {
    check_generated("docs/errors/README.md", &index(&codes(), &pages()));
}

fn index(codes: &Codes, pages: &BTreeMap<String, String>) -> String {
    let mut index = "# Error codes\n\n\
        Codes are stable: scripts may rely on codes, messages may change. The page of a code gives its meaning, \
        an example, and what to do.\n\n\
        Codes occur in *files* (`pawl check`, and saving), in *steps* (history, notices), for *starts* that are \
        refused (`pawl refusals`), in answers of the *API* and of webhooks, in errors of *functions* on AWS, and in \
        errors of the *command line* itself.\n\n\
        | code | occurs in | meaning |\n| --- | --- | --- |\n"
        .to_owned();
    for (code, page) in pages {
        let places = codes.get(code).into_iter().flatten().map(|place| place.word());
        let places = places.collect::<Vec<_>>().join(", ");
        writeln!(index, "| [`{code}`]({code}.md) | {places} | {} |", first_sentence(page)).expect("a text takes more");
    }
    index
}

/// The first sentence after the heading.
fn first_sentence(page: &str) -> String {
    let line = page.lines().skip(1).find(|line| !line.is_empty()).unwrap_or_default();
    let end = line.find(". ").map_or(line.len(), |at| at + 1);
    line[..end].replace('|', "\\|")
}
