//! Why a workflow does not start on a record, for people.

use serde_json::Value;

use super::view::{inner, text};
use crate::table;
use crate::when::When;

/// Most characters of a filter or a reason in a table.
const MOST: usize = 60;

/// What stands between a record and a start: the state of the workflow, its triggers, what was refused.
pub(super) fn view(body: &Value, when: &When) -> String {
    let record = format!("{}/{}", inner(body, "record", "object"), inner(body, "record", "id"));
    let mut lines = vec![format!("{} on {record}", text(body, "workflow"))];
    if body["exists"] == false {
        lines.push(format!("  there is no record {record}"));
    }
    match text(body, "object") {
        object if object.is_empty() => lines.push("  the workflow runs on no record".to_owned()),
        object if object != inner(body, "record", "object") => {
            lines.push(format!("  the workflow runs on records of {object}"));
        }
        _ => {}
    }
    if body["active"] == false {
        lines.push("  it is inactive: no trigger starts it".to_owned());
    }
    for held in ["killed", "suspended"].into_iter().filter(|held| body.get(*held).is_some()) {
        let (actor, reason) = (inner(body, held, "actor"), inner(body, held, "reason"));
        lines.push(format!("  it is {held} by {actor}: {reason}"));
    }
    let triggers: Vec<_> = items(body, "triggers").map(|one| trigger(one, when)).collect();
    let refusals: Vec<_> = items(body, "refusals").map(|refusal| refused(refusal, when)).collect();
    let triggers = table::render(&["trigger", "type", "filter", "now"], &triggers);
    let refusals = if refusals.is_empty() {
        "no start on it was refused of late\n".to_owned()
    } else {
        table::render(&["refused", "trigger", "code", "why"], &refusals)
    };
    format!("{}\n\n{triggers}\n{}", lines.join("\n"), refusals.trim_end())
}

fn items<'v>(body: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    body.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn trigger(trigger: &Value, when: &When) -> Vec<String> {
    let now = match (trigger["enabled"] == false, trigger.get("passes").and_then(Value::as_bool)) {
        (true, _) => "switched off".to_owned(),
        (false, Some(true)) if trigger.get("fires_at").is_some() => {
            format!("fires {}", when.with_distance(&text(trigger, "fires_at")))
        }
        (false, Some(true)) => "passes".to_owned(),
        (false, Some(false)) => "refuses".to_owned(),
        (false, None) => format!("depends on the event: {}", text(trigger, "error")),
    };
    let filter = table::cut(&text(trigger, "filter"), MOST);
    vec![text(trigger, "id"), text(trigger, "type"), filter, table::cut(&now, MOST)]
}

fn refused(refusal: &Value, when: &When) -> Vec<String> {
    let why = table::cut(&text(refusal, "message"), MOST);
    vec![when.local(&text(refusal, "last_at")), text(refusal, "trigger"), text(refusal, "code"), why]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn people_see_the_state_the_filters_and_the_refusals() {
        let body = json!({
            "workflow": "large", "record": {"object": "order", "id": "o1"}, "exists": true, "active": false, "object": "order",
            "triggers": [
                {"id": "made", "type": "record_created", "enabled": true, "filter": "record.total > 100", "passes": false},
                {"id": "in", "type": "webhook", "enabled": true, "filter": "trigger.body.sure", "error": "no body"},
                {"id": "over", "type": "date", "enabled": true, "passes": true, "fires_at": "2027-03-01T09:00:00Z"},
            ],
            "refusals": [],
        });
        let now = "2027-02-28T09:00:00Z".parse().expect("a constant time is one");
        let told = view(&body, &When { now, zone: jiff::tz::TimeZone::UTC });
        assert_eq!(
            told,
            "large on order/o1\n  it is inactive: no trigger starts it\n\n\
             TRIGGER  TYPE            FILTER              NOW\n\
             ───────  ──────────────  ──────────────────  ──────────────────────────────────\n\
             made     record_created  record.total > 100  refuses\n\
             in       webhook         trigger.body.sure   depends on the event: no body\n\
             over     date                                fires 2027-03-01 09:00:00 (in 1 d)\n\n\
             no start on it was refused of late"
        );
    }
}
