//! YAML and JSON as sources: values, places, and what is refused.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::support::report;
use pawl_definition::{Problem, Source, Template, check_object, check_workflow};
use serde_json::{Value, json};

fn value(text: &str) -> Value {
    Source::parse("f.yaml", text).unwrap_or_else(|problems| panic!("{}", report(&problems))).value
}

fn problems(text: &str) -> String {
    Source::parse("f.yaml", text)
        .map_or_else(|problems: Vec<Problem>| report(&problems), |source| source.value.to_string())
}

fn place(text: &str, path: &str) -> Option<(usize, usize)> {
    let source = Source::parse("f.yaml", text).unwrap_or_else(|problems| panic!("{}", report(&problems)));
    source.position(path).map(|position| (position.line, position.column))
}

#[test]
fn scalars_follow_yaml_1_2() {
    let text = "[yes, on, 09:00, 2026-11-21, true, ~, '', 12, -3, 4.5, 1e3, 0x10, 0o17, '7', +49, 1.2.3, .5, !!str 8]";
    let expected = json!([
        "yes",
        "on",
        "09:00",
        "2026-11-21",
        true,
        null,
        "",
        12,
        -3,
        4.5,
        1000,
        16,
        15,
        "7",
        "+49",
        "1.2.3",
        0.5,
        "8"
    ]);
    assert_eq!(value(text), expected);
}

/// A number of more than 64 bits became a text in silence, also where none is wanted.
#[test]
fn bug_a_number_beyond_64_bits_became_a_text_in_silence() {
    let object = "object: order\nfields:\n  zip: {type: text, default: 123456789012345678901}\n  price: {type: number, default: 123456789012345678901}\n";
    let (_, told) = check_object(&Source::parse("o.yaml", object).expect("it is YAML"));
    insta::assert_snapshot!(report(&told), @"o.yaml:4:34: error[number_out_of_range] fields.price.default: expected a whole number of at most 64 bits, or one that a double holds, found 123456789012345678901; quote it if it is a text");
    let workflow = "
workflow: w
owner: a@example.com
limits: {steps: 99999999999999999999}
variables: [{name: id, type: text, default: &id 18446744073709551616}, {name: n, type: number}]
steps:
  - {id: call, type: http_request, url: 'https://a.example', headers: {x-id: *id}, body: {id: *id, h: 0xdeadbeefdeadbeefdead, e: 1e999, v: [-9223372036854775809]}}
  - {id: keep, type: set_variables, values: {id: 1e999, n: 18446744073709551615}}
";
    let (workflow, told) = check_workflow(&Source::parse("w.yaml", workflow).expect("it is YAML"), &BTreeMap::new());
    assert!(workflow.is_none());
    let told: Vec<_> = told
        .iter()
        .filter(|problem| problem.is_error())
        .map(|problem| (problem.code.as_str(), problem.path.as_str(), problem.line))
        .collect();
    let expected = ["limits.steps", "steps[0].body.id", "steps[0].body.h", "steps[0].body.e", "steps[0].body.v[0]"];
    let lines = [4, 7, 7, 7, 7].map(Some);
    let expected: Vec<_> =
        expected.into_iter().zip(lines).map(|(path, line)| ("number_out_of_range", path, line)).collect();
    assert_eq!(told, expected, "one cause is one error, and where a text is wanted it is none");
    let json = r#"{"workflow": "w", "owner": "a@example.com", "steps": [{"id": "n", "type": "http_request", "url": "https://a.example", "body": 18446744073709551616}]}"#;
    let (_, told) = check_workflow(&Source::parse("w.json", json).expect("it is JSON"), &BTreeMap::new());
    assert!(report(&told).contains("number_out_of_range"), "{}", report(&told));
}

