//! The runner of `*.cases.yaml`: what it refuses, and how it tells a difference.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pawl_testkit::cases::{CaseReport, Files, cases_schema, run_file};
use serde_json::{Value, json};

/// Files by path.
struct Texts(BTreeMap<PathBuf, String>);

impl Files for Texts {
    fn read(&self, path: &Path) -> Result<String, String> {
        self.0.get(path).cloned().ok_or_else(|| "there is no such file".to_owned())
    }

    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>, String> {
        Ok(self.0.keys().filter(|path| path.parent() == Some(folder)).cloned().collect())
    }
}

const WORKFLOW: &str = "
workflow: greet
owner: owner@example.com
object: person
triggers: [{id: hook, type: webhook, verify: {github: {secret: s}}, record: {match: {name: trigger.body.name}, create: true}}]
variables: [{name: word, type: text, default: Hello}]
steps:
  - {id: nap, type: delay, for: 30d}
  - id: polite
    type: condition
    if: vars.word == 'Hello'
    yes: [{id: say, type: http_request, method: POST, url: 'https://say.example/{{ record.name }}', body: {word: '{{ vars.word }}'}, on_failure: {then: continue}}]
    no: [{id: mutter, type: note, text: nothing}]
";

const PERSON: &str = "object: person\nfields: {name: {type: text, unique: true}, greeted: {type: boolean}}\n";

/// Runs the cases of a text beside the workflow.
fn run(cases: &str) -> CaseReport {
    let texts = [("d/greet.workflow.yaml", WORKFLOW), ("d/person.object.yaml", PERSON), ("d/greet.cases.yaml", cases)];
    let texts = texts.map(|(path, text)| (PathBuf::from(path), text.to_owned()));
    run_file(Path::new("d/greet.cases.yaml"), &Texts(BTreeMap::from(texts)))
}

