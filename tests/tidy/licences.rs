//! Every dependency's licence is one that deny.toml allows.

use std::collections::BTreeSet;

use crate::workspace::{metadata, read};

#[test]
fn every_licence_is_allowed() {
    let manifest = read("deny.toml");
    let list = manifest.split("allow = [").nth(1).and_then(|rest| rest.split(']').next());
    let list = list.expect("deny.toml has a list of allowed licences");
    let allowed: BTreeSet<&str> = list.split('"').skip(1).step_by(2).collect();
    let is_refused = |licence: Option<&str>| !licence.is_some_and(|licence| is_allowed(licence, &allowed));
    let refused: Vec<_> = metadata()
        .packages()
        .filter(|package| is_refused(package.licence))
        .map(|package| format!("{} {}: {}", package.name, package.version, package.licence.unwrap_or("no licence")))
        .collect();
    assert!(refused.is_empty(), "licences that deny.toml does not allow: {refused:#?}");
}

/// Whether an SPDX expression can be fulfilled with the allowed licences: of OR one, of AND all. AND binds tighter;
/// the slash is an old way to write OR.
fn is_allowed(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    let truth = any(&mut words, allowed);
    assert!(words.next().is_none(), "expected an SPDX expression, found {expression:?}");
    truth
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any(words: &mut Words<'_>, allowed: &BTreeSet<&str>) -> bool {
    let mut truth = all(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        truth |= all(words, allowed);
    }
    truth
}

fn all(words: &mut Words<'_>, allowed: &BTreeSet<&str>) -> bool {
    let mut truth = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        truth &= one(words, allowed);
    }
    truth
}

fn one(words: &mut Words<'_>, allowed: &BTreeSet<&str>) -> bool {
    let word = words.next().expect("an SPDX expression does not end in an operator");
    if word == "(" {
        let truth = any(words, allowed);
        assert_eq!(words.next(), Some(")"), "a bracket of an SPDX expression is closed");
        return truth;
    }
    match words.next_if_eq(&"WITH") {
        Some(_) => {
            let exception = words.next().expect("WITH is followed by an exception");
            allowed.contains(format!("{word} WITH {exception}").as_str())
        }
        None => allowed.contains(word),
    }
}

#[test]
fn of_or_one_licence_is_enough_and_of_and_all_are_needed() {
    let allowed = BTreeSet::from(["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"]);
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("MIT AND GPL-3.0", false),
        ("MIT AND (GPL-3.0 OR ISC)", true),
        ("GPL-3.0 AND ISC OR MIT", true),
        ("Apache-2.0", false),
        ("Apache-2.0 WITH LLVM-exception", true),
    ] {
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }
}