/// `a: &v 1.10` and `b: *v`: the alias was 1.1 where a text is wanted.
#[test]
fn an_alias_of_a_number_keeps_its_digits_where_a_text_is_wanted() {
    let workflow = "
workflow: w
owner: a@example.com
variables:
  - {name: amount, type: number, default: &v 1.10}
  - {name: version, type: text, default: *v}
  - {name: all, type: object, default: &all {x-a: 2.0, x-b: [*v]}}
steps:
  - {id: a, type: http_request, url: 'https://a.example', headers: {x-v: *v}, query: *all, body: *all}
  - {id: b, type: http_request, url: 'https://a.example', headers: {<<: *all, x-b: 3.0, x-c: 4.50}}
";
    let written = Source::parse("f.yaml", workflow).expect("it is YAML").for_workflow(&BTreeMap::new()).value;
    assert_eq!(written["variables"][0]["default"], json!(1.1));
    assert_eq!(written["variables"][1]["default"], json!("1.10"));
    let step = &written["steps"][0];
    assert_eq!((&step["headers"], &step["query"]), (&json!({"x-v": "1.10"}), &json!({"x-a": "2.0", "x-b": ["1.10"]})));
    assert_eq!(step["body"], json!({"x-a": 2, "x-b": [1.1]}));
    assert_eq!(written["steps"][1]["headers"], json!({"x-a": "2.0", "x-b": "3.0", "x-c": "4.50"}));
    let merged = "{b: &b {x: 99999999999999999999}, c: {<<: *b}, d: {<<: *b, x: 1}}";
    let source = Source::parse("f.yaml", merged).expect("it is YAML");
    let paths: Vec<_> = source.too_large_numbers().into_iter().map(|problem| problem.path).collect();
    assert_eq!(paths, ["b.x", "c.x"], "an own value takes the place of a merged one");
    assert_eq!(place(merged, "c.x"), Some((1, 43)), "it stands where the alias stands");
}

/// Fault 26: 01234 became 1234, and 30 digits a double.
#[test]
fn digits_that_a_number_would_lose_are_a_text() {
    let text = "[01234, -007, +4930123, 123456789012345678901234567890, 0, -0, 0.5, 18446744073709551615]";
    let digits = "123456789012345678901234567890";
    assert_eq!(value(text), json!(["01234", "-007", "+4930123", digits, 0, 0, 0.5, u64::MAX]));
    assert_eq!(value(&format!("{{\"a\": {digits}}}")), json!({"a": digits}), "JSON too");
}

#[test]
fn a_number_is_the_text_that_was_written_where_a_text_is_wanted() {
    let object = "object: order\nfields: {zip: {type: text, default: 1.10}, price: {type: number, default: 1.10}}\n";
    let (object, _) = check_object(&Source::parse("f.yaml", object).expect("it is YAML"));
    let object = object.expect("it is an object");
    assert_eq!(object.fields["zip"].default, Some(json!("1.10")));
    assert_eq!(object.fields["price"].default, Some(json!(1.1)));
    let workflow = "
workflow: w
owner: a@example.com
object: order
triggers: [{type: field_updated, field: zip, to: {equals: 1.10}}]
variables:
  - {name: version, type: text, default: 1.10}
  - {name: versions, type: text, many: true, default: [1.10, 2.0]}
  - {name: amount, type: number, default: 1.10}
steps:
  - {id: set, type: set_fields, fields: {zip: 1.10, price: 1.10}}
  - id: if
    type: condition
    if: true
    yes: [{id: map, type: set_fields, fields: {zip: {set: 'a', map: {a: 1.0}}}}]
  - {id: make, type: create_record, object: order, fields: {zip: 1e3}}
  - {id: find, type: find_records, object: order, where: {zip: {in: [1.50]}, price: 1.50}}
  - {id: keep, type: set_variables, values: {version: 2.0, amount: 2.50, other: 2.50}}
  - {id: call, type: http_request, url: 'https://a.example', query: {v: 1.10}, headers: {x-v: 1.0}, body: {v: 1.10}}
";
    let objects = BTreeMap::from([("order".to_owned(), object)]);
    let written = Source::parse("f.yaml", workflow).expect("it is YAML").for_workflow(&objects).value;
    let at = |pointer: &str| written.pointer(pointer).cloned().expect("it is there");
    for (pointer, expected) in [
        ("/triggers/0/to/equals", json!("1.10")),
        ("/variables/0/default", json!("1.10")),
        ("/variables/1/default", json!(["1.10", "2.0"])),
        ("/variables/2/default", json!(1.1)),
        ("/steps/0/fields/zip", json!("1.10")),
        ("/steps/0/fields/price", json!(1.1)),
        ("/steps/1/yes/0/fields/zip/map/a", json!("1.0")),
        ("/steps/2/fields/zip", json!("1e3")),
        ("/steps/3/where/zip/in/0", json!("1.50")),
        ("/steps/3/where/price", json!(1.5)),
        ("/steps/4/values/version", json!("2.0")),
        ("/steps/4/values/amount", json!(2.5)),
        ("/steps/4/values/other", json!(2.5)),
        ("/steps/5/query/v", json!("1.10")),
        ("/steps/5/headers/x-v", json!("1.0")),
        ("/steps/5/body/v", json!(1.1)),
    ] {
        assert_eq!(at(pointer), expected, "{pointer}");
    }
    let (workflow, problems) = check_workflow(&Source::parse("f.yaml", workflow).expect("it is YAML"), &objects);
    let workflow = workflow.unwrap_or_else(|| panic!("{}", report(&problems)));
    assert_eq!(workflow.variables[0].default.as_ref().map(Template::source), Some(&json!("1.10")));
}

