//! Inputs that are nearly right: seeds with small and large changes.

use crate::Random;

/// What is put in: signs that mean something in JSON, YAML, CEL, templates and forms.
const TOKENS: [&str; 40] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    ":",
    ",",
    "{{",
    "}}",
    "\\u",
    "\\",
    "&a ",
    "*a",
    "<<: ",
    "- ",
    "\n",
    "\t",
    "#",
    "|",
    "null",
    "1e999",
    "-0",
    "99999999999999999999",
    "%",
    "%FF",
    "+",
    "&",
    "=",
    "(",
    ")",
    "||",
    "&&",
    "?",
    ".",
    "!!str ",
    "\u{0}",
    "\u{feff}",
    "é",
    "🦀",
];

/// Longest input, in bytes: a little more than the largest bound of an entrance.
const MOST: usize = 1_200_000;

/// A change of one of several seeds.
pub fn mutated(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    if seeds.is_empty() {
        return Vec::new();
    }
    let mut input = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(6) {
        let at = random.below(input.len() + 1);
        let end = (at + random.size(200)).min(input.len());
        match random.below(7) {
            0 => input.truncate(at),
            1 => drop(input.drain(at..end)),
            2 => {
                let part = input[at..end].to_vec().repeat(1 + random.size(2_000));
                drop(input.splice(at..at, part));
            }
            3 => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len() + 1);
                drop(input.splice(at..at, other[from..].to_vec()));
            }
            4 if at < input.len() => input[at] = random.bits().to_le_bytes()[0],
            _ => drop(input.splice(at..at, random.pick(&TOKENS).bytes())),
        }
        input.truncate(MOST);
    }
    input
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_changed_and_stay_within_bounds() {
        let mut random = Random::new(1);
        let seeds = [b"one: 1".to_vec(), b"{}".to_vec()];
        let made: Vec<_> = (0..500).map(|_| mutated(&mut random, &seeds)).collect();
        assert!(made.iter().filter(|input| !seeds.contains(input)).count() > 400);
        assert!(made.iter().all(|input| input.len() <= MOST));
        assert_eq!(mutated(&mut random, &[]), b"");
    }
}
