//! Records with owners and tags that are put into the archive and taken out again, by steps and by people, and workflows that
//! listen for it.
//!
//! Only some worlds have them, and everything about them is chosen apart from all else. Archived records start nothing, so
//! outcomes depend on what overtakes what.

use pawl_engine::Subject;
use serde_json::{Value, json};

use super::{Action, Script, What};
use crate::chance::Chance;

/// How many seeds of a hundred have them, of those whose outcome may vary.
const SHARE: u32 = 30;

/// Gives some worlds steps and triggers about the archive, tags, owners and links, and people who write them.
pub(super) fn settle(seed: u64, script: &mut Script) {
    let chance = &Chance::new(seed, "archive");
    if script.confluent || !chance.percent(SHARE) {
        return;
    }
    for object in script.objects.iter_mut().filter(|object| object["object"] == "ticket") {
        object["relationships"]["others"] = json!({"object": "company", "many": true});
        object["relationships"]["last"] = json!({"object": "log"});
    }
    for workflow in script.workflows.iter_mut().filter(|workflow| workflow.get("object").is_some()) {
        listen(chance, workflow);
        act(chance, workflow);
    }
    for _ in 0..=chance.below(4) {
        let at = chance.millis(0, *chance.pick(&[20_000, 90_000, 2_000_000]));
        script.actions.push(Action { at, what: by_person(chance) });
    }
    script.actions.sort_by_key(|action| action.at);
}

fn listen(chance: &Chance, workflow: &mut Value) {
    let Some(triggers) = workflow["triggers"].as_array_mut() else { return };
    for trigger in [
        json!({"type": "tag_changed", "tag": "x", "change": chance.pick(&["added", "removed"])}),
        json!({"type": "owner_changed", "to": "not_blank"}),
        json!({"type": "stage_updated", "to": {"equals": "done"}, "on_create": chance.percent(30)}),
        json!({"type": "record_archived"}),
        json!({"id": "back", "type": "record_created", "include": ["unarchived"]}),
    ] {
        if chance.percent(40) {
            triggers.push(trigger);
        }
    }
}

/// Puts one to three steps among those of a workflow.
fn act(chance: &Chance, workflow: &mut Value) {
    let Some(steps) = workflow["steps"].as_array_mut() else { return };
    for number in 0..=chance.below(3) {
        let mut step = match chance.below(11) {
            0 => json!({"type": "change_tags", "add": ["x", "y"]}),
            1 => json!({"type": "change_tags", "add": "x", "remove": ["y"], "target": "record.others"}),
            2 => json!({"type": "archive_record"}),
            3 => json!({"type": "archive_record", "target": "record.company"}),
            4 => json!({"type": "unarchive_record", "target": chance.pick(&["record.company", "record.others"])}),
            5 => json!({"type": "unarchive_record"}),
            6 => json!({
                "type": "create_record", "object": "log", "link": "last", "owner": "ada@example.com",
                "fields": {"name": "shared log", "n": {"add": 1}},
                "on_duplicate": chance.pick(&["update", "use"]), "on_archived": chance.pick(&["overwrite", "unarchive", "suffix"]),
            }),
            7 => {
                json!({"type": "find_records", "object": "company", "any": [{"tags": {"contains": "x"}}, {"tier": "tin"}], "limit": "all"})
            }
            8 => {
                json!({"type": "find_records", "object": "ticket", "any": [{"archived_at": {"blank": false}}, {"kind": "a"}], "count": true})
            }
            9 => json!({"type": "link_records", "relationship": "others", "add": ["acme", "globex"], "remove": "acme"}),
            _ => json!({"type": "set_fields", "fields": {"owner": "ada@example.com", "tags": {"remove": "x"}}}),
        };
        step["id"] = json!(format!("archive-{number}"));
        step["on_failure"] = json!({"then": "continue"});
        let at = chance.below(steps.len() + 1);
        steps.insert(at, step);
    }
}

fn by_person(chance: &Chance) -> What {
    let (object, id) =
        *chance.pick(&[("ticket", "ticket-0"), ("ticket", "ticket-1"), ("company", "acme"), ("company", "globex")]);
    let subject = Subject { object: object.to_owned(), id: id.to_owned() };
    match chance.below(4) {
        0 => {
            let fields = json!({"tags": chance.pick(&[json!(["x"]), json!(["y", "x", "y"]), json!([])]), "owner": "bob@example.com"});
            What::Update { subject, fields: fields.as_object().cloned().unwrap_or_default() }
        }
        1 => What::Archive { subject, is_archived: false },
        _ => What::Archive { subject, is_archived: true },
    }
}
