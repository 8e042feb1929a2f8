//! The report: problems as they are found, with their positions.

use crate::path::Path;
use crate::problem::{Level, MOST_PROBLEMS, Problem};
use crate::source::{Position, Source};

/// Collects the problems of one file.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    source: &'a Source,
    problems: Vec<Problem>,
    /// Takes what is beyond the bound, and is never told.
    beyond: Option<Problem>,
    left_out: usize,
    too_large: Vec<Problem>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(source: &'a Source) -> Self {
        Self { source, problems: Vec::new(), beyond: None, left_out: 0, too_large: Vec::new() }
    }

    /// Errors about numbers that are too large to be held. They stand in the file as texts: nothing else is told there.
    pub(crate) fn too_large_numbers(&mut self) {
        self.too_large = self.source.too_large_numbers();
        self.problems.clone_from(&self.too_large);
    }

    /// An error about the value at a path.
    pub(crate) fn error(&mut self, code: &str, path: &Path, message: impl Into<String>) -> &mut Problem {
        self.push(code, path, self.source.value_position(path), message.into())
    }

    /// An error about the key at the end of a path.
    pub(crate) fn error_at_key(&mut self, code: &str, path: &Path, message: impl Into<String>) -> &mut Problem {
        self.push(code, path, self.source.key_position(path), message.into())
    }

    /// An error at a column (in characters, from 0) of the text at a path.
    pub(crate) fn error_within(
        &mut self,
        code: &str,
        path: &Path,
        column: usize,
        message: impl Into<String>,
    ) -> &mut Problem {
        let position = self.source.position_within(path, column).or_else(|| self.source.value_position(path));
        self.push(code, path, position, message.into())
    }

    /// A warning about the value at a path.
    pub(crate) fn warning(&mut self, code: &str, path: &Path, message: impl Into<String>) -> &mut Problem {
        let position = self.source.value_position(path);
        let problem = self.problem(code, path, position, message.into());
        self.add(Problem { severity: Level::Warning, ..problem })
    }

    /// Whether an error was found at a path or below it.
    pub(crate) fn has_error_within(&self, path: &Path) -> bool {
        let text = path.to_string();
        let within = |problem: &&Problem| {
            problem.path.strip_prefix(&text).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        self.problems.iter().filter(|problem| problem.is_error()).any(|problem| within(&problem))
    }

    /// The line of a path.
    pub(crate) fn line(&self, path: &Path) -> Option<usize> {
        self.source.value_position(path).map(|position| position.line)
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.problems.iter().any(Problem::is_error)
    }

    /// The problems in the order of the file.
    pub(crate) fn into_problems(mut self) -> Vec<Problem> {
        self.problems
            .sort_by(|a, b| (a.line, a.column, &a.path, a.severity).cmp(&(b.line, b.column, &b.path, b.severity)));
        self.problems.dedup();
        if let (Some(last), more @ 1..) = (self.problems.last_mut(), self.left_out) {
            let text = format!("and {more} more problems of this file, which are not listed");
            last.suggestion = Some(last.suggestion.take().map_or(text.clone(), |own| format!("{own}; {text}")));
        }
        self.problems
    }

    /// Whether no more problems of a kind are told: then what they would say need not be found out.
    fn is_full(&self, level: Level) -> bool {
        self.problems.len() >= MOST_PROBLEMS
            && self.problems.iter().filter(|problem| problem.severity == level).count() >= MOST_PROBLEMS
    }

    fn push(&mut self, code: &str, path: &Path, position: Option<Position>, message: String) -> &mut Problem {
        let problem = self.problem(code, path, position, message);
        self.add(problem)
    }

    fn problem(&self, code: &str, path: &Path, position: Option<Position>, message: String) -> Problem {
        Problem {
            file: self.source.name.clone(),
            code: code.to_owned(),
            path: path.to_string(),
            line: position.map(|position| position.line),
            column: position.map(|position| position.column),
            message,
            suggestion: None,
            severity: Level::Error,
        }
    }

    fn add(&mut self, problem: Problem) -> &mut Problem {
        if self.too_large.iter().any(|told| told.path == problem.path) {
            return self.beyond.insert(problem);
        }
        if self.is_full(problem.severity) {
            self.left_out += 1;
            return self.beyond.insert(problem);
        }
        let at = self.problems.len();
        self.problems.push(problem);
        &mut self.problems[at]
    }
}
