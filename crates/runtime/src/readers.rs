//! Workflows and definitions that a change of an object or of a definition leaves with mistakes: they read what it has no
//! more.

use pawl_definition::{Around, Level, Problem, Source, check_workflow};

use crate::{Error, Workflows};

/// How many heads of workflows are read at once.
const PAGE: usize = 200;

/// The mistakes that active workflows, or all if inactive ones count too, and definitions have with what stands around them
/// `after` and had not with what did `before`, as warnings that name what has them and the place in it. Executions in flight
/// meet them, and the workflow's next save.
pub(crate) async fn new_mistakes(
    workflows: &Workflows,
    (before, after): (Around<'_>, Around<'_>),
    (file, inactive_too): (&str, bool),
) -> Result<Vec<Problem>, Error> {
    let mut found = of_definitions((before, after), file);
    let mut cursor = None;
    loop {
        let page = workflows.list(PAGE, cursor).await?;
        for head in page.items.iter().filter(|head| head.active || inactive_too) {
            // What of them cannot be read is told by listings, and keeps no object from being saved.
            let revision = match workflows.revision(&head.id, head.revision).await {
                Err(Error::Unreadable(_)) => None,
                revision => revision?,
            };
            let Some(revision) = revision else { continue };
            let source = Source::from_value(file, revision.source);
            let named = if head.active { "the active workflow" } else { "the workflow" };
            found.extend(of_workflow((named, &head.id), &source, (before, after)));
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(found);
        }
    }
}

fn of_workflow((noun, id): (&str, &str), source: &Source, (before, after): (Around<'_>, Around<'_>)) -> Vec<Problem> {
    let mistakes = |around: Around<'_>| check_workflow(source, around).1.into_iter().filter(Problem::is_error);
    let known: Vec<_> = mistakes(before).collect();
    mistakes(after)
        .filter(|mistake| !known.contains(mistake))
        .map(|problem| as_warning(&format!("{noun} {id:?}"), problem))
        .collect()
}

fn of_definitions((before, after): (Around<'_>, Around<'_>), file: &str) -> Vec<Problem> {
    let mistakes = |around: Around<'_>| {
        let found = around.definitions.map(|definitions| definitions.mistakes(around)).unwrap_or_default();
        found.into_iter().filter(|(.., problem)| problem.is_error())
    };
    let known: Vec<_> = mistakes(before).collect();
    let found = mistakes(after).filter(|mistake| !known.contains(mistake));
    found
        .map(|(kind, id, problem)| Problem {
            file: file.to_owned(),
            ..as_warning(&format!("the {} {id:?}", kind.word()), problem)
        })
        .collect()
}

fn as_warning(what: &str, problem: Problem) -> Problem {
    let message = format!("{what} has a mistake now: {}", problem.message);
    Problem { message, severity: Level::Warning, ..problem }
}
