//! Texts and numbers of case files.

use super::*;

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
