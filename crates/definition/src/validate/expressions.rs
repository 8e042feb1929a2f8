//! Expressions: each must be valid CEL, and its names must exist.

use super::facts::Facts;
use super::found::{ExpressionSite, Found};
use super::references;
use super::regions::Regions;
use super::report::Report;
use super::typing::Typing;
use super::words::quoted;
use crate::expression::names_of_functions;
use crate::problem::code;
use crate::{Expression, ExpressionError};

/// Reads every expression of a file; what is no CEL is told.
pub(super) fn read(report: &mut Report<'_>, found: &Found<'_>) -> Vec<Option<Expression>> {
    let read = found.expressions.iter().map(|site| match Expression::parse(site.text) {
        Ok(expression) => Some(expression),
        Err(error) => {
            invalid(report, site, &error);
            None
        }
    });
    read.collect()
}

/// Checks the names and types in every expression that was read.
pub(super) fn check(
    report: &mut Report<'_>,
    found: &Found<'_>,
    read: &[Option<Expression>],
    around: (&Facts<'_>, &Typing<'_, '_>, &Regions<'_, '_>),
) {
    for (site, expression) in found.expressions.iter().zip(read) {
        if let Some(expression) = expression {
            references::check(report, (site, expression), found, around);
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
            let near = suggestion.as_ref().map(|near| format!("did you mean `{near}`?"));
            (column, near.or_else(|| Some(format!("the functions are {}", names_of_functions()))))
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
