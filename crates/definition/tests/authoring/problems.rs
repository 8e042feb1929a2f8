//! What authors are told of their mistakes: every one at once, where it stands, and what may help.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{check, objects, report};
use insta::assert_snapshot;
use pawl_definition::{Source, check_object, check_objects, check_workflow};

/// The problems of a workflow about tickets with these steps.
fn steps(steps: &str) -> String {
    let head = "workflow: w\nowner: ada@example.com\nobject: ticket\nsteps:\n";
    report(&check(&format!("{head}{steps}")).1)
}

#[test]
fn a_sound_file_has_no_problem() {
    let (workflow, problems) = check(include_str!("files/sound.workflow.yaml"));
    assert_eq!(report(&problems), "");
    assert_eq!(workflow.map(|workflow| workflow.all_steps().len()), Some(8));
}

#[test]
fn a_file_full_of_mistakes_is_told_all_of_them() {
    let (workflow, problems) = check(include_str!("files/mistakes.workflow.yaml"));
    assert_eq!(workflow, None);
    assert_eq!(report(&problems) + "\n", include_str!("files/mistakes.report.txt"));
}

#[test]
fn names_in_expressions_are_looked_up() {
    let problems = steps(
        r#"
  - id: a-b
    type: note
    text: |
      {{ record.emial }} and {{ record.company.nme }}, {{ record.comments.body }}
      {{ steps.a.output }} {{ steps["a-b"].ouput }}
  - {id: b, type: note, text: "{{ foo(1) }} {{ lowr('x') }} {{ 1 + }} {{ email }} {{ b.output }} {{ workflow.ownr }}"}
  - {id: c, type: note, text: "{{ [1].map(x, x + y) }} {{ string(1) == string }}"}
"#,
    );
    assert_snapshot!(problems, @r#"
    w.yaml:9:10: error[unknown_field] steps[0].text: object "ticket" has no field "emial"; it has email, labels, priority, score, title, comments, company, stage, owner, tags, id, object, created_at, updated_at and archived_at; did you mean "email"?
    w.yaml:9:33: error[unknown_field] steps[0].text: object "company" has no field "nme"; it has name, owner, tags, id, object, created_at, updated_at and archived_at; did you mean "name"?
    w.yaml:9:59: error[unknown_field] steps[0].text: `record.comments` is a list of records, it has no field "body"; take one, `record.comments[0].body`, or all, `record.comments.map(x, x.body)`
    w.yaml:10:10: error[unknown_step] steps[0].text: this workflow has no step "a"; write `steps["a-b"]`
    w.yaml:10:31: error[expression_unknown_name] steps[0].text: a step has output, status and error, found "ouput"; did you mean "output"?
    w.yaml:11:35: error[expression_unknown_name] steps[1].text: unknown function `foo`; the functions are base64, base64_decode, bool, business_days, bytes, contains, date, days, double, duration, dyn, endsWith, getDate, getDayOfMonth, getDayOfWeek, getDayOfYear, getFullYear, getHours, getMilliseconds, getMinutes, getMonth, getSeconds, hmac_sha256, in_group, in_zone, int, join, json, lookup, lower, matches, months, parse_json, replace, round, secret, sha256, size, split, startsWith, string, timestamp, trim, type, uint, upper, urlencode, blank, coalesce, has, all, exists, exists_one, map, filter
    w.yaml:11:48: error[expression_unknown_name] steps[1].text: unknown function `lowr`; did you mean `lower`?
    w.yaml:11:67: error[expression_syntax] steps[1].text: expected an expression (CEL), found a mistake in "1 +": unexpected end at column 4
    w.yaml:11:74: error[expression_unknown_name] steps[1].text: unknown name `email`; expected one of record, vars, trigger, steps, execution, workflow or now; did you mean `record.email`?
    w.yaml:11:86: error[expression_unknown_name] steps[1].text: unknown name `b`; expected one of record, vars, trigger, steps, execution, workflow or now; did you mean `steps.b`?
    w.yaml:11:101: error[expression_unknown_name] steps[1].text: `workflow` has id, name, owner and revision, found "ownr"; did you mean "owner"?
    w.yaml:12:50: error[expression_unknown_name] steps[2].text: unknown name `y`; expected one of record, vars, trigger, steps, execution, workflow or now
    w.yaml:12:59: error[expression_type] steps[2].text: `==` cannot stand between text and `string` (type)
    "#);
}

#[test]
fn fields_are_held_against_the_object() {
    let problems = steps(
        r"
  - {id: c, type: create_record, object: tickt}
  - {id: d, type: create_record, object: ticket, fields: {prioriy: low, priority: hih, tags: [a]}, link_back: parent}
  - {id: e, type: find_records, object: ticket, where: {score: {gt: 3, lte: x}, priority: {in: [low, x]}, titl: a}, order: -scor}
  - {id: f, type: set_fields, target: record.company, fields: {name: x, nam: y}}
  - {id: g, type: set_fields, fields: {created_at: x, score: {add: 1}, title: {add: 1}, stage: opn}}
  - {id: h, type: set_fields, target: '{{ vars.other }}', fields: {anything: goes}}
",
    );
    assert_snapshot!(problems, @r#"
    w.yaml:6:42: error[unknown_object] steps[0].object: expected an object that exists, found "tickt"; there are comment, company and ticket; did you mean "ticket"?
    w.yaml:7:58: error[missing_key] steps[1].fields: missing field "title": object "ticket" requires it
    w.yaml:7:59: error[unknown_field] steps[1].fields.prioriy: object "ticket" has no field "prioriy"; it has email, labels, priority, score, title, comments, company, stage, owner, tags, id, object, created_at, updated_at and archived_at; did you mean "priority"?
    w.yaml:7:83: error[invalid_value] steps[1].fields.priority: expected low, normal or high, found "hih"; did you mean "high"?
    w.yaml:7:111: error[unknown_relationship] steps[1].link_back: object "ticket" has no relationship "parent"; it has comments and company
    w.yaml:8:77: error[invalid_value] steps[2].where.score.lte: expected a number, found "x"
    w.yaml:8:102: error[invalid_value] steps[2].where.priority.in[1]: expected low, normal or high, found "x"
    w.yaml:8:107: error[unknown_field] steps[2].where.titl: object "ticket" has no field "titl"; it has email, labels, priority, score, title, comments, company, stage, owner, tags, id, object, created_at, updated_at and archived_at; did you mean "title"?
    w.yaml:8:117: error[unknown_field] steps[2].order: object "ticket" has no field "scor"; it has email, labels, priority, score, title, comments, company, stage, owner, tags, id, object, created_at, updated_at and archived_at; did you mean "score"?
    w.yaml:9:73: error[unknown_field] steps[3].fields.nam: object "company" has no field "nam"; it has name, owner, tags, id, object, created_at, updated_at and archived_at; did you mean "name"?
    w.yaml:10:40: error[not_allowed] steps[4].fields.created_at: "created_at" is set by the system and cannot be written
    w.yaml:10:85: error[not_allowed] steps[4].fields.title.add: expected a number or a list for `add`, found the field "title", which is neither
    w.yaml:10:96: error[invalid_value] steps[4].fields.stage: expected new, open or done, found "opn"; did you mean "open"?
    w.yaml:11:43: error[unknown_variable] steps[5].target: nothing sets a variable "other"
    "#);
}

#[test]
fn without_objects_their_schemas_are_not_checked_which_is_said() {
    let text =
        "workflow: w\nowner: a@b.c\nobject: x\nsteps: [{id: a, type: set_fields, fields: {any: '{{ record.thing }}'}}]";
    let source = Source::parse("w.yaml", text).expect("the text is YAML");
    let (workflow, problems) = check_workflow(&source, &BTreeMap::new());
    assert!(workflow.is_some());
    assert_snapshot!(report(&problems), @r#"w.yaml:3:9: warning[unknown_object] object: no object is known here, so that what is said of "x" is not checked"#);
}

#[test]
fn a_global_workflow_has_no_record() {
    let text = r#"
workflow: w
owner: a@b.c
triggers: [{type: record_created}]
steps:
  - {id: a, type: note, text: "{{ record.title }}"}
  - {id: b, type: set_fields, fields: {title: x}}
  - {id: c, type: create_record, object: ticket, fields: {title: x}, link_back: company}
"#;
    assert_snapshot!(report(&check(text).1), @r#"
    w.yaml:4:19: error[no_record] triggers[0].type: expected a workflow with an `object`, found a global one: this trigger is about a record
    w.yaml:6:35: error[no_record] steps[0].text: `record` does not exist here: this workflow is global, it runs against no record; add `object: <record type>` to the workflow
    w.yaml:7:5: error[no_record] steps[1]: expected a `target`, found none: this workflow is global and has no record of its own
    w.yaml:8:81: error[no_record] steps[2].link_back: expected a workflow with an `object`, found a global one: there is no record to link with
    "#);
}

#[test]
fn webhooks_say_how_they_are_verified_and_how_the_record_is_found() {
    let text = r"
workflow: w
owner: a@b.c
object: ticket
triggers:
  - {id: open, type: webhook}
  - {id: many, type: webhook, verify: none, record: {match: {email: trigger.body.a, title: trigger.body.b}}}
  - {id: slow, type: webhook, verify: {hmac: {secret: '{{ vars.key }}', header: x, tolerance: 5m}}, record: {match: {title: record.title}}}
  - {id: two, type: webhook, verify: {github: {secret: a}, stripe: {secret: b}}, record: {match: {emial: trigger.body.a}}}
  - {id: word, type: webhook, verify: githb, record: {match: {email: trigger.body.a}}}
steps: [{id: a, type: note, text: x}]
";
    assert_snapshot!(report(&check(text).1), @r#"
    w.yaml:6:5: warning[suspicious] triggers[0]: anyone who knows the URL of this webhook can call it; say how deliveries are verified, or `verify: none`
    w.yaml:6:5: warning[suspicious] triggers[0]: this workflow runs against "ticket", but without `record` its deliveries find none
    w.yaml:7:61: error[exactly_one] triggers[1].record.match: expected exactly one field to match by, found email and title
    w.yaml:7:92: warning[suspicious] triggers[1].record.match.title: "title" is not indexed: every delivery reads all records of "ticket"; add `unique: true` or `indexed: true` to the field
    w.yaml:8:55: error[invalid_value] triggers[2].verify.hmac.secret: expected the name of a secret, found "{{ vars.key }}"
    w.yaml:8:95: error[missing_key] triggers[2].verify.hmac.tolerance: expected `timestamp_header` beside `tolerance`, found none: a delivery's age cannot be told
    w.yaml:8:125: error[no_record] triggers[2].record.match.title: `record` does not exist here: this expression is what finds it
    w.yaml:9:38: error[exactly_one] triggers[3].verify: expected exactly one of the keys token, basic, hmac, github, stripe, slack, shopify or standard-webhooks, found github, stripe
    w.yaml:10:39: error[unknown_word] triggers[4].verify: expected none or a mapping with token, basic, hmac, github, stripe, slack, shopify or standard-webhooks, found "githb"
    "#);
}

#[test]
fn secrets_stand_only_in_requests() {
    let problems = steps(
        r#"
  - {id: a, type: http_request, url: "https://example.com/{{ secret('a') }}", headers: {x: "{{ secret('b') }}"}}
  - {id: b, type: note, text: "{{ secret('c') }}"}
  - {id: c, type: call_llm, model: a/b, prompt: "{{ secret('d') }}"}
"#,
    );
    assert_snapshot!(problems, @r#"
    w.yaml:7:35: error[expression_secret] steps[1].text: secret() is not allowed here: secrets stand only in the settings of http_request
    w.yaml:8:53: error[expression_secret] steps[2].prompt: secret() is not allowed here: secrets stand only in the settings of http_request
    "#);
}

#[test]
fn a_request_that_could_not_be_sent_is_known_before() {
    let problems = steps(
        r#"
  - {id: a, type: http_request, url: "example.com/{{ now }}", headers: {"bad header": x, Host: y}}
  - {id: b, type: http_request, method: POST, url: "https://x.example", headers: {x-a: "1\n2", X-A: "3"}, body: {}, form: {}}
  - {id: c, type: http_request, url: "https://x.example", form: {a: 1}}
  - id: d
    type: http_request
    method: POST
    url: "https://x.example/{{ now }}"
    headers: {content-type: application/x-www-form-urlencoded}
    body: "a={{ now }}"
"#,
    );
    assert_snapshot!(problems, @r#"
    w.yaml:6:38: error[invalid_value] steps[0].url: expected an absolute URL such as "https://example.com/path", found one that begins with "example.com/"
    w.yaml:6:87: error[invalid_value] steps[0].headers["bad header"]: expected a name of a header such as content-type, found "bad header"
    w.yaml:6:96: error[invalid_value] steps[0].headers.Host: the header `host` is set by pawl and cannot be given
    w.yaml:7:88: error[duplicate_key] steps[1].headers.x-a: the header `x-a` is given twice, in other letters
    w.yaml:7:123: error[exactly_one] steps[1].form: expected either body or form, found both
    w.yaml:8:65: warning[suspicious] steps[2].form: GET requests carry no body; did you mean `method: POST`?
    w.yaml:14:11: warning[suspicious] steps[3].body: values are put into this text as they are, so that a `&` or `+` in one ends it; did you mean `form: {name: value}`?
    "#);
}

#[test]
fn what_is_not_a_workflow_is_said_so() {
    for (text, expected) in [
        ("", "w.yaml: error[wrong_type] expected a mapping, found nothing"),
        ("- a", "w.yaml:1:1: error[wrong_type] expected a mapping, found a list"),
    ] {
        assert_eq!(report(&check(text).1), expected, "{text:?}");
    }
}

#[test]
fn objects_are_checked_too() {
    let text = r"
object: Ticket
fields:
  id: {type: text}
  Title: {type: text}
  kind: {type: option}
  size: {type: option, options: [s, m, s], default: l}
  name: {type: txt, uniqe: true}
  note: {type: text, options: [a], default: [x]}
stages: [new, ' ', new]
relationships:
  note: {object: company}
";
    let source = Source::parse("t.yaml", text).expect("the text is YAML");
    let (object, problems) = check_object(&source);
    assert_eq!(object, None);
    assert_snapshot!(report(&problems), @r#"
    t.yaml:2:9: error[invalid_id] object: expected a text of the form [a-z0-9_]{1,64}, found "Ticket"; did you mean "ticket"?
    t.yaml:4:3: error[not_allowed] fields.id: expected a name of your own, found "id", which every record has
    t.yaml:5:3: error[invalid_id] fields.Title: expected a name of the form [a-z_][a-z0-9_]*, found "Title"
    t.yaml:6:9: error[missing_key] fields.kind: expected `options` for a field of type option, found none
    t.yaml:7:40: error[duplicate_id] fields.size.options[2]: expected each option once, found "s" again
    t.yaml:7:53: error[invalid_value] fields.size.default: expected s, m or s, found "l"
    t.yaml:8:16: error[unknown_word] fields.name.type: expected text, number, boolean, date, datetime, uuid, phone, email, option, member, object, url, money or file, found "txt"; did you mean "text"?
    t.yaml:8:21: error[unknown_key] fields.name.uniqe: unknown key "uniqe"; expected one of default, indexed, many, name, options, required, type or unique; did you mean "unique"?
    t.yaml:9:22: error[not_allowed] fields.note.options: `options` belong to a field of type option
    t.yaml:9:45: error[invalid_value] fields.note.default: expected a text, found a list
    t.yaml:10:15: error[blank_value] stages[1]: expected the name of a stage, found an empty text
    t.yaml:10:20: error[duplicate_id] stages[2]: expected each stage once, found "new" again
    t.yaml:12:3: error[duplicate_id] relationships.note: expected each name once, found "note" among fields and relationships
    "#);
}

#[test]
fn relationships_lead_to_objects_that_exist() {
    let text = "object: a\nrelationships: {buyer: {object: compny}}";
    let source = Source::parse("a.yaml", text).expect("the text is YAML");
    let object = check_object(&source).0.expect("the object has no problem of its own");
    assert_snapshot!(report(&check_objects(&source, &object, &objects(), &BTreeSet::new())), @r#"a.yaml:2:33: error[unknown_object] relationships.buyer.object: expected an object that exists, found "compny"; there are comment, company and ticket; did you mean "company"?"#);
}

#[test]
fn problems_have_a_stable_form_as_data() {
    let problems = check("workflow: w\nowner: a@b.c\nstep: []\nsteps: []").1;
    let value = serde_json::to_value(&problems[0]).expect("a problem is data");
    assert_snapshot!(serde_json::to_string_pretty(&value).expect("a value is text"), @r#"
    {
      "code": "unknown_key",
      "column": 1,
      "file": "w.yaml",
      "line": 3,
      "message": "unknown key \"step\"; expected one of active, calendar, description, edits, labels, limits, name, object, on_failure, outcome, output, owner, priority, retention, steps, timezone, triggers, variables or workflow",
      "path": "step",
      "severity": "error",
      "suggestion": "did you mean \"steps\"?"
    }
    "#);
}

#[test]
fn keys_that_say_nothing_of_a_step_are_pointed_out() {
    let problems = steps(
        r#"
  - {id: a, type: note, text: a, timeout: 5s, delivery: at_most_once}
  - {id: b, type: delay, for: 1h, timeout: 5s}
  - {id: c, type: http_request, url: "https://x.example", timeout: 5s, delivery: at_most_once}
  - {id: d, type: goal, until: "true", timeout: 5d}
"#,
    );
    assert_snapshot!(problems, @r#"
    w.yaml:6:43: warning[suspicious] steps[0].timeout: "note" neither calls outside nor waits for an event: `timeout` says nothing here
    w.yaml:6:57: warning[suspicious] steps[0].delivery: "note" has no effects outside: `delivery` says nothing here
    w.yaml:7:44: warning[suspicious] steps[1].timeout: "delay" neither calls outside nor waits for an event: `timeout` says nothing here
    "#);
}

#[test]
fn a_record_variable_as_target_needs_its_object() {
    let head = "workflow: w\nowner: ada@example.com\nvariables: [{name: who, type: record}, {name: any, type: object}]\nsteps:\n";
    let steps = r#"
  - {id: a, type: set_fields, target: "{{ vars.who }}", fields: {name: x}}
  - {id: b, type: set_fields, target: "{{ vars.who }}", object: company, fields: {name: x}}
  - {id: c, type: set_fields, target: "{{ vars.any }}", fields: {name: x}}
"#;
    assert_snapshot!(report(&check(&format!("{head}{steps}")).1), @r#"
    w.yaml:6:5: error[missing_key] steps[0]: expected `object` beside `target`, found none: the target is an id, which does not say whose
    "#);
}

#[test]
fn a_state_machine_is_named_by_its_arn_and_waits_like_a_goal() {
    let machine = "arn:aws:states:eu-central-1:123456789012:stateMachine:Settle";
    let problems = steps(&format!(
        r#"
  - {{id: a, type: run_state_machine, state_machine: "{machine}", timeout: 30s}}
  - {{id: b, type: run_state_machine, state_machine: "{machine}:prod", wait: true, callback: true, timeout: never}}
  - {{id: c, type: run_state_machine, state_machine: "{{{{ vars.arn }}}}", wait: true, timeout: "{{{{ record.title }}}}"}}
  - {{id: d, type: run_state_machine, state_machine: Settle, timeout: never}}
  - {{id: e, type: run_state_machine, state_machine: "{machine}", input: [1], callback: true}}
  - {{id: f, type: run_state_machine, arn: "{machine}", wait: maybe}}
  - {{id: g, type: set_variables, values: {{arn: x}}}}
"#
    ));
    assert_snapshot!(problems, @r#"
    w.yaml:8:57: warning[suspicious] steps[2].state_machine: `vars.arn` is null here: nothing sets it on the way to this step
    w.yaml:9:53: error[invalid_value] steps[3].state_machine: expected the ARN of a state machine such as "arn:aws:states:eu-central-1:123456789012:stateMachine:Name", found "Settle"
    w.yaml:9:70: error[invalid_time] steps[3].timeout: expected a duration such as `30s`, longer than zero, found "never"
    w.yaml:10:124: error[invalid_value] steps[4].input: expected a mapping, which takes the token beside `callback: true`, found a list
    w.yaml:10:139: warning[suspicious] steps[4].callback: `callback` ends a wait before its time, and without `wait: true` there is none
    w.yaml:11:5: error[missing_key] steps[5]: missing key "state_machine": ARN of the state machine, of one of its versions or aliases
    w.yaml:11:38: error[unknown_key] steps[5].arn: unknown key "arn"; expected one of callback, delivery, id, input, name, on_failure, save_as, skip, state_machine, timeout, type or wait
    w.yaml:11:113: error[wrong_type] steps[5].wait: expected true or false, found "maybe"
    "#);
}

/// The order of fields is kept beside them, and would be told too.
#[test]
fn a_mistake_in_a_field_of_an_answer_is_one_problem() {
    let problems = steps(
        r"
  - id: ask
    type: call_llm
    model: default
    prompt: Why?
    min_confidence: 0.5
    output: {fields: {reason: {descripton: why}, kind: {}, confidence: {type: number}}}
  - {id: b, type: call_llm, model: default, prompt: Why?, output: {fields: {a: {}}, order: [b]}}
",
    );
    assert_snapshot!(problems, @r#"
    w.yaml:11:32: error[unknown_key] steps[0].output.fields.reason.descripton: unknown key "descripton"; expected one of description, many, optional, options or type; did you mean "description"?
    w.yaml:12:93: error[invalid_value] steps[1].output.order[0]: expected the name of one of the fields, found "b"
    "#);
}
