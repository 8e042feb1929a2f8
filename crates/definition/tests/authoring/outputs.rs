//! What authors get from a sound file: the schema for their editor, the checklist, the picture.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::sound;
use insta::assert_snapshot;
use pawl_definition::{
    ChecklistItem, JsonSchema, SchemaBudget, Source, StepKind, TriggerKind, checklist, code, mermaid, object_schema,
    workflow_schema,
};
use serde_json::{Value, json};

const MODEL: &str = r#"
workflow: reply
owner: ada@example.com
on_failure: {notify: none}
steps:
  - {id: ask, type: call_llm, model: local/small, prompt: Spam?, save_as: answer, output: {fields: {spam: {type: boolean}, kind: {type: text}}}}
  - id: spam
    type: condition
    if: vars.answer.spam
    yes: [{id: end, type: stop, as: canceled}]
  - {id: post, type: http_request, method: POST, url: "https://example.com"}
  - {id: ask-again, type: call_llm, model: local/small, prompt: Which kind?}
  - id: kind
    type: switch
    name: 'Which "kind" | <b>?'
    on: vars.answer.kind
    cases:
      bug:
        - id: delete
          type: http_request
          method: DELETE
          url: https://example.com
          on_failure: {then: [{id: tell, type: note, text: failed}]}
      other: []
  - {id: heard, type: goal, on: [{id: hook, type: webhook, verify: none}]}
  - {id: again, type: note, text: again}
  - {id: back, type: go_to, step: again}
"#;

fn schema(text: &str) -> Value {
    serde_json::from_str(text).expect("a schema is JSON")
}

fn value(text: &str) -> Value {
    Source::parse("w.yaml", text).expect("the text is YAML").value
}

