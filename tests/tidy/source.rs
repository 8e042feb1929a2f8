//! The shape of sources: nothing long, nothing unfinished.

use regex::Regex;

use crate::workspace::{files, is, read, sources, without_tests};

/// Code lines of a file: not blank, no comment.
const FILE_MOST: usize = 400;
/// Lines of a function, with its signature.
const FUNCTION_MOST: usize = 60;

/// What is longer for a reason that its own comment gives.
const LONGER: &[&str] = &[];

#[test]
fn no_file_is_too_long() {
    let mut long = Vec::new();
    for file in sources() {
        let text = read(&file);
        let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
        let count = text.lines().filter(is_code).count();
        if count > FILE_MOST && !LONGER.contains(&file.as_str()) {
            long.push(format!("{file}: {count} code lines"));
        }
    }
    assert!(long.is_empty(), "files of more than {FILE_MOST} code lines: {long:#?}");
}

#[test]
fn no_function_is_too_long() {
    let head =
        Regex::new(r"^(\s*)(?:pub(?:\([^)]*\))? )?(?:const )?(?:async )?fn (\w+)").expect("the expression is right");
    let mut long = Vec::new();
    for file in sources() {
        let text = read(&file);
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let Some(found) = head.captures(line) else { continue };
            let end = format!("{}}}", &found[1]);
            let count = lines[at..].iter().position(|line| line.starts_with(&end)).map_or(1, |length| length + 1);
            let name = format!("{file} fn {}", &found[2]);
            if count > FUNCTION_MOST && !LONGER.contains(&name.as_str()) {
                long.push(format!("{name}: {count} lines"));
            }
        }
    }
    assert!(long.is_empty(), "functions of more than {FUNCTION_MOST} lines: {long:#?}");
}

#[test]
fn nothing_is_unfinished_or_silenced() {
    let words = ["#[ignore", "todo!(", "unimplemented!(", "dbg!(", "#[allow(", "#![allow("];
    let own = "tests/tidy/source.rs";
    let mut found = Vec::new();
    for file in files().iter().filter(|file| is(file, "rs") && *file != own) {
        let text = read(file);
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().starts_with("//"));
        let lines = lines.filter(|(_, line)| words.iter().any(|word| line.contains(word)));
        found.extend(lines.map(|(at, line)| format!("{file}:{}: {}", at + 1, line.trim())));
    }
    assert!(found.is_empty(), "unfinished or silenced: {found:#?}");
}

#[test]
fn nothing_is_unwrapped_outside_tests() {
    let mut found = Vec::new();
    for file in sources() {
        let text = read(&file);
        let lines = without_tests(&text).lines().enumerate();
        let lines = lines.filter(|(_, line)| line.contains(".unwrap()") && !line.trim().starts_with("//"));
        found.extend(lines.map(|(at, line)| format!("{file}:{}: {}", at + 1, line.trim())));
    }
    assert!(found.is_empty(), "`expect` states the invariant instead: {found:#?}");
}
