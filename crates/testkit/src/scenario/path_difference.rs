//! The difference of two paths, step by step.

use std::fmt::Write;

use super::Trace;
use super::trace::{elapsed, remark};

/// One line of a difference.
enum Line<'a> {
    Same(usize),
    Missing(&'a str),
    Unexpected(usize),
}

/// Tells where a path differs from the expected one; `None` if it does not.
pub(super) fn path_difference(expected: &[String], trace: &Trace) -> Option<String> {
    let taken = trace.path_with_rows();
    let names: Vec<&str> = taken.iter().map(|(step, _)| step.as_str()).collect();
    if names == expected {
        return None;
    }
    let mut told = "the path differs (- expected, + taken):".to_owned();
    let width = expected.iter().map(String::len).chain(names.iter().map(|name| name.len())).max().unwrap_or(0);
    for line in align(expected, &names) {
        let shown = match line {
            Line::Same(at) => format!("    {}", names[at]),
            Line::Missing(step) => format!("  - {step}"),
            Line::Unexpected(at) => {
                let row = taken[at].1;
                let since = elapsed(row.at.duration_since(trace.execution.created_at));
                format!("  + {:<width$}  {since}  {}", names[at], remark(row))
            }
        };
        write!(told, "\n{}", shown.trim_end()).expect("writing to a string cannot fail");
    }
    Some(told)
}

/// Aligns two lists by their longest common subsequence.
fn align<'a>(expected: &'a [String], taken: &[&str]) -> Vec<Line<'a>> {
    let mut lengths = vec![vec![0_usize; taken.len() + 1]; expected.len() + 1];
    for row in (0..expected.len()).rev() {
        for column in (0..taken.len()).rev() {
            lengths[row][column] = if expected[row] == taken[column] {
                lengths[row + 1][column + 1] + 1
            } else {
                lengths[row + 1][column].max(lengths[row][column + 1])
            };
        }
    }
    let (mut row, mut column, mut lines) = (0, 0, Vec::new());
    while row < expected.len() || column < taken.len() {
        let more = (row < expected.len(), column < taken.len());
        if more == (true, true) && expected[row] == taken[column] {
            lines.push(Line::Same(column));
            (row, column) = (row + 1, column + 1);
        } else if more.0 && (!more.1 || lengths[row + 1][column] >= lengths[row][column + 1]) {
            lines.push(Line::Missing(&expected[row]));
            row += 1;
        } else {
            lines.push(Line::Unexpected(column));
            column += 1;
        }
    }
    lines
}