#[test]
fn every_part_has_its_place() {
    let text = "steps:\n  - id: a\n    yes: [{url: x}]\n  - id: b\n";
    assert_eq!(place(text, "steps"), Some((2, 3)));
    assert_eq!(place(text, "steps[0].yes[0].url"), Some((3, 17)));
    assert_eq!(place(text, "steps[1].id"), Some((4, 9)));
    assert_eq!(place(text, "steps[1].missing"), Some((4, 5)), "what is absent stands where it would");
}

#[test]
fn json_is_read_with_its_places_and_its_own_escapes() {
    let text = "{\n\t\"a\": \"\\ud83d\\ude00\",\n\t\"b\": [1, 2]\n}";
    assert_eq!(value(text), json!({"a": "😀", "b": [1, 2]}));
    assert_eq!(place("{\"a\": 1,\n \"b\": [1, 2]}", "b[1]"), Some((2, 11)));
}

#[test]
fn anchors_and_merge_keys_are_put_in() {
    let text = "base: &base {a: 1, b: 2}\nother: {<<: *base, b: 3}\nagain: *base\n";
    assert_eq!(value(text)["other"], json!({"a": 1, "b": 3}));
    assert_eq!(value(text)["again"], json!({"a": 1, "b": 2}));
    assert_eq!(place(text, "again.a"), Some((3, 8)), "what an alias puts in stands where the alias stands");
}

