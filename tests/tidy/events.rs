//! Every payload under `events/` is answered in a test.

use std::collections::{BTreeMap, BTreeSet};

use crate::workspace::{files, is, read};

#[test]
fn every_event_has_its_answer_in_a_snapshot() {
    let files = files();
    // A function's payloads by case; a folder's README is none.
    let mut cases: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for file in files.iter().filter_map(|file| file.strip_prefix("events/")).filter(|file| *file != "README.md") {
        let Some((function, case)) = file.split_once('/') else { panic!("events/{file} belongs to no function") };
        if let Some(case) = case.strip_suffix(".json") {
            cases.entry(function).or_default().insert(case);
        }
    }
    let snapshots: Vec<String> = files.iter().filter(|file| is(file, "snap")).map(|file| read(file)).collect();
    for (function, cases) in cases {
        let answered = |case: &&str| snapshots.iter().any(|text| text.lines().any(|line| line == format!("{case}:")));
        let silent: Vec<_> = cases.iter().filter(|case| !answered(case)).collect();
        assert!(silent.is_empty(), "no snapshot of a test answers these of events/{function}: {silent:?}");
    }
}
