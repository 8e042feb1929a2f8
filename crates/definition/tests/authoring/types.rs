//! What is certain of the types of expressions before anything runs: told; what data decide: not told.

use crate::orders::told_of;

/// What is told of one expression in a note that follows a request.
#[track_caller]
fn expression(cel: &str, expected: &[&str]) {
    let quoted = cel.replace('\'', "''");
    let told = told_of(&format!(
        "variables: [{{name: count, type: number}}, {{name: names, type: text, many: true}}]
steps:
  - {{id: h, type: http_request, url: https://example.com/, save_as: r}}
  - {{id: found, type: find_records, object: part}}
  - {{id: l, type: call_llm, model: a/b, prompt: p, save_as: said, output: {{fields: {{kind: {{type: option, options: [x, y]}}}}}}}}
  - {{id: g, type: goal, until: record.rush, timeout: 1d}}
  - {{id: n, type: note, text: '{{{{ {quoted} }}}}'}}"
    ));
    let told: Vec<_> = told.iter().map(|told| told.replacen(" steps[4].text:", "", 1)).collect();
    assert_eq!(told, expected, "{cel}");
}

#[test]
fn types_that_never_go_together_are_told() {
    expression(
        r#"record.total == "5""#,
        &[
            "expression_type `==` cannot stand between `record.total` (number) and the text \"5\": write double(…) around the text, or string(…) around the number",
        ],
    );
    expression(
        "record.status + record.total",
        &[
            "expression_type `+` cannot stand between `record.status` (text) and `record.total` (number): write string(…) around what is no text",
        ],
    );
    expression(
        "record.due < now",
        &[
            "expression_type `<` cannot stand between `record.due` (text) and `now` (timestamp): write timestamp(…) or date(…) around the text",
        ],
    );
    expression("record.total && true", &["expression_type `&&` expects true or false, found `record.total` (number)"]);
    expression("!record.note", &["expression_type `!` expects true or false, found `record.note` (text)"]);
    expression("record.note ? 1 : 2", &["expression_type `? :` expects true or false, found `record.note` (text)"]);
    expression(
        "vars.count.size()",
        &["expression_type size() expects text, bytes, list or object, found `vars.count` (number)"],
    );
    expression("lower(record.total)", &["expression_type lower() expects text, found `record.total` (number)"]);
    expression(
        "record.total.map(x, x)",
        &["expression_type map() goes over a list or an object, found `record.total` (number)"],
    );
    expression("vars.names.contains('a')", &["expression_type contains() expects text, found `vars.names` (list)"]);
}

#[test]
fn types_inside_of_lists_and_of_times_are_told() {
    expression(
        "record.parts.filter(p, p.name)",
        &["expression_type `filter` expects true or false, found `p.name` (text)"],
    );
    expression(
        "record.parts[0].count + 'x'",
        &[
            "expression_type `+` cannot stand between `record.parts[0].count` (number) and the text \"x\": write string(…) around what is no text",
        ],
    );
    expression(
        "steps.found.output[0].count == 'x'",
        &[
            "expression_type `==` cannot stand between `steps.found.output[0].count` (number) and the text \"x\": write double(…) around the text, or string(…) around the number",
        ],
    );
    expression(
        "now - record.total",
        &[
            "expression_type `-` cannot stand between `now` (timestamp) and `record.total` (number): write days(…) or duration(\"…\") around the number",
        ],
    );
    expression(
        "trigger.occurred_at < now",
        &[
            "expression_type `<` cannot stand between `trigger.occurred_at` (text) and `now` (timestamp): write timestamp(…) or date(…) around the text",
        ],
    );
}

#[test]
fn words_that_a_value_never_is_are_told() {
    expression(
        r#"record.status == "payed""#,
        &["invalid_value `record.status` is new or paid, never \"payed\"; did you mean \"paid\"?"],
    );
    expression(
        r#""payed" != record.status"#,
        &["invalid_value `record.status` is new or paid, never \"payed\"; did you mean \"paid\"?"],
    );
    expression(
        "record.status in ['new', 'payed']",
        &["invalid_value `record.status` is new or paid, never \"payed\"; did you mean \"paid\"?"],
    );
    expression("'c' in record.labels", &["invalid_value `record.labels` is a or b, never \"c\""]);
    expression("vars.said.kind == 'z'", &["invalid_value `vars.said.kind` is x or y, never \"z\""]);
    expression(
        "steps.h.status == 'success'",
        &[
            "invalid_value `steps.h.status` is running, waiting, retrying, completed, partial, failed, skipped, canceled or timed_out, never \"success\"",
        ],
    );
    expression(
        "steps.g.output == 'meet'",
        &["invalid_value `steps.g.output` is met or unmet, never \"meet\"; did you mean \"met\"?"],
    );
    expression("trigger.type == 'webhook'", &["invalid_value `trigger.type` is manual, never \"webhook\""]);
    expression(
        "record.status == ''",
        &["warning suspicious `record.status` is new or paid or null, never an empty text: write blank(…)"],
    );
    expression("trigger.type == record.note", &[]);
}

#[test]
fn keys_that_an_output_never_has_are_told() {
    expression(
        "vars.r.json.id",
        &["expression_missing_key `vars.r` has body, headers and status, found \"json\"; did you mean \"body\"?"],
    );
    expression(
        "steps.h.output.code",
        &[
            "expression_missing_key `steps.h.output` has body, headers and status, found \"code\"; did you mean \"status\"?",
        ],
    );
    expression(
        "record.parts.map(p, p.nam)",
        &[
            "unknown_field object \"part\" has no field \"nam\"; it has count, name, owner, tags, id, object, created_at, updated_at and archived_at; did you mean \"name\"?",
        ],
    );
    expression(
        "has(vars.r.json)",
        &["warning suspicious `vars.r` has body, headers and status, found \"json\"; did you mean \"body\"?"],
    );
    expression(
        "record.total.amount",
        &["expression_type `record.total` is number, which has nothing inside: found `.amount`"],
    );
    expression(
        "trigger.boddy",
        &["expression_missing_key `trigger` has actor, id, occurred_at, type and values, found \"boddy\""],
    );
    expression(
        "in_zone(now, 'UTC').weekdays",
        &[
            "expression_missing_key `(…)` has date, datetime, day, hour, minute, month, second, time, weekday and year, found \"weekdays\"; did you mean \"weekday\"?",
        ],
    );
    expression(
        "vars.said.kin",
        &["expression_missing_key `vars.said` has kind, found \"kin\"; did you mean \"kind\"?"],
    );
}

#[test]
fn calls_that_always_fail_are_told() {
    expression(
        "date('2026-02-30')",
        &["expression_value date(): expected a date such as \"2026-11-21\", found \"2026-02-30\""],
    );
    expression(
        "in_zone(now, 'Europe/Berlim')",
        &["expression_value in_zone(): expected a time zone such as \"Europe/Berlin\", found \"Europe/Berlim\""],
    );
    expression(
        "coalesce(record.note, null)",
        &["warning suspicious coalesce() passes over what is blank: null in it says nothing"],
    );
    expression(
        "coalesce(record.note, '', 'x')",
        &["warning suspicious coalesce() passes over what is blank: an empty text in it says nothing"],
    );
}

#[test]
fn what_data_decide_is_not_told() {
    for cel in [
        "vars.r.body.id == 5",
        "vars.r.body.items.map(i, i.price * 2).size() + 1",
        "steps.l.output.kind == 'x'",
        "steps.h.error.code",
        "record.extra.anything.at.all",
        "record.note == record.status",
        "record.total + 1 > vars.count",
        "coalesce(record.total, 0) + 1",
        "coalesce(record.note, '')",
        "record.customer == null || record.customer.email.endsWith('@example.com')",
        "string(record.total) + record.note",
        "date(record.due) + days(3) < now",
        "[record.note, record.total].map(x, type(x) == string ? x : string(x))",
        "(record.rush ? 'a' : 5) == 5",
        "dyn(record.total) == record.note",
        "dyn(trigger).body.x",
        "{'a': record.total}.a + 1",
        "json(record) + json(steps)",
        "vars.names + [record.note]",
        "vars.names.exists(n, n == record.note)",
        "trigger.values.anything",
        "record.parts.map(p, p.count).size()",
        "blank(record.status) || record.status in ['new', 'paid']",
        "parse_json(record.note).a.b",
        "execution.failed_steps.size() > 0",
        "record.total == null",
    ] {
        expression(cel, &[]);
    }
}
