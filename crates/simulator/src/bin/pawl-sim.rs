//! `pawl-sim`: runs seeds of the simulator and says what happened; a seed that fails is printed with what to do.

use std::process::ExitCode;

use pawl_simulator::{Bug, Counts, Report, simulate, undisturbed};

/// Lines of the trace that are shown of a failed run.
const TAIL: usize = 60;

/// What the command line says.
struct Options {
    seeds: u64,
    from: u64,
    only: Option<u64>,
    bug: Option<(String, Bug)>,
    whole: bool,
    calm: bool,
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let bug = options.bug.as_ref().map(|(_, bug)| *bug);
    let seeds = options.only.map_or(options.from..options.from + options.seeds, |seed| seed..seed + 1);
    let mut counts = Counts::default();
    for seed in seeds {
        let run = std::panic::catch_unwind(|| if options.calm { undisturbed(seed) } else { simulate(seed, bug) });
        let Ok(report) = run else {
            println!("seed {seed} panics\nagain: cargo xtask sim --seed {seed}");
            return ExitCode::FAILURE;
        };
        counts.merge(&report.counts);
        if options.whole {
            print!("{}", report.trace.text());
        }
        if report.violation.is_some() {
            fail(&report, &options);
            return ExitCode::FAILURE;
        }
    }
    print!("{counts}");
    ExitCode::SUCCESS
}

fn fail(report: &Report, options: &Options) {
    let Some(violation) = &report.violation else { return };
    let ids = ids_in(&violation.text);
    println!("{}\n", report.trace.tail(TAIL, &ids));
    println!("seed {} breaks invariant {}: {}", report.seed, violation.invariant, violation.text);
    let bug = options.bug.as_ref().map_or(String::new(), |(name, _)| format!(" --bug {name}"));
    println!("again: cargo xtask sim --seed {}{bug}", report.seed);
}

/// Ids of executions in a text, by which the trace is filtered.
fn ids_in(text: &str) -> Vec<String> {
    let mut ids: Vec<_> =
        text.match_indices("exe_").filter_map(|(at, _)| text.get(at..at + 36)).map(str::to_owned).collect();
    if !ids.is_empty() {
        ids.extend(["dies", "power", "kill", "VIOLATION"].map(str::to_owned));
    }
    ids
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options { seeds: 200, from: 1, only: None, bug: None, whole: false, calm: false };
    while let Some(argument) = arguments.next() {
        if argument == "--trace" {
            options.whole = true;
            continue;
        }
        if argument == "--calm" {
            options.calm = true;
            continue;
        }
        let value = arguments.next().ok_or_else(|| format!("expected a value after {argument}"))?;
        let number =
            || value.parse::<u64>().map_err(|_| format!("expected a number after {argument}, found {value:?}"));
        match argument.as_str() {
            "--seeds" => options.seeds = number()?,
            "--from" => options.from = number()?,
            "--seed" => options.only = Some(number()?),
            "--bug" => options.bug = Some((value.clone(), Bug::named(&value).ok_or_else(|| unknown_bug(&value))?)),
            _ => {
                return Err(format!(
                    "expected --seeds N, --from S, --seed S, --bug NAME, --calm or --trace, found {argument}"
                ));
            }
        }
    }
    Ok(options)
}

fn unknown_bug(name: &str) -> String {
    let names: Vec<_> = Bug::ALL.iter().map(|(name, _)| *name).collect();
    format!("expected one of {}, found {name:?}", names.join(", "))
}
