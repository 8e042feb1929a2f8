//! What no committed file says.

use std::path::Path;

use regex::Regex;

use crate::workspace::{files, root};

/// Folders whose absolute path names one person's machine.
const FOLDERS: &[&str] = &["work", "root", "tmp", "home", "Users"];

#[test]
fn no_file_mentions_the_path_of_one_machine() {
    // A path begins where no word, address or other path goes on.
    let path = Regex::new(&format!("(?m)(?:^|[\\s\"'`(=:])/(?:{})/[A-Za-z0-9._-]", FOLDERS.join("|")));
    let path = path.expect("the expression is right");
    let mut found = Vec::new();
    for file in files() {
        // Payloads are others' words; the lock file is cargo's.
        let is_ours = !file.starts_with("events/") && file != "Cargo.lock";
        let Ok(text) = std::fs::read_to_string(root().join(Path::new(&file))) else { continue };
        let lines = text.lines().enumerate().filter(|(_, line)| is_ours && path.is_match(line));
        found.extend(lines.map(|(at, line)| format!("{file}:{}: {}", at + 1, line.trim())));
    }
    assert!(found.is_empty(), "paths of one machine: {found:#?}");
}
