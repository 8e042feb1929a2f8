//! Every dependency has its reason in ARCHITECTURE.md.

use std::collections::BTreeSet;

use crate::tables;
use crate::workspace::read;

#[test]
fn every_dependency_has_its_line_in_the_architecture() {
    let manifest = read("Cargo.toml");
    let section = manifest.split("[workspace.dependencies]").nth(1).expect("the root manifest lists dependencies");
    let section = section.split("\n[").next().unwrap_or(section);
    let names = section.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name.trim());
    let listed: BTreeSet<String> =
        names.filter(|name| !name.starts_with("pawl-") && !name.starts_with('#')).map(str::to_owned).collect();
    let rows = tables::under(&read("ARCHITECTURE.md"), "## Dependencies");
    let explained: BTreeSet<String> = rows.iter().flat_map(|row| tables::names(&row[0])).map(str::to_owned).collect();
    assert_eq!(listed, explained, "the dependencies of the root manifest, and those of ARCHITECTURE.md (right)");
}
