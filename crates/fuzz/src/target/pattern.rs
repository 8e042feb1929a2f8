//! Event patterns, against events.

use std::time::{Duration, Instant};

use pawl_definition::EventPattern;
use pawl_definition::json::{self, Bounds};

use super::{PART, parts};
use crate::Random;

/// To match takes at most so long, also in a build that is not optimised.
const LONGEST: Duration = Duration::from_secs(10);

/// Tests and values at a leaf.
const TESTS: [&str; 24] = [
    "1",
    "1.0",
    "null",
    "true",
    r#""a""#,
    r#""""#,
    r#"{"prefix": "a"}"#,
    r#"{"prefix": {"equals-ignore-case": "A"}}"#,
    r#"{"suffix": "b"}"#,
    r#"{"equals-ignore-case": "AB"}"#,
    r#"{"wildcard": "a*b*c"}"#,
    r#"{"wildcard": "*"}"#,
    r#"{"wildcard": "a\\\\*"}"#,
    r#"{"anything-but": "a"}"#,
    r#"{"anything-but": [1, 2]}"#,
    r#"{"anything-but": {"prefix": ["a", "b"]}}"#,
    r#"{"anything-but": {"wildcard": "a*"}}"#,
    r#"{"numeric": [">", 0, "<=", 5]}"#,
    r#"{"numeric": ["=", 1e300]}"#,
    r#"{"cidr": "10.0.0.0/0"}"#,
    r#"{"cidr": "::/128"}"#,
    r#"{"exists": true}"#,
    r#"{"exists": false}"#,
    r#"{"exists": 1}"#,
];

const VALUES: [&str; 12] = [
    "1",
    "1.0",
    "-5e9",
    "null",
    "false",
    r#""a""#,
    r#""abc""#,
    r#""10.0.0.1""#,
    "[]",
    "{}",
    r#"["a", ["b"]]"#,
    r#"[{"a": 1}, {"b": {"a": "c"}}]"#,
];

pub(super) fn make(random: &mut Random) -> Vec<u8> {
    let mut input = pattern(random, 4).into_bytes();
    input.extend(PART);
    input.extend(event(random, 4).into_bytes());
    input
}

fn keys(random: &mut Random, mut value: impl FnMut(&mut Random) -> String) -> String {
    let many = 1 + random.below(3);
    let keys: Vec<_> = ["a", "b", "c"].iter().take(many).map(|key| format!("\"{key}\": {}", value(random))).collect();
    format!("{{{}}}", keys.join(", "))
}

fn pattern(random: &mut Random, depth: usize) -> String {
    if depth > 0 && random.one_in(6) {
        return format!("{{\"$or\": [{}, {}]}}", pattern(random, depth - 1), pattern(random, depth - 1));
    }
    keys(random, |random| {
        if depth > 0 && random.one_in(2) {
            return pattern(random, depth - 1);
        }
        let tests: Vec<_> = (0..=random.below(3)).map(|_| random.pick(&TESTS).to_string()).collect();
        format!("[{}]", tests.join(", "))
    })
}

fn event(random: &mut Random, depth: usize) -> String {
    keys(random, |random| match random.below(4) {
        0 if depth > 0 => event(random, depth - 1),
        1 if depth > 0 => format!("[{}, {}]", event(random, depth - 1), event(random, depth - 1)),
        _ => random.pick(&VALUES).to_string(),
    })
}

pub(super) fn matches(input: &[u8]) {
    let (pattern, event) = parts(input);
    let (Ok(pattern), Ok(event)) = (json::parse(pattern, &Bounds::OUTSIDE), json::parse(event, &Bounds::OUTSIDE))
    else {
        return;
    };
    let Some(keys) = pattern.as_object() else { return };
    let began = Instant::now();
    let read = EventPattern::read(keys);
    let found = read.matches(&event);
    assert!(!found || read.wrong().is_none(), "nothing matches a pattern that is wrong");
    // A list of one object is that object.
    assert_eq!(read.matches(&serde_json::json!([event])), found);
    assert!(began.elapsed() < LONGEST, "it takes too long");
}
