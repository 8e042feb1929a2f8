//! Metrics in `CloudWatch`'s embedded metric format: one line of JSON on standard output, which becomes metrics without
//! a call.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Where the metrics stand.
pub const NAMESPACE: &str = "Pawl";

/// The line that tells how counts grew; `None` if none did. Its dimensions are the installation, since an account may
/// have several, and the function. Workflows are none: they are many, and each would be paid for.
pub fn line(
    installation: &str,
    function: &str,
    before: &BTreeMap<&'static str, u64>,
    after: &BTreeMap<&'static str, u64>,
    now: Timestamp,
) -> Option<String> {
    let grown = |(name, count): (&&'static str, &u64)| {
        let growth = count.saturating_sub(before.get(name).copied().unwrap_or_default());
        (growth > 0).then_some((*name, growth))
    };
    let grown: BTreeMap<&str, u64> = after.iter().filter_map(grown).collect();
    if grown.is_empty() {
        return None;
    }
    let metrics: Vec<Value> = grown.keys().map(|name| json!({"Name": name, "Unit": "Count"})).collect();
    let mut line = Map::new();
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [["installation", "function"]], "Metrics": metrics}],
        }),
    );
    line.insert("installation".to_owned(), installation.into());
    line.insert("function".to_owned(), function.into());
    line.extend(grown.into_iter().map(|(name, growth)| (name.to_owned(), growth.into())));
    Some(Value::Object(line).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grew_is_told_and_nothing_else() {
        let before = BTreeMap::from([("steps_completed", 2), ("jobs_stale", 1)]);
        let after = BTreeMap::from([("steps_completed", 7), ("jobs_stale", 1), ("executions_completed", 1)]);
        let line = line("pawl", "step-executor", &before, &after, Timestamp::UNIX_EPOCH).expect("something grew");
        let told: Value = serde_json::from_str(&line).expect("a line is JSON");
        let metric = |name: &str| json!({"Name": name, "Unit": "Count"});
        let metrics = [metric("executions_completed"), metric("steps_completed")];
        assert_eq!(
            told,
            json!({
                "_aws": {
                    "Timestamp": 0,
                    "CloudWatchMetrics": [
                        {"Namespace": "Pawl", "Dimensions": [["installation", "function"]], "Metrics": metrics}
                    ],
                },
                "installation": "pawl",
                "function": "step-executor",
                "executions_completed": 1,
                "steps_completed": 5,
            })
        );
    }

    #[test]
    fn where_nothing_grew_there_is_no_line() {
        let counts = BTreeMap::from([("steps_completed", 2)]);
        assert_eq!(line("pawl", "api", &counts, &counts, Timestamp::UNIX_EPOCH), None);
    }
}
