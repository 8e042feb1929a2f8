//! What is fuzzed: plain functions that panic where something does not hold. That an input is refused is right; that it
//! takes the process, much memory or much time is not.

mod content;
mod evaluation;
mod pattern;
mod recurrence;
mod source;
mod value;

use std::path::{Path, PathBuf};

use crate::{Random, mutate};

/// One entrance and what must hold of it.
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Makes an input by what it knows of the format.
    make: fn(&mut Random) -> Vec<u8>,
    /// Takes an input.
    pub run: fn(&[u8]),
    /// Endings of the example files that are seeds.
    seeds: &'static [&'static str],
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "content", make: content::make, run: content::decode, seeds: &[] },
    Target { name: "cron", make: recurrence::make_cron, run: recurrence::cron, seeds: &[] },
    Target { name: "cursor", make: value::make, run: value::paths, seeds: &[] },
    Target { name: "duration", make: value::duration_text, run: value::durations, seeds: &[] },
    Target { name: "evaluate", make: evaluation::make, run: evaluation::evaluate, seeds: &[] },
    Target { name: "expression", make: evaluation::make_text, run: evaluation::parse, seeds: &[] },
    Target { name: "json", make: value::make, run: value::json, seeds: &["json"] },
    Target { name: "pattern", make: pattern::make, run: pattern::matches, seeds: &[] },
    Target { name: "rrule", make: recurrence::make_rule, run: recurrence::rule, seeds: &[] },
    Target { name: "schema", make: value::make_pair, run: value::schema, seeds: &[] },
    Target { name: "signature", make: content::make, run: content::verify, seeds: &[] },
    Target { name: "source", make: source::make, run: source::check, seeds: &["yaml", "json"] },
    Target { name: "template", make: evaluation::make_template, run: evaluation::template, seeds: &[] },
];

/// What parts an input that has two parts.
const PART: &[u8] = b"\n---\n";

/// The two parts of an input; the second is empty if there is one only.
fn parts(input: &[u8]) -> (&[u8], &[u8]) {
    match input.windows(PART.len()).position(|window| window == PART) {
        Some(at) => (&input[..at], &input[at + PART.len()..]),
        None => (input, &[]),
    }
}

impl Target {
    /// The seeds: inputs that once failed, and examples.
    pub fn seeds(&self) -> Vec<Vec<u8>> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        collect(&root.join("seeds").join(self.name), &mut files);
        let mut examples = Vec::new();
        collect(&root.join("../../examples"), &mut examples);
        let is_seed =
            |file: &PathBuf| file.extension().is_some_and(|ending| self.seeds.iter().any(|seed| ending == *seed));
        files.extend(examples.into_iter().filter(is_seed));
        files.sort();
        files.iter().filter_map(|file| std::fs::read(file).ok()).collect()
    }

    /// An input: one that is made, or a changed seed.
    pub fn input(&self, random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
        match random.below(4) {
            0 => mutate::mutated(random, seeds),
            1 => {
                let made = (self.make)(random);
                mutate::mutated(random, &[made])
            }
            _ => (self.make)(random),
        }
    }
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { collect(&path, into) } else { into.push(path) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Inputs of each target in this test; `cargo xtask fuzz` runs as many as one likes.
    const INPUTS: usize = 60;

    #[test]
    fn every_target_takes_its_seeds_and_some_inputs() {
        for target in TARGETS {
            let seeds = target.seeds();
            for seed in &seeds {
                (target.run)(seed);
            }
            let mut random = Random::new(11);
            for _ in 0..INPUTS {
                (target.run)(&target.input(&mut random, &seeds));
            }
        }
    }

    #[test]
    fn an_input_has_two_parts() {
        assert_eq!(parts(b"a\n---\nb\n---\nc"), (&b"a"[..], &b"b\n---\nc"[..]));
        assert_eq!(parts(b"a"), (&b"a"[..], &b""[..]));
    }
}
