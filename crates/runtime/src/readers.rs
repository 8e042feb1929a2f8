//! Active workflows that a change of an object leaves with mistakes: they read what it has no more.

use std::collections::BTreeMap;

use pawl_definition::{Level, Object, Problem, Source, check_workflow};

use crate::{Error, Workflows};

/// How many heads of workflows are read at once.
const PAGE: usize = 200;

/// The mistakes that active workflows have with the objects `after` and had not with those `before`, as warnings that
/// name the workflow and the place in it. Executions in flight meet them, and the workflow's next save.
pub(crate) async fn new_mistakes(
    workflows: &Workflows,
    (before, after): (&BTreeMap<String, Object>, &BTreeMap<String, Object>),
    file: &str,
) -> Result<Vec<Problem>, Error> {
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let page = workflows.list(PAGE, cursor).await?;
        for head in page.items.iter().filter(|head| head.active) {
            // What of them cannot be read is told by listings, and keeps no object from being saved.
            let revision = match workflows.revision(&head.id, head.revision).await {
                Err(Error::Unreadable(_)) => None,
                revision => revision?,
            };
            let Some(revision) = revision else { continue };
            let source = Source::from_value(file, revision.source);
            found.extend(of_workflow(&head.id, &source, (before, after)));
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(found);
        }
    }
}

fn of_workflow(
    id: &str,
    source: &Source,
    (before, after): (&BTreeMap<String, Object>, &BTreeMap<String, Object>),
) -> Vec<Problem> {
    let mistakes = |objects| check_workflow(source, objects).1.into_iter().filter(Problem::is_error);
    let known: Vec<_> = mistakes(before).collect();
    let named = |problem: Problem| {
        let message = format!("the active workflow {id:?} has a mistake now: {}", problem.message);
        Problem { message, severity: Level::Warning, ..problem }
    };
    mistakes(after).filter(|mistake| !known.contains(mistake)).map(named).collect()
}
