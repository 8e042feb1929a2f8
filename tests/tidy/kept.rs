//! Each stored item declares how long it is kept and what of a person it may hold; the operations page says the same.

use std::collections::BTreeSet;

use regex::Regex;

use crate::tables::under;
use crate::workspace::{read, sources, without_tests};

/// The modules of stored items, with their texts.
fn modules() -> Vec<(String, String)> {
    let name = |file: &str| {
        let name = file.strip_prefix("crates/runtime/src/items/")?.strip_suffix(".rs")?;
        // What properties draw from is no item.
        (name != "mod" && !name.starts_with("arbitrary/")).then(|| name.to_owned())
    };
    let found = sources().into_iter().filter_map(|file| Some((name(&file)?, without_tests(&read(&file)).to_owned())));
    let found: Vec<_> = found.collect();
    assert!(found.len() > 10, "the modules of stored items are not where they were");
    found
}

/// What a module declares: the constant, the retention and the erasure, in the words of the page.
fn declared(text: &str) -> Vec<(String, String, String)> {
    let declaration =
        Regex::new(r"pub const (KEPT\w*): Kept\s*=\s*Kept::new\(\s*Retention::(\w+)(.*?),\s*Erasure::(\w+),?\s*\);");
    let declaration = declaration.expect("the expression is right");
    let found = declaration.captures_iter(text);
    found.map(|parts| (parts[1].to_owned(), retention(&parts[2], &parts[3]), erasure(&parts[4]).to_owned())).collect()
}

fn retention(variant: &str, span: &str) -> String {
    let words = match variant {
        "Forever" => "for ever",
        "WithExecution" => "as long as its execution",
        "WithRecord" => "as long as its record",
        "WithWorkflow" => "as long as its workflow",
        "UntilDone" => "until it is over",
        _ => return span_in_words(span),
    };
    words.to_owned()
}

fn span_in_words(span: &str) -> String {
    let number = Regex::new(r"from_(hours|secs)\((24 \* )?(\d+)\)").expect("the expression is right");
    let parts = number.captures(span).unwrap_or_else(|| panic!("expected hours, days or seconds, found {span}"));
    let unit = match (&parts[1], parts.get(2).is_some()) {
        ("hours", true) => "days",
        ("hours", false) => "hours",
        _ => "seconds",
    };
    format!("{} {unit}", &parts[3])
}

fn erasure(variant: &str) -> &'static str {
    match variant {
        "Nothing" => "nothing",
        "RecordId" => "the id",
        "WithRecord" => "values; go with the record",
        "WithExecution" => "values; go with the execution",
        "WhenExpired" => "values in text; go when it expires",
        "WithMember" => "names and addresses; go with the member",
        other => panic!("no words for Erasure::{other}"),
    }
}

#[test]
fn every_stored_item_declares_how_long_it_is_kept() {
    let silent: Vec<_> = modules()
        .into_iter()
        .filter(|(_, text)| !declared(text).iter().any(|(constant, ..)| constant == "KEPT"))
        .map(|(name, _)| name)
        .collect();
    assert!(silent.is_empty(), "modules of crates/runtime/src/items without `pub const KEPT: Kept`: {silent:?}");
}

#[test]
fn the_registry_has_each_declaration() {
    let registry = read("crates/runtime/src/items/mod.rs");
    let found = Regex::new(r"=> (\w+)::(KEPT\w*),").expect("the expression is right");
    let registered: BTreeSet<_> =
        found.captures_iter(&registry).map(|parts| (parts[1].to_owned(), parts[2].to_owned())).collect();
    let declared: BTreeSet<_> = modules()
        .iter()
        .flat_map(|(name, text)| declared(text).into_iter().map(move |(constant, ..)| (name.clone(), constant)))
        .collect();
    assert_eq!(registered, declared, "what `items::kept_of` answers, and what modules declare (right)");
}

#[test]
fn each_stored_item_has_a_property_of_its_round_trip() {
    let own = |name: &str| read(&format!("crates/runtime/src/items/{name}.rs"));
    let without: Vec<_> = modules()
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| !own(name).contains("proptest!") || !own(name).contains("kept_of(TABLE, "))
        .collect();
    assert!(
        without.is_empty(),
        "modules of crates/runtime/src/items without a property of what is stored: {without:?}"
    );
}

#[test]
fn no_item_expires_at_a_time_of_its_own() {
    let own = Regex::new(r"expires_at: Some\(|Some\([^)]*(?:KEPT|span)").expect("the expression is right");
    let texts = modules().into_iter().chain([("admission".to_owned(), read("crates/runtime/src/admission.rs"))]);
    let found: Vec<_> = texts.filter(|(_, text)| own.is_match(text)).map(|(name, _)| name).collect();
    assert!(found.is_empty(), "items whose time to live is not of their KEPT: {found:?}");
    for (name, text) in modules().into_iter().filter(|(name, _)| name != "guard") {
        let expires = declared(&text).iter().any(|(_, kept, _)| kept.ends_with("hours") || kept.ends_with("days"));
        assert_eq!(expires, text.contains("KEPT.expires_at("), "{name}: what is declared, and what is written (right)");
    }
}

#[test]
fn the_operations_page_says_how_long_each_item_is_kept() {
    let rows = under(&read("docs/operations.md"), "### What is kept, and how long");
    let said: BTreeSet<_> = rows.iter().map(|row| (row[0].clone(), row[2].clone(), row[3].clone())).collect();
    let declared: BTreeSet<_> = modules()
        .iter()
        .flat_map(|(name, text)| {
            declared(text).into_iter().map(move |(constant, kept, erased)| {
                let suffix = constant.strip_prefix("KEPT_").map(|kind| format!(" {}", kind.to_lowercase()));
                (format!("{name}{}", suffix.unwrap_or_default()), kept, erased)
            })
        })
        .collect();
    assert_eq!(declared, said, "what modules declare, and what docs/operations.md says (right)");
}
