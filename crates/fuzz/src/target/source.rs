//! Files of the language.

use std::collections::BTreeMap;

use pawl_definition::{DefinitionKind, Source, check_definition, check_object, check_workflow};

use crate::Random;
use crate::make::workflow;

pub(super) fn make(random: &mut Random) -> Vec<u8> {
    workflow::source(random).into_bytes()
}

/// A file is read and checked; of its problems a bounded number is told, in bounded words.
pub(super) fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let problems = match Source::parse("fuzz.yaml", &text) {
        Err(problems) => problems,
        Ok(source) => {
            let (workflow, mut problems) = check_workflow(&source, &BTreeMap::new());
            let refused = problems.iter().any(pawl_definition::Problem::is_error);
            assert_eq!(workflow.is_none(), refused, "a workflow is there unless an error is told");
            problems.extend(check_object(&source).1);
            for kind in DefinitionKind::ALL {
                problems.extend(check_definition(*kind, &source, &BTreeMap::new()).1);
            }
            problems
        }
    };
    assert!(problems.len() <= 420 + 200 * DefinitionKind::ALL.len(), "{} problems are told", problems.len());
    let told: usize = problems.iter().map(|problem| problem.to_string().len()).sum();
    assert!(told < 4_000_000, "{told} bytes are told");
}
