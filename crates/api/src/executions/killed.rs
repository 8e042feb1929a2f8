//! `killed` beside the state of executions, also where the kill is of their workflow or of everything.

use std::collections::BTreeMap;

use pawl_runtime::Error;

use super::view::Summary;
use crate::Problem;
use crate::state::Api;

/// Shows it, as far as they are open.
pub(super) async fn show<'a>(
    api: &Api,
    summaries: impl Iterator<Item = &'a mut Summary> + Send,
) -> Result<(), Problem> {
    let mut killed = BTreeMap::new();
    let mut everything = None;
    for summary in summaries.filter(|summary| summary.is_open()) {
        let all = match everything {
            Some(all) => all,
            None => *everything.insert(api.system.installations.read().await?.killed.is_some()),
        };
        let workflow = summary.workflow().to_owned();
        if !all && !killed.contains_key(&workflow) {
            let head = match api.system.workflows.head(&workflow).await {
                // One workflow that cannot be read hides no execution.
                Err(Error::Unreadable(_)) => None,
                head => head?,
            };
            killed.insert(workflow.clone(), head.is_some_and(|head| head.killed.is_some()));
        }
        if all || killed.get(&workflow) == Some(&true) {
            summary.show_killed();
        }
    }
    Ok(())
}