#[test]
fn what_passes_is_told_in_a_line() {
    let report = run("
cases:
  - name: a person is greeted
    event: {webhook: {body: {name: Ada}}}
    http: [{when: {url: 'https://say.example/*'}, answer: {body: {heard: true}}}]
    expect:
      status: completed
      path: [nap, 'polite:yes', say]
      calls: [{url: https://say.example/Ada, body: {word: Hello}}]
");
    assert!(report.passed());
    assert_eq!(report.cases[0].path, ["nap", "polite:yes", "say"]);
    insta::assert_snapshot!(report, @r"
    d/greet.cases.yaml
      ok    a person is greeted (30d of virtual time)
      all 1 cases passed
    ");
}

#[test]
fn a_difference_of_the_path_is_told_step_by_step() {
    let report = run("
cases:
  - name: a person is muttered at
    event: {webhook: {body: {name: Ada}}}
    http: [{fail: refused}]
    expect:
      status: waiting
      path: [nap, 'polite:no', mutter]
      variables: {word: Bye}
      records: {person: [{name: Ada, greeted: true}]}
      calls: []
      failed_steps: []
");
    insta::assert_snapshot!(report, @r#"
    d/greet.cases.yaml
      FAIL  a person is muttered at (30d of virtual time)
            the path differs (- expected, + taken):
                nap
              - polite:no
              - mutter
              + polite:yes  +30d
              + say:failed  +30d  http_refused: the address is private
            expected the status waiting, found completed
            expected the variable word to be "Bye", found "Hello"
            expected the failed steps [], found ["say"]
            the records of person differ (- expected, + found):
              - {"greeted":true,"name":"Ada"}
              + {"id":"rec_b513db300eb18604ad1c0dd5eb078147","name":"Ada"}
            the calls differ (- expected, + made):
              + POST https://say.example/Ada {"word":"Hello"}
      1 of 1 cases failed
    "#);
}

#[test]
fn a_call_that_nothing_answers_fails_the_case() {
    let report = run("
cases:
  - name: nobody answers
    event: {webhook: {body: {name: Ada}}}
    expect: {status: completed}
");
    insta::assert_snapshot!(report, @r"
    d/greet.cases.yaml
      FAIL  nobody answers (30d of virtual time)
            no answer is scripted for the call POST https://say.example/Ada
      1 of 1 cases failed
    ");
}

#[test]
fn a_start_that_is_refused_is_told() {
    let report = run("
cases:
  - name: no name
    event: {webhook: {body: {name: ''}}}
    expect: {status: completed}
  - name: no name, as expected
    event: {webhook: {body: {name: ''}}}
    expect: {refused: blank_match}
  - name: no such record
    event: {field_updated: {record: person, fields: {greeted: true}}}
    expect: {began: false}
");
    insta::assert_snapshot!(report, @r#"
    d/greet.cases.yaml
      FAIL  no name (0s of virtual time)
            blank_match: answered 422 Unprocessable Entity: record.match.name: expected a value by which a record of "person" is found, found a blank one
      ok    no name, as expected (0s of virtual time)
      FAIL  no such record (0s of virtual time)
            impossible: expected one record of person, or <object>/<id>, found 0 records
      2 of 3 cases failed
    "#);
}

#[test]
fn every_mistake_of_the_file_is_told_with_its_place() {
    let report = run("
now: yesterday
cases:
  - name: a
    evnt: {manual: {}}
    expect: {stauts: completed}
  - name: b
    event: {manual: {}}
    http: [{when: {methd: GET}}]
    then: [{after: soon}]
    expect: {status: done}
");
    insta::assert_snapshot!(report, @r#"
    d/greet.cases.yaml
      d/greet.cases.yaml:4:5: error[missing_key] cases[0]: expected the key "event", which is absent
      d/greet.cases.yaml:5:11: error[unknown_key] cases[0].evnt: unknown key "evnt"; expected one of children, event, expect, http, look_after, models, name, now, open, records, secrets, signals, state_machines, then; did you mean "event"?
      d/greet.cases.yaml:6:22: error[unknown_key] cases[0].expect.stauts: unknown key "stauts"; expected one of began, calls, children, error, executions, failed_steps, lanes, notices, outcome, output, path, records, refused, state_machines, status, variables; did you mean "status"?
      d/greet.cases.yaml:9:27: error[unknown_key] cases[1].http[0].when.methd: unknown key "methd"; expected one of body, method, url; did you mean "method"?
      d/greet.cases.yaml:11:22: error[unknown_word] cases[1].expect.status: expected one of queued, running, waiting, paused, completed, canceled, failed, found "done"
      no case ran: 5 problems
    "#);
}

#[test]
fn what_the_shape_does_not_say_is_checked_too() {
    let report = run("
now: yesterday
cases:
  - name: a
    event: {}
    http: [{}]
    models: [{text: a, fail: timeout}]
    then: [{}, {after: soon}]
    expect: {}
  - name: a
    event: {manual: {}}
    expect: {}
");
    insta::assert_snapshot!(report, @r#"
    d/greet.cases.yaml
      d/greet.cases.yaml:2:6: error[invalid_time] now: expected a date and time such as 2026-03-02T09:00:00Z, found "yesterday"
      d/greet.cases.yaml:5:12: error[exactly_one] cases[0].event: expected exactly one of webhook, manual, record_created, field_updated, record_archived, record_unarchived, schedule, found 0
      d/greet.cases.yaml:6:12: error[exactly_one] cases[0].http[0]: expected either answer or fail
      d/greet.cases.yaml:7:14: error[exactly_one] cases[0].models[0]: expected exactly one of answer, text, fail
      d/greet.cases.yaml:8:12: error[exactly_one] cases[0].then[0]: expected one of webhook, manual, record_created, field_updated, record_archived, record_unarchived, schedule, signal, control, or a time to pass, found 0
      d/greet.cases.yaml:8:24: error[invalid_time] cases[0].then[1].after: expected a span such as 3d 2h, found "soon"
      d/greet.cases.yaml:10:11: error[duplicate_id] cases[1].name: the name "a" is used twice
      no case ran: 7 problems
    "#);
}

#[test]
fn a_mistake_of_the_workflow_is_told_instead_of_running() {
    let texts = [
        ("w.workflow.yaml", "workflow: w\nowner: o@example.com\nsteps: [{id: a, type: nap}]\n"),
        ("w.cases.yaml", "cases: []"),
    ];
    let texts = texts.map(|(path, text)| (PathBuf::from(path), text.to_owned()));
    let report = run_file(Path::new("w.cases.yaml"), &Texts(BTreeMap::from(texts)));
    assert!(!report.passed());
    assert_eq!(report.problems[0].code, "unknown_type");
    assert_eq!(report.problems[0].file, "w.workflow.yaml");
}

#[test]
fn the_schema_for_editors_knows_words_and_keys() {
    let schema: Value = serde_json::from_str(cases_schema()).expect("a schema is JSON");
    let case = &schema["properties"]["cases"]["items"];
    assert_eq!(case["additionalProperties"], json!(false));
    assert_eq!(case["required"], json!(["name", "event", "expect"]));
    let status = &case["properties"]["expect"]["properties"]["status"];
    assert_eq!(status["enum"], json!(["queued", "running", "waiting", "paused", "completed", "canceled", "failed"]));
    assert!(status["description"].is_string());
}

/// Runs the cases of a text beside a workflow that calls: `steps`, started by hand or by a webhook.
fn run_calls(steps: &str, cases: &str) -> CaseReport {
    let workflow = format!(
        "workflow: w\nowner: a@example.com\nactive: true\ntriggers: [{{id: in, type: webhook, verify: none}}]\nsteps:\n{steps}\n  - {{id: done, type: stop, reason: done}}\n"
    );
    let texts = [("d/w.workflow.yaml", workflow.as_str()), ("d/w.cases.yaml", cases)];
    let texts = texts.map(|(path, text)| (PathBuf::from(path), text.to_owned()));
    run_file(Path::new("d/w.cases.yaml"), &Texts(BTreeMap::from(texts)))
}

/// `pawl test` passed what every call refused.
#[test]
fn what_cannot_be_sent_fails_a_case_as_it_fails_a_call() {
    let cases = "
http: [{answer: {status: 200}}]
cases:
  - {name: a header of two lines, event: {webhook: {body: {x: \"a\\r\\nb: c\"}}}, expect: {status: completed}}
";
    let step = "  - {id: call, type: http_request, url: 'https://x.example/', headers: {x-note: '{{ trigger.body.x }}'}, on_failure: {then: fail}}";
    let report = run_calls(step, cases);
    let difference = report.cases[0].difference.as_deref().unwrap_or_default();
    assert!(
        difference.contains("http_invalid: expected one line without control characters in the header `x-note`"),
        "{difference}"
    );
    let step = "  - {id: call, type: http_request, method: POST, url: 'https://x.example/', headers: {bad header: x}}";
    let report = run_calls(step, cases);
    let problem = report.problems.first().expect("the check knows it already");
    assert_eq!(problem.message, "expected a name of a header such as content-type, found \"bad header\"");
}

#[test]
fn calls_are_expected_as_they_are_sent() {
    let step = "  - {id: get, type: http_request, url: 'https://api.example.com/v1/customers/{{ trigger.body.id }}', headers: {authorization: 'Bearer {{ secret(\"api\") }}'}}";
    let report = run_calls(
        step,
        "
secrets: {api: k-1}
http: [{when: {url: 'https://api.example.com/*'}, answer: {status: 200, body: {}}}]
cases:
  - name: text of a stranger stays one segment of the path
    event: {webhook: {body: {id: '../../admin/keys?all=1#'}}}
    expect:
      calls: [{url: 'https://api.example.com/v1/customers/..%2F..%2Fadmin%2Fkeys%3Fall%3D1%23'}]
",
    );
    assert!(report.passed(), "{report}");
}

#[test]
fn a_call_that_nothing_answers_tells_what_is_near() {
    let step =
        "  - {id: get, type: http_request, url: 'https://a.example/items', query: {page: 2}, on_failure: {then: fail}}";
    let report = run_calls(
        step,
        "
http: [{when: {url: 'https://a.example/items?page=1'}, answer: {}}]
cases:
  - {name: another page, event: {webhook: {body: {}}}, expect: {status: failed}}
",
    );
    let difference = report.cases[0].difference.as_deref().unwrap_or_default();
    assert_eq!(
        difference,
        "no answer is scripted for the call GET https://a.example/items?page=2; the answer for \
         https://a.example/items?page=1 is for another query"
    );
}

const TWICE: &str = "
http: [{when: {url: 'https://x.example/1'}, answer: {}}, {when: {url: 'https://x.example/2'}, answer: {status: 400}}]
cases:
  - name: two
    event: {webhook: {body: {n: 1}}}
    then: [{webhook: {body: {n: 2}}}]
    expect: ";

/// Once only the last execution was looked at.
#[test]
fn every_execution_of_a_case_is_held_against_what_is_expected() {
    let step =
        "  - {id: call, type: http_request, url: 'https://x.example/{{ trigger.body.n }}', on_failure: {then: fail}}";
    let expect = |expected: &str| run_calls(step, &format!("{TWICE}{expected}\n"));
    let difference = expect("{status: failed}").cases[0].difference.clone().unwrap_or_default();
    assert_eq!(
        difference,
        "execution 1 of 2: expected the status failed, found completed\n2 executions began, and each is held against \
         what is expected; `executions` says it of each"
    );
    let each = "{executions: [{status: completed, path: [call, done]}, {error: http_status, path: ['call:failed']}]}";
    assert!(expect(each).passed(), "{}", expect(each));
    let difference = expect("{executions: [{status: completed}]}").cases[0].difference.clone().unwrap_or_default();
    assert_eq!(difference, "expected 1 execution, found 2");
    let problems = expect("{status: completed, executions: [{status: completed}]}").problems;
    assert_eq!(problems[0].code, "exactly_one");
}

/// Fault 04, and that a case can tell of an answer that was cut off or not counted.
#[test]
fn what_a_model_answers_is_read_as_live() {
    const ASK: &str = "
workflow: ask
owner: owner@example.com
limits: {budget: {tokens: 300}}
on_failure: {then: continue, notify: none}
steps:
  - {id: kind, type: call_llm, model: default, prompt: Bug?, output: {fields: {kind: {options: [bug, question]}}}, save_as: kind}
  - {id: letter, type: call_llm, model: default, prompt: Write.}
";
    const CASES: &str = "
cases:
  - name: the answer stands behind the thinking, and a letter that was cut off is none
    models:
      - {text: '<think>First: {\"kind\": \"question\"}. But it crashes, so no.</think>{\"kind\": \"Bug\"}'}
      - {text: Dear Ada, finish_reason: length}
    event: {manual: {}}
    expect: {path: [kind, 'letter:failed'], variables: {kind: {kind: bug}}, failed_steps: [letter]}
  - name: what a provider does not count is estimated
    models: [{answer: {kind: bug}, usage: null}, {text: Dear Ada}]
    event: {manual: {}}
    expect: {path: [kind, letter]}
  - name: what it counts uses up the budget
    models: [{answer: {kind: bug}, usage: {prompt_tokens: 299.0, completion_tokens: '1'}}]
    event: {manual: {}}
    expect: {path: [kind, 'letter:failed']}
";
    let texts = [("d/ask.workflow.yaml", ASK), ("d/ask.cases.yaml", CASES)];
    let texts = texts.map(|(path, text)| (PathBuf::from(path), text.to_owned()));
    let report = run_file(Path::new("d/ask.cases.yaml"), &Texts(BTreeMap::from(texts)));
    assert!(report.passed(), "{report}");
}

/// Runs the cases of a text beside a workflow and an object.
fn run_beside(workflow: &str, object: &str, cases: &str) -> CaseReport {
    let texts = [("d/w.workflow.yaml", workflow), ("d/o.object.yaml", object), ("d/w.cases.yaml", cases)];
    let texts = texts.into_iter().filter(|(_, text)| !text.is_empty());
    let texts = texts.map(|(path, text)| (PathBuf::from(path), text.to_owned()));
    run_file(Path::new("d/w.cases.yaml"), &Texts(texts.collect()))
}

/// Fault 26: a default of a text lost its digits.
#[test]
fn a_text_is_what_stands_in_the_file() {
    let workflow = "
workflow: w
owner: a@example.com
object: order
variables:
  - {name: zip, type: text, default: 01234}
  - {name: phone, type: text, default: +4930123}
  - {name: version, type: text, default: 1.10}
  - {name: account, type: text, default: 123456789012345678901234567890}
  - {name: given, type: text}
steps: [{id: set, type: set_fields, fields: {version: 2.0, zip: 00501}}]
";
    let object =
        "object: order\nfields: {zip: {type: text}, version: {type: text}, old: {type: text}, price: {type: number}}\n";
    let report = run_beside(
        workflow,
        object,
        "
cases:
  - name: digits are kept
    records: [{object: order, id: a, fields: {old: 1.50, price: 1.50}}]
    event: {manual: {record: order, values: {given: 3.10}}}
    expect:
      variables: {zip: 01234, phone: +4930123, version: 1.10, account: 123456789012345678901234567890, given: 3.10}
      records: {order: [{version: '2.0', zip: '00501', old: '1.50', price: 1.5}]}
",
    );
    assert!(report.passed(), "{report}");
}

/// Fault 18: one number was written in two ways.
#[test]
fn a_number_is_written_in_one_way_and_keeps_its_digits() {
    let workflow = "
workflow: w
owner: a@example.com
triggers: [{id: in, type: webhook, verify: none}]
steps:
  - {id: t, type: set_variables, values: {a: 'EUR {{ double(trigger.body.price) }}', b: \"{{ 'EUR ' + string(double(trigger.body.price)) }}\", c: 'wei {{ trigger.body.wei }}', d: '{{ [trigger.body.half, trigger.body.one].join(\"/\") }}'}}
  - {id: call, type: http_request, method: POST, url: 'https://a.example', body: {one: '{{ trigger.body.one }}', all: '{{ json(trigger.body) }}'}}
";
    let report = run_beside(
        workflow,
        "",
        "
cases:
  - name: one way
    event: {webhook: {body: {price: '59.00', wei: 18446744073709551615, one: 1.0, half: 0.50}}}
    http: [{answer: {status: 204}}]
    expect:
      status: completed
      variables: {a: EUR 59, b: EUR 59, c: wei 18446744073709551615, d: 0.5/1}
      calls: [{body: {one: 1, all: '{\"half\":0.5,\"one\":1,\"price\":\"59.00\",\"wei\":18446744073709551615}'}}]
",
    );
    assert!(report.passed(), "{report}");
}

/// Fault 07, as a case tells it.
/// The shape of the file was checked before its numbers were texts where texts are wanted.
#[test]
fn bug_a_number_in_a_header_that_a_case_expects_was_refused() {
    let step = "  - {id: a, type: http_request, url: 'https://a.example', query: {v: 1.10}, headers: {x-v: 1.10}}";
    let cases = "http: [{when: {url: 'https://a.example/*'}, answer: {status: 200, headers: {x-n: 2.0}}}]
cases:
  - name: a
    event: {webhook: {body: {}}}
    expect: {status: completed, calls: [{headers: {x-v: 1.10}}]}
";
    let report = run_calls(step, cases);
    assert!(report.passed(), "{report}");
    let large = cases.replace("expect: {", "expect: {variables: {n: 99999999999999999999}, ");
    let report = run_calls(step, &large).to_string();
    assert!(report.contains("number_out_of_range") && report.contains("quote it if it is a text"), "{report}");
}

#[test]
fn what_is_expected_is_met_by_equal_numbers_only() {
    let workflow = "workflow: w\nowner: a@example.com\nvariables: [{name: n, type: number, default: 9007199254740993}]\nsteps: [{id: a, type: note, text: x}]\n";
    let of = |expected: &str| {
        run_beside(
            workflow,
            "",
            &format!("cases: [{{name: n, event: {{manual: {{}}}}, expect: {{variables: {{n: {expected}}}}}}}]"),
        )
        .passed()
    };
    assert!(of("9007199254740993"));
    assert!(!of("9007199254740992") && !of("9007199254740992.0"));
}

/// A webhook in a goal's `on` could not be tested: its signature was not taken as right.
#[test]
fn a_case_delivers_to_the_webhook_of_a_goal() {
    let goal = "{id: paid, type: webhook, verify: {github: {secret: s}}}";
    let wait = format!("{{id: wait, type: goal, on: [{goal}], timeout: 1d, met: [{{id: y, type: note, text: y}}]}}");
    let workflow = format!(
        "workflow: pay\nowner: o@example.com\ntriggers: [{{id: in, type: webhook}}]\nsteps:\n  - {{id: c, type: condition, if: 'true', yes: [{wait}]}}\n"
    );
    let cases = "
cases:
  - name: paid by the webhook of the goal
    event: {webhook: {body: {a: 1}}}
    then: [{after: 1h, webhook: {trigger: paid, body: {b: 1}}}]
    expect: {status: completed, path: ['c:yes', 'wait:met', y]}
";
    let texts = [("d/pay.workflow.yaml", workflow.as_str()), ("d/pay.cases.yaml", cases)];
    let texts = texts.map(|(path, text)| (PathBuf::from(path), text.to_owned()));
    let report = run_file(Path::new("d/pay.cases.yaml"), &Texts(BTreeMap::from(texts)));
    assert!(report.passed(), "{report}");
}

/// A case looks at what happened after any time, also beyond the retention.
#[test]
fn an_execution_does_not_expire_in_a_case() {
    let workflow = "
workflow: greet
owner: owner@example.com
object: person
retention: 7d
triggers: [{id: hook, type: webhook, verify: none, record: {match: {name: trigger.body.name}, create: true}}]
steps: [{id: say, type: note, text: hello}]
";
    let report = run_beside(
        workflow,
        PERSON,
        "
cases:
  - name: long after
    event: {webhook: {body: {name: Ada}}}
    look_after: 60d
    expect: {status: completed, path: [say]}
",
    );
    assert!(report.passed(), "{report}");
}

const CONTROLS: &str = "
workflow: clear
owner: owner@example.com
object: person
steps:
  - {id: act, type: control_workflow, workflows: [greet], do: cancel, reason: they answered}
";

/// Runs the cases of a text beside a workflow that cancels greetings.
fn run_controls(cases: &str) -> CaseReport {
    let texts = [
        ("d/greet.workflow.yaml", WORKFLOW),
        ("d/clear.workflow.yaml", CONTROLS),
        ("d/person.object.yaml", PERSON),
        ("d/clear.cases.yaml", cases),
    ];
    let texts = texts.map(|(path, text)| (PathBuf::from(path), text.to_owned()));
    run_file(Path::new("d/clear.cases.yaml"), &Texts(BTreeMap::from(texts)))
}

#[test]
fn executions_are_open_before_a_case_and_it_says_what_is_controlled() {
    let report = run_controls(
        "
workflow: clear.workflow.yaml
records: [{object: person, id: ada, fields: {name: Ada}}, {object: person, id: bob, fields: {name: Bob}}]
cases:
  - name: one that waits is canceled, and another person's is not
    open: [{workflow: greet, record: person/ada}, {workflow: greet, record: person/bob}]
    event: {manual: {record: person/ada}}
    look_after: 1h
    expect: {status: completed, children: {greet: [{status: canceled, path: ['nap:canceled']}, {status: waiting}]}}
  - name: a paused one is canceled as well
    open: [{workflow: greet, record: person/ada, paused: true, values: {word: Bye}}]
    event: {manual: {record: person/ada}}
    expect: {status: completed, children: {greet: [{status: canceled, variables: {word: Bye}}]}}
  - name: without any there is nothing to cancel
    event: {manual: {record: person/ada}}
    expect: {status: completed, children: {greet: []}}
  - name: scripted ones are open as long as they take
    children: [{workflow: greet, takes: 3d}]
    open: [{workflow: greet, record: person/ada}]
    event: {manual: {record: person/ada}}
    expect: {children: {greet: [{status: canceled}]}}
",
    );
    assert!(report.passed(), "{report}");
}

#[test]
fn what_should_be_open_and_is_not_is_told() {
    let report = run_controls(
        "
workflow: clear.workflow.yaml
records: [{object: person, id: ada, fields: {name: Ada}}]
cases:
  - name: it ends at once
    children: [{workflow: greet}]
    open: [{workflow: greet, record: person/ada}]
    event: {manual: {record: person/ada}}
    expect: {status: completed}
",
    );
    let told = report.cases[0].difference.clone().expect("it fails");
    assert_eq!(
        told,
        "not_open: expected an execution of \"greet\" that is open before the event, found that it completed"
    );
    let report = run_controls(
        "
workflow: clear.workflow.yaml
cases:
  - name: it is no workflow of the case
    open: [{workflow: other}]
    event: {manual: {}}
    expect: {status: completed}
",
    );
    let told: Vec<_> = report.problems.iter().map(|problem| format!("{} {}", problem.code, problem.path)).collect();
    assert_eq!(told, ["unknown_workflow cases[0].open[0].workflow"]);
}