fn shown(items: &[ChecklistItem]) -> String {
    let line = |item: &ChecklistItem| {
        let status = serde_json::to_value(item.status).expect("a status is data");
        let step = item.step.as_ref().map_or_else(String::new, |step| format!(" [{step}]"));
        format!("{} {}{step}: {}", status.as_str().unwrap_or_default(), item.code, item.detail)
    };
    items.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_schemas_are_valid_and_complete() {
    for schema in [workflow_schema(), object_schema()].map(schema) {
        JsonSchema::ours(&schema).map(drop).expect("the schema is a JSON Schema");
        let text = schema.to_string();
        let named: BTreeSet<_> = text
            .match_indices("#/$defs/")
            .map(|(at, found)| {
                let rest = &text[at + found.len()..];
                &rest[..rest.find('"').expect("a reference ends")]
            })
            .collect();
        let defined = schema["$defs"].as_object().expect("there are definitions");
        assert_eq!(
            named,
            defined.keys().map(String::as_str).collect(),
            "each definition is used, each reference defined"
        );
    }
}

fn accepts(schema: &JsonSchema, value: &Value) -> bool {
    schema.accepts(value, &mut SchemaBudget::default()).expect("it costs little")
}

#[test]
fn the_schema_accepts_what_is_sound() {
    let validator = JsonSchema::ours(&schema(workflow_schema())).expect("the schema is valid");
    for text in [include_str!("files/sound.workflow.yaml"), MODEL] {
        let value = value(text);
        assert_eq!(validator.mismatches(&value, &mut SchemaBudget::default()), Ok(Vec::new()));
    }
    let validator = JsonSchema::ours(&schema(object_schema())).expect("the schema is valid");
    assert!(accepts(&validator, &value(include_str!("files/ticket.object.yaml"))));
}

#[test]
fn the_schema_refuses_unknown_keys_types_and_words_at_every_depth() {
    let validator = JsonSchema::ours(&schema(workflow_schema())).expect("the schema is valid");
    let step = |step: Value| json!({"workflow": "w", "owner": "a@b.c", "steps": [step]});
    let nested = |inner: Value| step(json!({"id": "a", "type": "condition", "if": "true", "yes": [inner]}));
    assert!(accepts(&validator, &nested(json!({"id": "n", "type": "note", "text": "x"}))));
    for wrong in [
        json!({"workflow": "w", "owner": "a@b.c", "steps": [], "step": []}),
        json!({"workflow": "W!", "owner": "a@b.c", "steps": []}),
        step(json!({"id": "a", "type": "agent"})),
        step(json!({"id": "a", "type": "note"})),
        nested(json!({"id": "n", "type": "note", "text": "x", "url": "y"})),
        nested(json!({"id": "n", "type": "stop", "as": "done"})),
        step(json!({"id": "a", "type": "note", "text": "x", "on_failure": {"then": [{"id": "b", "type": "nope"}]}})),
        json!({"workflow": "w", "owner": "a@b.c", "steps": [], "triggers": [{"type": "webhook", "verify": {"githb": {}}}]}),
    ] {
        assert!(!accepts(&validator, &wrong), "{wrong}");
    }
}

#[test]
fn the_schema_describes_every_key() {
    fn undescribed(schema: &Value, all: &Value, path: &str, into: &mut Vec<String>) {
        for (key, shape) in schema["properties"].as_object().into_iter().flatten() {
            let target = shape["$ref"].as_str().and_then(|name| all.pointer(name.strip_prefix('#')?));
            let described =
                shape["description"].is_string() || target.is_some_and(|target| target["description"].is_string());
            if !described && key != "type" {
                into.push(format!("{path}.{key}"));
            }
        }
    }
    let schema = schema(workflow_schema());
    let mut missing = Vec::new();
    undescribed(&schema, &schema, "workflow", &mut missing);
    for (name, shape) in schema["$defs"].as_object().expect("there are definitions") {
        undescribed(shape, &schema, name, &mut missing);
    }
    assert_eq!(missing, [""; 0]);
}

#[test]
fn the_checklist_names_what_is_missing_and_where() {
    assert_snapshot!(shown(&checklist(&sound(MODEL), false)), @r#"
    pass owner: ada@example.com
    pass outcome [heard]: "heard" names it
    fail model_output [ask-again]: declare its answer by `output: {fields: …}`
    fail guarded_action [delete]: nothing looks at the answer of "ask-again" before this request: put it in a condition on that answer
    pass failure_path: 4 steps
    fail wait_timeout [heard]: it waits for ever: add a `timeout` and `unmet` steps
    not_applicable tools_bounded: no step uses tools
    fail escalation: failures reach no person: `on_failure.notify` of the workflow is none
    fail loops_bounded [back]: it goes back to "again" without a wait or a decision: only `limits.visits` (100) ends it
    fail cases: add a `*.cases.yaml` file beside it
    "#);
}

#[test]
fn the_checklist_asks_of_a_state_machine_what_it_asks_of_a_goal_and_of_a_request() {
    let text = r#"
workflow: settle
owner: ada@example.com
on_failure: {then: pause}
steps:
  - {id: ask, type: call_llm, model: local/small, prompt: Settle?, output: {fields: {settle: {type: boolean}}}}
  - {id: fire, type: run_state_machine, state_machine: "arn:aws:states:eu-central-1:123456789012:stateMachine:A"}
  - {id: wait, type: run_state_machine, state_machine: "arn:aws:states:eu-central-1:123456789012:stateMachine:B", wait: true}
  - {id: again, type: go_to, step: fire}
"#;
    let items = checklist(&sound(text), true);
    let failing: Vec<_> = shown(&items).lines().filter(|line| line.starts_with("fail ")).map(str::to_owned).collect();
    assert_snapshot!(failing.join("\n"), @r#"
    fail outcome: say `outcome: {name, reached}`, add a `goal`, or end with a `stop` that gives a `reason`
    fail guarded_action [fire]: nothing looks at the answer of "ask" before this state machine: put it in a condition on that answer
    fail guarded_action [wait]: nothing looks at the answer of "ask" before this state machine: put it in a condition on that answer
    fail wait_timeout [wait]: it waits for ever: add a `timeout`
    "#);
}

#[test]
fn the_checklist_of_a_careful_workflow_passes() {
    let items = checklist(&sound(include_str!("files/sound.workflow.yaml")), true);
    assert_snapshot!(shown(&items), @r#"
    pass owner: ada@example.com
    pass outcome [answered]: "answered" names it
    not_applicable model_output: no step that it is about
    not_applicable guarded_action: no outside action follows a model step
    pass failure_path: 1 step
    pass wait_timeout: 1 step
    not_applicable tools_bounded: no step uses tools
    pass escalation: failures are told to the owner
    pass loops_bounded: each waits or decides, and `limits.visits` holds
    pass cases: run them by `pawl test`
    "#);
}

#[test]
fn the_picture_shows_branches_jumps_failures_and_where_they_rejoin() {
    assert_snapshot!(mermaid(&sound(MODEL)), @r#"
    flowchart TD
        t0[/"manual"/]
        s0[["call_llm<br/>ask"]]
        t0 --> s0
        s1{"condition<br/>spam"}
        s0 --> s1
        s2(["stop<br/>end"])
        s1 -->|"yes"| s2
        s3[["http_request<br/>post"]]
        s1 -->|"no"| s3
        s4[["call_llm<br/>ask-again"]]
        s3 --> s4
        s5{"switch<br/>Which #quot;kind#quot; #124; #lt;b#gt;?"}
        s4 --> s5
        s6[["http_request<br/>delete"]]
        s5 -->|"bug"| s6
        s7["note<br/>tell"]
        s6 -.->|"failed"| s7
        s8{{"goal<br/>heard"}}
        s6 --> s8
        s7 --> s8
        s5 -->|"other"| s8
        s5 -->|"default"| s8
        s9["note<br/>again"]
        s8 -->|"met"| s9
        s8 -->|"unmet"| s9
        s10(["go_to<br/>back"])
        s9 --> s10
        s10 -.-> s9
    "#);
}

#[test]
fn the_picture_shows_triggers() {
    assert_snapshot!(mermaid(&sound(include_str!("files/sound.workflow.yaml"))), @r#"
    flowchart TD
        t0[/"webhook<br/>github"/]
        t1[/"field_updated"/]
        s0{"condition<br/>urgent"}
        t0 --> s0
        t1 --> s0
        s1[["http_request<br/>call"]]
        s0 -->|"yes"| s1
        s2["set_fields<br/>mark"]
        s1 --> s2
        s3["note<br/>n"]
        s0 -->|"no"| s3
        s4{{"delay<br/>wait"}}
        s2 --> s4
        s3 --> s4
        s5{{"goal<br/>answered"}}
        s4 --> s5
        s6(["stop<br/>done"])
        s5 -->|"met"| s6
        s7(["go_to<br/>again"])
        s5 -->|"unmet"| s7
        s7 -.-> s4
    "#);
}

#[test]
fn the_picture_shows_lanes_and_loops() {
    let text = "
workflow: w
owner: ada@example.com
steps:
  - id: fork
    type: branch
    lanes: {a: [{id: x, type: note, text: x}], b: [{id: z, type: note, text: z}]}
  - {id: each, type: for_each, items: [1], do: [{id: y, type: note, text: y}]}
";
    assert_snapshot!(mermaid(&sound(text)), @r#"
    flowchart TD
        t0[/"manual"/]
        s0["branch<br/>fork"]
        t0 --> s0
        s1["note<br/>x"]
        s0 -->|"a"| s1
        s2["note<br/>z"]
        s0 -->|"b"| s2
        s3["for_each<br/>each"]
        s1 --> s3
        s2 --> s3
        s4["note<br/>y"]
        s3 -->|"each item"| s4
        s4 --> s3
        completed(["completed"])
        s3 --> completed
    "#);
}

/// A folder of the repository's documents.
fn docs(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(folder)
}

#[test]
fn the_language_document_marks_the_types_of_this_version() {
    let text = fs::read_to_string(docs("language.md")).expect("the file can be read");
    let marked = |tag: &&str| text.lines().any(|line| line.starts_with("| ✓ |") && line.contains(&format!("`{tag}`")));
    let unmarked: Vec<_> =
        StepKind::AVAILABLE.iter().chain(TriggerKind::AVAILABLE).filter(|tag| !marked(tag)).collect();
    assert_eq!(unmarked, [&"call_llm"], "call_llm is marked in section 10");
    assert!(text.contains("✓ `call_llm`"));
}

#[test]
fn every_code_has_a_page() {
    let folder = docs("errors");
    let missing: Vec<_> = code::ALL.iter().filter(|code| !folder.join(format!("{code}.md")).is_file()).collect();
    assert!(missing.is_empty(), "no page in docs/errors: {missing:?}");
}

#[test]
fn bug_a_condition_on_what_is_computed_from_an_answer_is_no_look_at_it() {
    let text = r#"
workflow: w
owner: ada@example.com
object: ticket
on_failure: {then: pause}
steps:
  - {id: ask-it, type: call_llm, model: local/small, prompt: Spam?, output: {fields: {spam: {type: boolean}, title: {type: text}}}}
  - id: first
    type: condition
    if: record.score > 3
    yes: [{id: take, type: set_variables, values: {spam: '{{ steps["ask-it"].output.spam }}'}}]
  - {id: again, type: set_variables, values: {sure: "{{ vars.spam == true }}"}}
  - {id: write, type: set_fields, fields: {title: '{{ steps["ask-it"].output.title }}'}}
  - {id: look, type: condition, if: VARIABLE, yes: [{id: act, type: http_request, method: POST, url: https://example.com/}]}
"#;
    let guarded = |condition: &str| {
        let items = checklist(&sound(&text.replace("VARIABLE", condition)), true);
        items.iter().any(|item| item.code == "guarded_action" && item.status == pawl_definition::ChecklistStatus::Pass)
    };
    assert!(guarded("vars.sure"), "it is computed from the answer in two steps");
    assert!(guarded("record.title == \"spam\""), "the answer was written there");
    assert!(!guarded("record.score > 5"), "it has nothing to do with the answer");
}
