//! Expressions: each must be valid CEL, and its names must exist.

use super::facts::Facts;
use super::found::{ExpressionSite, Found};
use super::references;
use super::report::Report;
use super::words::quoted;
use crate::problem::code;
use crate::{Expression, ExpressionError};

/// Checks every expression of a file.
pub(super) fn check(report: &mut Report<'_>, found: &Found<'_>, facts: &Facts<'_>) {
    for site in &found.expressions {
        match Expression::parse(site.text) {
            Ok(expression) => references::check(report, site, &expression, found, facts),
            Err(error) => invalid(report, site, &error),
        }
    }
}

fn invalid(report: &mut Report<'_>, site: &ExpressionSite<'_>, error: &ExpressionError) {
    if let Some(inner) = site.text.trim().strip_prefix("{{").and_then(|text| text.strip_suffix("}}")) {
        let message = format!("expected CEL without braces, found {}", quoted(site.text));
        report.error(code::EXPRESSION_SYNTAX, &site.path, message).suggest(format!("write `{}`", inner.trim()));
        return;
    }
    let (column, suggestion) = match error {
        ExpressionError::Syntax { message, .. } => (column_of_mistake(message), None),
        ExpressionError::Unknown { name, suggestion, .. } => {
            let column = site.text.find(name.as_str()).map(|at| site.text[..at].chars().count());
            (column, suggestion.as_ref().map(|near| format!("did you mean `{near}`?")))
        }
        _ => (None, None),
    };
    let message = match error {
        ExpressionError::Syntax { message, .. } => {
            format!("expected an expression (CEL), found a mistake in {}: {message}", quoted(site.text))
        }
        ExpressionError::Unknown { kind, name, .. } => format!("unknown {kind} `{name}`"),
        other => other.to_string(),
    };
    report
        .error_within(error.code(), &site.path, site.column + column.unwrap_or_default(), message)
        .suggest(suggestion);
}

/// Characters before a mistake on the first line, which the parser says at the end of its message.
fn column_of_mistake(message: &str) -> Option<usize> {
    let (_, column) = message.rsplit_once(" at column ")?;
    column.parse::<usize>().ok()?.checked_sub(1)
}
