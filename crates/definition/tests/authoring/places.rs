//! What is certain of places, steps and triggers before anything runs: what a place takes, what is never reached, what
//! never fires.

use crate::orders::told_of;

#[test]
fn places_say_what_they_take() {
    let told = told_of(
        r#"
variables:
  - {name: count, type: number, from: [record.labels, record.note], default: "{{ record.rush }}"}
  - {name: key, type: text, from: [record.customer, record.total]}
steps:
  - {id: g, type: goal, until: record.status, timeout: 1d}
  - {id: c, type: condition, if: record.total, yes: []}
  - {id: d, type: delay, until: record.total}
  - {id: d2, type: delay, for: "{{ record.rush }}"}
  - {id: h, type: http_request, url: https://example.com/, save_as: count}
  - {id: v, type: set_variables, values: {count: "{{ record.labels }}", other: "{{ record.labels }}"}}
  - {id: f, type: set_fields, fields: {status: "{{ steps.g.output }}", total: "{{ record.rush }}", labels: {add: "{{ record.total }}"}}}
  - {id: r, type: create_record, object: order, fields: {total: "{{ record.parts }}", status: "{{ record.status }}"}}
  - {id: q, type: find_records, object: order, where: {total: "{{ record.rush }}", status: {in: "{{ record.note }}"}}}
"#,
    );
    assert_eq!(
        told,
        [
            "wrong_type variables[0].from[0]: expected a number, found list",
            "wrong_type variables[0].default: expected a number, found boolean",
            "expression_type steps[0].until: expected true or false, found `record.status` (text); write a test, such as `record.status == \"new\"`",
            "expression_type steps[1].if: expected true or false, found `record.total` (number); write a test, such as `… == …` or `!blank(…)`",
            "expression_type steps[2].until: expected a date and time, found `record.total` (number)",
            "expression_type steps[3].for: expected a duration such as `2d 3h`, found `record.rush` (boolean)",
            "wrong_type steps[4].save_as: expected a number, found object",
            "wrong_type steps[5].values.count: expected a number, found list",
            "invalid_value steps[6].fields.status: expected new or paid, found met or unmet",
            "wrong_type steps[6].fields.total: expected a number, found boolean",
            "wrong_type steps[6].fields.labels.add: expected a or b or a list of them, found number",
            "wrong_type steps[7].fields.total: expected a number, found list",
            "wrong_type steps[8].where.total: expected a number, found boolean",
            "wrong_type steps[8].where.status.in: expected a list, found text",
        ]
    );
}

#[test]
fn a_target_is_records_of_a_known_object() {
    let told = told_of(
        r#"
steps:
  - {id: a, type: set_fields, target: record.parts, fields: {name: x}}
  - {id: b, type: find_records, object: part, save_as: found}
  - {id: c, type: set_fields, target: "{{ vars.found }}", fields: {name: x}}
  - {id: d, type: set_fields, target: "{{ vars.found[0] }}", fields: {nam: x}}
  - {id: e, type: set_fields, target: "{{ record.note }}", fields: {name: x}}
  - {id: f, type: set_fields, target: "{{ record.note }}", object: part, fields: {name: x}}
"#,
    );
    assert_eq!(
        told,
        [
            "unknown_field steps[3].fields.nam: object \"part\" has no field \"nam\"; it has count, name, owner, tags, id, object, created_at, updated_at and archived_at; did you mean \"name\"?",
            "missing_key steps[4]: expected `object` beside `target`, found none: the target is an id, which does not say whose",
        ]
    );
}

#[test]
fn steps_that_come_later_are_not_there_and_steps_behind_the_end_are_not_reached() {
    let told = told_of(
        r#"
steps:
  - {id: early, type: note, text: "{{ steps.end.status }} {{ vars.late }} {{ has(steps.end) }}"}
  - id: end
    type: condition
    if: record.rush
    yes: [{id: s1, type: stop, reason: a}, {id: behind, type: note, text: x}, {id: behind2, type: note, text: x}]
    no: [{id: s2, type: note, text: "{{ steps.s1.status }}"}, {id: j, type: go_to, step: last}]
  - {id: never, type: note, text: "x"}
  - {id: last, type: set_variables, values: {late: 1}}
  - {id: sw, type: switch, on: record.status, cases: {payed: [], "null": []}, default: []}
  - {id: sw2, type: switch, on: record.rush, cases: {"yes": []}}
"#,
    );
    assert_eq!(
        told,
        [
            "expression_missing_key steps[0].text: `steps.end` does not exist here: \"end\" comes later, or on another path",
            "warning suspicious steps[0].text: `vars.late` is null here: nothing sets it on the way to this step",
            "warning suspicious steps[0].text: `steps.end` does not exist here: \"end\" comes later, or on another path",
            "warning suspicious steps[1].yes[1]: this step is never reached: \"s1\" before it always goes elsewhere",
            "expression_missing_key steps[1].no[0].text: `steps.s1` does not exist here: \"s1\" comes later, or on another path",
            "warning suspicious steps[2]: this step is never reached: \"end\" before it always goes elsewhere",
            "invalid_value steps[4].cases.payed: this case is never taken: `record.status` (text) is new or paid, never \"payed\"; did you mean \"paid\"?",
            "invalid_value steps[5].cases.yes: this case is never taken: `record.rush` (boolean) is true or false, never \"yes\"",
        ]
    );
}

#[test]
fn what_a_loop_or_a_failure_brings_back_is_there() {
    let told = told_of(
        r#"
on_failure: {then: [{id: told, type: note, text: "{{ steps.b.error.message }}"}]}
steps:
  - {id: a, type: note, text: "{{ has(steps.b.output) ? 1 : 2 }} {{ steps.b.status }}"}
  - {id: b, type: set_variables, values: {n: "{{ coalesce(vars.n, 0) + 1 }}"}}
  - id: again
    type: condition
    if: vars.n < 3
    yes: [{id: back, type: go_to, step: a}]
    no: [{id: out, type: stop, as: paused}]
  - {id: after, type: note, text: "{{ steps.told.status }}"}
"#,
    );
    assert_eq!(told, [""; 0]);
}

#[test]
fn what_is_stored_is_json() {
    let told = told_of(
        r#"
steps:
  - {id: a, type: set_variables, values: {x: "{{ {'at': now, 'all': [now]} }}", y: "{{ now }}", z: "{{ duration('1h') }}"}}
  - {id: b, type: note, text: "{{ vars.x.at < '2026' && vars.x.all[0] < '2026' && vars.y < '2026' && vars.z == '1h' }}"}
  - {id: c, type: note, text: "{{ vars.y < now }}"}
"#,
    );
    assert_eq!(
        told,
        [
            "expression_type steps[2].text: `<` cannot stand between `vars.y` (text) and `now` (timestamp): write timestamp(…) or date(…) around the text"
        ]
    );
}

#[test]
fn a_source_may_lack_a_key_which_is_worth_a_look() {
    let told = told_of(
        "variables: [{name: a, type: text, from: [trigger.body.title, record.note]}]\nsteps: [{id: n, type: note, text: x}]",
    );
    assert_eq!(
        told,
        [
            "warning suspicious variables[0].from[0]: `trigger` has actor, id, occurred_at, type and values, found \"body\""
        ]
    );
}

#[test]
fn triggers_that_never_fire_are_told() {
    let told = told_of(
        r#"
triggers:
  - {id: a, type: field_updated, field: status, from: {equals: new}, to: {equals: new}}
  - {id: b, type: field_updated, field: status, to: {equals: payed}}
  - {id: c, type: field_updated, field: status, to: {added: paid}}
  - {id: d, type: field_updated, field: total, to: {between: [5, 1]}}
  - {id: e, type: field_updated, field: total, to: {in: []}}
  - {id: f, type: record_created, include: []}
  - {id: g, type: field_updated, field: status, filter: trigger.changes.status.to == "payed"}
  - {id: h, type: field_updated, field: status, filter: record.total}
  - {id: i, type: webhook, verify: none, record: {match: {id: record.note}}, values: {x: execution.id, y: record.note}}
steps: []
"#,
    );
    assert_eq!(
        told,
        [
            "invalid_value triggers[0].to: this trigger never fires: a change is from one value to another, found the same twice",
            "invalid_value triggers[1].to.equals: expected new or paid, found \"payed\"; did you mean \"paid\"?",
            "not_allowed triggers[2].to: this trigger never fires: expected a field that is a list, found one that is not",
            "invalid_value triggers[3].to.between: this trigger never fires: expected the least value first, found it last",
            "invalid_value triggers[4].to.in: this trigger never fires: expected at least one value, found an empty list",
            "invalid_value triggers[5].include: this trigger never fires: expected created or unarchived, found an empty list",
            "invalid_value triggers[6].filter: `trigger.changes.status.to` is new or paid, never \"payed\"; did you mean \"paid\"?",
            "expression_type triggers[7].filter: expected true or false, found `record.total` (number); write a test, such as `… == …` or `!blank(…)`",
            "no_record triggers[8].record.match.id: `record` does not exist here: this expression is what finds it",
            "expression_unknown_name triggers[8].values.x: `execution` does not exist here: a delivery is read before an execution starts",
            "no_record triggers[8].values.y: `record` does not exist here: a delivery is read before its record is found",
            "warning suspicious steps: a workflow without steps does nothing",
        ]
    );
}

#[test]
fn words_of_other_products_are_understood() {
    let told = told_of(
        r#"
steps:
  - {id: a, type: wait, days: 3}
  - {id: b, type: delay, days: 3}
  - {id: c, type: delay, for: {days: 3, hours: 2}}
  - {id: d, type: condition, if: record.rush, then: [], else: []}
  - {id: e, type: update_variable, values: {x: 1}}
  - {id: f, type: search_records, object: part}
  - {id: g, type: start_automation}
  - {id: h, type: loop}
  - {id: i, type: note, text: "{{ custom_objects.total }} {{ str(5) }} {{ [1, 2].total() }}", delivery: at_most_once, url: x}
  - {id: my-step, type: note, text: "{{ steps.my-step.output }}"}
  - {id: k, type: for_each, items: "{{ record.parts }}", do: [{id: kk, type: note, text: "{{ item.name }}"}]}
"#,
    );
    // Without the lists of what there is.
    let short = |told: &String| {
        let list = regex::Regex::new("; expected one of [^;]*|, business_days.*").expect("it is a pattern");
        list.replace(told, "").into_owned()
    };
    insta::assert_snapshot!(told.iter().map(short).collect::<Vec<_>>().join("\n"), @r#"
    unknown_type steps[0].type: unknown step type "wait"; did you mean "delay"?
    unknown_key steps[1].days: unknown key "days"; write `for: 3d`
    invalid_time steps[2].for: expected a duration such as `2d 3h`, found a mapping; write `3d 2h`
    unknown_key steps[3].then: unknown key "then"; did you mean "yes"?
    unknown_key steps[3].else: unknown key "else"; did you mean "no"?
    unknown_type steps[4].type: unknown step type "update_variable"; did you mean "set_variables"?
    unknown_type steps[5].type: unknown step type "search_records"; did you mean "find_records"?
    unknown_type steps[6].type: unknown step type "start_automation"; did you mean "start_workflow"?
    unknown_type steps[7].type: unknown step type "loop"; did you mean "for_each"?
    expression_unknown_name steps[8].text: unknown name `custom_objects`; did you mean "record"?
    expression_unknown_name steps[8].text: unknown function `str`; did you mean `string`?
    expression_unknown_name steps[8].text: unknown function `total`; the functions are base64, base64_decode, bool
    unknown_key steps[8].url: unknown key "url"; "url" belongs to http_request
    expression_syntax steps[9].text: `steps.my-step` is read as a subtraction, since `-` is no letter of a name; write `steps["my-step"].output`
    "#);
}

#[test]
fn an_expression_without_quotes_is_told_to_be_quoted() {
    for (line, expected) in [
        ("text: {{ now }}", "quote it: \"{{ now }}\""),
        (
            "if: [{\"a\": 1}].exists(l, l.a == 1) && {\"b\": 1}.b == 1",
            "a value that begins with `[` is read as a list: quote it, if: '[{\"a\": 1}].exists(l, l.a == 1) && {\"b\": 1}.b == 1'",
        ),
        ("text: \"{{ {\"a\": 1}.a }}\"", "a `\"` inside of double quotes ends the text: write '{{ {\"a\": 1}.a }}'"),
        (
            "if: {\"a\": 1}.a == 1",
            "a value that begins with `{` is read as a mapping: quote it, if: '{\"a\": 1}.a == 1'",
        ),
    ] {
        let told = told_of(&format!("steps:\n  - id: a\n    type: note\n    {line}\n    name: x\n"));
        assert!(told.iter().any(|told| told.ends_with(expected)), "{line}: {}", told.join("\n"));
    }
}

#[test]
fn a_list_takes_additions_and_removals_together() {
    let told = told_of(
        r#"
steps:
  - {id: a, type: set_fields, fields: {labels: {add: a, remove: [b]}, total: {add: 1, remove: 1}, note: {set: x, add: y}}}
  - {id: b, type: create_record, object: order, fields: {status: {set: "{{ record.note }}", map: {x: payed, "*": new}}, total: {add: 1}}}
"#,
    );
    assert_eq!(
        told,
        [
            "not_allowed steps[0].fields.total: expected either `add` or `remove`, found both: the field \"total\" is no list",
            "exactly_one steps[0].fields.note: expected exactly one of set, clear, add or remove (or add and remove of a list), found set and add",
            "not_allowed steps[0].fields.note.add: expected a number or a list for `add`, found the field \"note\", which is neither",
            "invalid_value steps[1].fields.status.map.x: expected new or paid, found \"payed\"; did you mean \"paid\"?",
        ]
    );
}

/// Check passed over URLs that no call can be sent to.
#[test]
fn bug_a_url_that_cannot_be_read_passed_the_check() {
    let of = |url: &str| told_of(&format!("steps: [{{id: h, type: http_request, url: '{url}'}}]")).join("; ");
    for (url, why) in [
        ("https://a.example:99999/", "invalid port number"),
        ("https://ex ample.com/", "invalid international domain name"),
        ("https://a.example:port/{{ record.note }}", "invalid port number"),
        ("http://256.0.0.1/", "invalid IPv4 address"),
    ] {
        let told = of(url);
        assert!(told.starts_with("invalid_value steps[0].url: expected a URL") && told.ends_with(why), "{url}: {told}");
    }
    for url in
        ["https://a.example", "https://a.example:{{ record.total }}/x", "http://[::1]:80/{{ record.note }}?q=1#x"]
    {
        assert_eq!(of(url), "", "{url}");
    }
}

/// A retention is long enough for what repeats a delivery, and says where it is not.
#[test]
fn a_retention_has_a_minimum_with_its_reason() {
    let told = |retention: &str| told_of(&format!("retention: {retention}\nsteps: [{{id: n, type: note, text: hi}}]"));
    let short = "invalid_time retention: expected at least 7d, found \"6d 23h\": a delivery that is repeated later would \
        start an execution again";
    assert_eq!(told("6d 23h"), [short]);
    assert_eq!(told("-9d"), ["invalid_time retention: expected a duration that is not negative, found \"-9d\""]);
    assert_eq!(told("soon").len(), 1);
    for enough in ["7d", "1w", "90d", "2y"] {
        assert_eq!(told(enough), Vec::<String>::new(), "{enough}");
    }
}

/// A negative time ran out before it began, and an option that stands twice is a mistake of writing.
#[test]
fn bug_negative_durations_and_repeated_options_passed_the_check() {
    let told = told_of(
        "limits: {cooldown: -5m, starts: {per: -1h, at_most: 1}}
steps:
  - {id: h, type: http_request, url: 'https://a.example', on_failure: {retry: {attempts: 1, first: -1s}}}
  - {id: l, type: call_llm, model: a/b, prompt: p, output: {fields: {a: {options: [x, y, x]}}}}",
    );
    let expected = [
        "invalid_time limits.cooldown: expected a duration that is not negative, found \"-5m\"",
        "invalid_time limits.starts.per: expected a duration that is not negative, found \"-1h\"",
        "invalid_time steps[0].on_failure.retry.first: expected a duration that is not negative, found \"-1s\"",
        "duplicate_id steps[1].output.fields.a.options[2]: expected each option once, found \"x\" again",
    ];
    assert_eq!(
        told.iter().filter(|told| !told.starts_with("warning")).collect::<Vec<_>>(),
        expected.iter().collect::<Vec<_>>()
    );
}