#[test]
fn keys_written_twice_are_told_together() {
    insta::assert_snapshot!(problems("a: 1\nb: {c: 1, c: 2}\na: 3\n"), @r#"
    f.yaml:2:11: error[duplicate_key] b.c: expected each key once, found "c" again; the first is in line 2
    f.yaml:3:1: error[duplicate_key] a: expected each key once, found "a" again; the first is in line 1
    "#);
}

#[test]
fn broken_texts_are_told_with_their_place() {
    insta::assert_snapshot!(
        [
            problems("a: [1, 2\nb: 3"),
            problems("a: 1\n b: 2"),
            problems("a: {b: c: d}"),
            problems("a: !secret x"),
            problems("a: 1\n---\nb: 2"),
            problems("? [a]\n: b"),
            problems("a: &a [*a]"),
            problems("a: *nothing"),
            problems("a: {<<: 1}"),
            problems("b: &b [1]\na: {<<: *b}"),
            problems("a: !!int x"),
            problems("a: !!binary aGk="),
            problems("a: [!!float 1, !!int 2, !!bool true, !!null ~, !!str 3]"),
        ]
        .join("\n"),
        @r#"
        f.yaml:2:2: error[syntax] expected YAML or JSON, found a mistake: illegal placement of ':' indicator
        f.yaml:2:3: error[syntax] expected YAML or JSON, found a mistake: mapping values are not allowed in this context
        f.yaml:1:9: error[syntax] expected YAML or JSON, found a mistake: while parsing a flow mapping, did not find expected ',' or '}'
        f.yaml:1:4: error[syntax] a: expected a plain value, found the tag !secret; a value that begins with `!` has a meaning in YAML: quote it, a: "!secret x"
        f.yaml:3:1: error[syntax] expected one document, found a second one after `---`
        f.yaml:1:3: error[syntax] expected a word as key, found a list, a mapping or an alias
        f.yaml:1:8: error[syntax] a[0]: expected an alias of a finished value, found one that holds itself
        f.yaml:1:4: error[syntax] expected YAML or JSON, found a mistake: while parsing node, found unknown anchor; a value that begins with `*` has a meaning in YAML: quote it, a: "*nothing"
        f.yaml:1:9: error[syntax] a: expected a mapping after the merge key `<<`, or a list of mappings
        f.yaml:2:9: error[syntax] a: expected a mapping after the merge key `<<`, or a list of mappings
        f.yaml:1:4: error[syntax] a: expected a plain value, found the tag !!int; a value that begins with `!` has a meaning in YAML: quote it, a: "!!int x"
        f.yaml:1:4: error[syntax] a: expected a plain value, found the tag !!binary; a value that begins with `!` has a meaning in YAML: quote it, a: "!!binary aGk="
        {"a":[1,2,true,null,"3"]}
        "#
    );
}

#[test]
fn size_depth_and_aliases_are_bounded() {
    let large = format!("a: {}", "x".repeat(1024 * 1024));
    let deep = format!("{}{}", "[".repeat(150), "]".repeat(150));
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..10 {
        let aliases = vec![format!("*a{}", n - 1); 10].join(", ");
        laughs.push_str(&["a", &n.to_string(), ": &a", &n.to_string(), " [", &aliases, "]\n"].concat());
    }
    for text in [large, deep, laughs] {
        assert!(problems(&text).contains("error[file_too_large]"), "{:.60}", problems(&text));
    }
}

/// 146 KiB of JSON took gigabytes: each value kept its whole path as text.
#[test]
fn a_long_key_is_kept_once_and_not_for_each_value_below_it() {
    let text = format!("{{\"{}\": [{}1]}}", "k".repeat(60_000), "1,".repeat(45_000));
    let source = Source::parse("bomb.yaml", &text).expect("it is within bounds");
    let (workflow, problems) = check_workflow(&source, &BTreeMap::new());
    assert!(workflow.is_none());
    let told: usize = problems.iter().map(|problem| problem.to_string().len()).sum();
    assert!(told < 10_000, "{told} bytes are told of {} problems", problems.len());
}

#[test]
fn aliases_are_bounded_in_values_and_in_bytes() {
    let mut text = "a0: &a0 [x, x]\n".to_owned();
    for at in 1..9 {
        writeln!(text, "a{at}: &a{at} [{}]", vec![format!("*a{}", at - 1); 10].join(", ")).expect("a text grows");
    }
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(500_000), vec!["*a"; 1_000].join(", "));
    let nested = format!("{}{}", "&a [".repeat(90), "x".repeat(200_000)) + &"]".repeat(90);
    let mut deep = "a0: &a0 []\n".to_owned();
    for at in 1..30 {
        writeln!(deep, "a{at}: &a{at} {}*a{}{}", "[".repeat(50), at - 1, "]".repeat(50)).expect("a text grows");
    }
    let mut merged = "a0: &a0 {x: 1}\n".to_owned();
    for at in 1..200 {
        writeln!(merged, "a{at}: &a{at} {{<<: *a{}, y{at}: 1}}", at - 1).expect("a text grows");
    }
    assert_eq!(value(&merged)["a199"].as_object().map(serde_json::Map::len), Some(200), "merges do not multiply");
    for (text, unit) in [(text, "values"), (long, "bytes"), (nested, "bytes"), (deep, "levels")] {
        let problems = Source::parse("bomb.yaml", &text).expect_err("it is too much");
        assert_eq!(problems[0].code, "file_too_large");
        assert!(problems[0].message.contains(unit), "{}", problems[0].message);
    }
}

#[test]
fn of_many_problems_a_hundred_are_told_and_the_others_counted() {
    let steps: Vec<_> = (0..3_000).map(|at| format!("  - {{id: s{at}, type: nope, x{at}: 1}}\n")).collect();
    let steps = steps.concat();
    let text = format!("workflow: w\nowner: a@example.com\nsteps:\n{steps}");
    let source = Source::parse("many.yaml", &text).expect("it is YAML");
    let (workflow, problems) = check_workflow(&source, &BTreeMap::new());
    assert!(workflow.is_none());
    assert_eq!(problems.iter().filter(|problem| problem.is_error()).count(), 100);
    let last = problems.last().and_then(|problem| problem.suggestion.clone()).unwrap_or_default();
    assert!(last.contains("and 2900 more problems of this file"), "{last}");
    let twice = format!("workflow: w\n{}", "owner: x\n".repeat(5_000));
    assert!(Source::parse("twice.yaml", &twice).is_err_and(|problems| problems.len() <= 100));
}
