use serde_json::json;

use super::{check_all, check_all_over};

#[test]
fn texts_are_changed_in_both_styles() {
    check_all(&[
        ("lower('ÄB')", r#""äb""#),
        ("'äb'.upper()", r#""ÄB""#),
        ("' a b '.trim()", r#""a b""#),
        ("'a-b-c'.replace('-', '+')", r#""a+b+c""#),
        ("replace('aaa', 'a', 'bb')", r#""bbbbbb""#),
        ("'a,b,,c'.split(',')", r#"["a","b","","c"]"#),
        ("'äb'.split('')", r#"["ä","b"]"#),
        ("['a', 'b'].join(', ')", r#""a, b""#),
        ("join([1, 2.5, true, null, 'x'], '|')", r#""1|2.5|true||x""#),
        ("['a', 'b'].join()", r#""ab""#),
        ("[].join(',')", r#""""#),
        ("lower(null)", "expression_type: wrong type: lower() expects text, found null"),
        ("[[1]].join(',')", "expression_type: wrong type: join() expects a list of texts, found list in it"),
        ("'a'.replace('', 'b')", "expression_value: bad value: replace(): the text to replace is empty"),
    ]);
}

#[test]
fn texts_are_searched() {
    check_all(&[
        ("'hello'.contains('ell')", "true"),
        ("contains('hello', 'x')", "false"),
        ("'hello'.startsWith('he') && 'hello'.endsWith('lo')", "true"),
        ("'hello'.matches('^h.*o$')", "true"),
        ("matches('hello', '[0-9]+')", "false"),
        ("'a1'.matches('[a-z]' + '[0-9]')", "true"),
        ("size('äb')", "2"),
        ("'äb'.size() + size([1]) + {'a': 1}.size() + size(b'abc')", "7"),
        ("size(3)", "expression_type: wrong type: size() expects text, a list or an object, found number"),
        (
            "['a'].contains('a')",
            "expression_type: wrong type: contains() expects text, a list is searched with `x in list`, found list",
        ),
        (
            "'a'.matches('(' + '')",
            "expression_value: bad value: matches(): \"(\" is no regular expression: unclosed group",
        ),
        ("1.matches('a')", "expression_type: wrong type: matches() expects text, found number"),
    ]);
}

#[test]
fn types_are_converted() {
    check_all(&[
        ("int('42') + int(2.9) + int(-2.9)", "42"),
        ("int(now)", "1795249800"),
        ("double('1.5') + double(1)", "2.5"),
        ("uint(3)", "3"),
        ("string(1) + string(1.0) + string(2.5) + string(true)", r#""112.5true""#),
        ("string(now)", r#""2026-11-21T08:30:00Z""#),
        ("string(duration('90s'))", r#""1m 30s""#),
        ("string(b'abc')", r#""abc""#),
        ("bytes('abc')", r#""YWJj""#),
        ("bool('true') && !bool('false')", "true"),
        ("dyn([1])", "[1]"),
        ("type('x') == string && type([]) == list && type(null) == null_type && type(type(1)) == type", "true"),
        ("type({}) == map && type(b'') == bytes && type(now) == timestamp && type(days(1)) == duration", "true"),
        ("int('4.5')", "expression_value: bad value: int(): expected a whole number, found \"4.5\""),
        ("int(1e30)", "expression_value: bad value: int(): the number is out of range"),
        ("uint(-1)", "expression_value: bad value: uint(): the number is out of range"),
        ("double('x')", "expression_value: bad value: double(): expected a number, found \"x\""),
        ("double('inf')", "expression_value: bad value: double(): expected a number, found \"inf\""),
        ("bool('maybe')", "expression_value: bad value: bool(): expected \"true\" or \"false\", found \"maybe\""),
        ("string(b'\\xff')", "expression_value: bad value: string(): the bytes are no text in UTF-8"),
        (
            "string([1])",
            "expression_type: wrong type: string() expects a simple value, json(…) writes lists and objects, found list",
        ),
    ]);
}

#[test]
fn json_is_written_and_read() {
    let roots = json!({"vars": {"list": [1, {"a": null}], "text": r#"{"n": [1, 2.5], "t": "x"}"#}});
    check_all_over(
        &roots,
        &[
            ("json(vars.list)", r#""[1,{\"a\":null}]""#),
            ("json('x')", r#""\"x\"""#),
            ("parse_json(vars.text).n[1]", "2.5"),
            ("parse_json(vars.text)", r#"{"n":[1,2.5],"t":"x"}"#),
            (
                "parse_json(vars.text).missing",
                "expression_missing_key: `(…).missing` does not exist: `(…)` has `n`, `t`",
            ),
            (
                "parse_json('{')",
                "expression_value: bad value: parse_json(): expected JSON, found a fault (EOF while parsing an object) at line 1, column 1",
            ),
        ],
    );
}

#[test]
fn numbers_are_rounded_as_on_paper() {
    check_all(&[
        ("round(2.5)", "3"),
        ("round(-2.5)", "-3"),
        ("round(1.005, 2)", "1.01"),
        ("round(7)", "7"),
        ("(2.0).round(1)", "2"),
        ("round(1e300)", "1e+300"),
        ("round('2')", "expression_type: wrong type: round() expects a number, found text"),
        ("round(2.5, 99)", "expression_value: bad value: round(): expected 0 to 15 places, found 99"),
    ]);
}
