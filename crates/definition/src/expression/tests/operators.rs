use serde_json::json;

use super::{check_all, check_all_over};

#[test]
fn numbers_of_any_kind_go_together() {
    check_all(&[
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 - 2 - 3", "5"),
        ("1 + 1.5", "2.5"),
        ("2u + 1", "3"),
        ("2u * 3u", "6"),
        ("7 / 2", "3.5"),
        ("8 / 2", "4"),
        ("int(7 / 2)", "3"),
        ("-7 / 2", "-3.5"),
        ("9007199254740993 / 3", "3002399751580331"),
        ("7 / 2.0", "3.5"),
        ("-7 % 4", "-3"),
        ("1 == 1.0 && 1u == 1 && 1.0 == 1u", "true"),
        ("1 < 1.5 && 2u > 1.5 && 1 <= 1u", "true"),
        ("-(3)", "-3"),
        ("-(1.5)", "-1.5"),
        ("9007199254740993 == 9007199254740992.0", "false"),
        ("9223372036854775807 < 9223372036854775808.0", "true"),
        ("18446744073709551615u > 9223372036854775807", "true"),
        ("9223372036854775807 + 1u", "9223372036854775808"),
    ]);
}

#[test]
fn arithmetic_fails_rather_than_wraps() {
    check_all(&[
        ("1 / 0", "expression_value: bad value: division by zero"),
        ("1 % 0", "expression_value: bad value: division by zero"),
        ("1.0 / 0", "expression_value: bad value: division by zero"),
        ("18446744073709551615u + 1", "expression_value: bad value: the result of `+` is out of range"),
        ("1u - 2u", "expression_value: bad value: the result of `-` is out of range"),
        (
            "9223372036854775807 * 9223372036854775807 * 4",
            "expression_value: bad value: the result of `*` is out of range",
        ),
        ("-9223372036854775808 - 1", "expression_value: bad value: the result of `-` is out of range"),
        ("1e308 * 10.0", "expression_value: bad value: the result of `*` is out of range"),
        ("9223372036854775807 * 2 * 2", "expression_value: bad value: the result of `*` is out of range"),
        (
            "5.5 % 2",
            "expression_type: wrong type: `%` cannot stand between number and number: it takes whole numbers, write int(…)",
        ),
    ]);
}

#[test]
fn numbers_of_data_are_integers_if_they_have_no_fraction() {
    let roots = json!({"vars": {"a": 3, "b": 1.5, "c": 2.0, "big": u64::MAX}});
    check_all_over(
        &roots,
        &[
            ("vars.a + vars.b", "4.5"),
            ("vars.a / 2", "1.5"),
            ("vars.c + 1", "3"),
            ("vars.c / 4", "0.5"),
            ("vars.big > vars.a", "true"),
            ("[10, 20, 30][vars.c]", "30"),
            ("type(vars.a) == int && type(vars.b) == double && type(vars.c) == int && type(vars.big) == uint", "true"),
        ],
    );
}

#[test]
fn null_equals_only_null_and_other_types_must_agree() {
    let roots = json!({"record": {"amount": "12", "due": "2026-11-21", "empty": null}});
    check_all_over(
        &roots,
        &[
            ("null == 'x'", "false"),
            ("record.empty == 'x'", "false"),
            ("record.empty != 'x'", "true"),
            ("record.empty == null", "true"),
            (
                "record.amount == 12",
                "expression_type: wrong type: `==` cannot stand between `record.amount` (text) and number: \
                 write double(…) around the text, or string(…) around the number",
            ),
            (
                "record.amount > 3",
                "expression_type: wrong type: `>` cannot stand between `record.amount` (text) and number: \
                 write double(…) around the text, or string(…) around the number",
            ),
            (
                "record.due < now",
                "expression_type: wrong type: `<` cannot stand between `record.due` (text) and `now` (timestamp): \
                 write timestamp(…) or date(…) around the text",
            ),
            (
                "record.due == date('2026-11-21')",
                "expression_type: wrong type: `==` cannot stand between `record.due` (text) and timestamp: \
                 write timestamp(…) or date(…) around the text",
            ),
            (
                "record.empty > 3",
                "expression_type: wrong type: `>` cannot stand between `record.empty` (null) and number: \
                 guard it with blank(…) or coalesce(…)",
            ),
            ("date(record.due) == date('2026-11-21')", "true"),
        ],
    );
}

#[test]
fn lists_and_objects_are_equal_by_their_elements() {
    let roots = json!({"vars": {"list": [1, "a", null], "map": {"k": [1]}}});
    check_all_over(
        &roots,
        &[
            ("vars.list == [1.0, 'a', null]", "true"),
            ("vars.list == [1, 'a']", "false"),
            ("vars.list == [1, 2, 3]", "false"),
            ("vars.map == {'k': [1]}", "true"),
            ("vars.map == {'k': [2]}", "false"),
            ("vars.map == {'other': [1]}", "false"),
            ("vars.map == {'k': [1], 'other': 2}", "false"),
        ],
    );
}

#[test]
fn in_looks_among_elements_and_keys() {
    let roots = json!({"vars": {"list": ["a", 2, null], "map": {"k": 1}, "text": "abc"}});
    check_all_over(
        &roots,
        &[
            ("'a' in vars.list", "true"),
            ("'b' in vars.list", "false"),
            ("2.0 in vars.list", "true"),
            ("null in vars.list", "true"),
            ("'k' in vars.map", "true"),
            ("'x' in vars.map", "false"),
            ("2 in {2: 'x'}", "true"),
            ("!('a' in ['b'])", "true"),
            (
                "'a' in vars.text",
                "expression_type: wrong type: `in` cannot stand between text and `vars.text` (text): \
                 a text is searched with text.contains(…)",
            ),
        ],
    );
}

#[test]
fn texts_and_lists_are_joined_with_plus() {
    check_all(&[
        ("'a' + 'b' + 'c'", r#""abc""#),
        ("[1] + [2, 3]", "[1,2,3]"),
        ("b'ab' + b'c'", r#""YWJj""#),
        ("'a' < 'b' && b'a' < b'b' && false < true", "true"),
        (
            "'n: ' + 3",
            "expression_type: wrong type: `+` cannot stand between text and number: write string(…) around what is no text",
        ),
    ]);
}

#[test]
fn an_operand_that_decides_does_so_whatever_the_others_are() {
    check_all(&[
        ("true && false", "false"),
        ("false || true", "true"),
        ("1 / 0 == 1 || true", "true"),
        ("1 / 0 == 1 && false", "false"),
        ("1 / 0 == 1 || false", "expression_value: bad value: division by zero"),
        ("1 / 0 == 1 && true", "expression_value: bad value: division by zero"),
        ("'x' || false", "expression_type: wrong type: `||` expects true or false, found text"),
        ("!null", "expression_type: wrong type: `!` expects true or false, found null"),
        ("true ? 'yes' : 1 / 0", r#""yes""#),
        ("1 ? 2 : 3", "expression_type: wrong type: `? :` expects true or false, found number"),
        ("-'x'", "expression_type: wrong type: `-` expects a number or duration, found text"),
    ]);
}

#[test]
fn loops_select_and_change_elements() {
    let roots = json!({"vars": {"items": [{"n": 1}, {"n": 2}, {"n": 3}], "map": {"b": 1, "a": 2}}});
    check_all_over(
        &roots,
        &[
            ("vars.items.map(x, x.n * 2)", "[2,4,6]"),
            ("vars.items.map(x, x.n > 1, x.n)", "[2,3]"),
            ("vars.items.filter(x, x.n != 2)", r#"[{"n":1},{"n":3}]"#),
            ("vars.items.all(x, x.n > 0)", "true"),
            ("vars.items.exists(x, x.n == 3)", "true"),
            ("vars.items.exists_one(x, x.n > 1)", "false"),
            ("vars.items.existsOne(x, x.n > 2)", "true"),
            ("vars.map.map(k, k)", r#"["a","b"]"#),
            ("{2: 'x', 1: 'y'}.map(k, k)", "[1,2]"),
            ("[1, 2].map(x, [3, 4].map(y, x * y))", "[[3,4],[6,8]]"),
            ("[1, 2].map(x, [x].map(x, x + 1))", "[[2],[3]]"),
            ("[].all(x, false)", "true"),
            ("[].exists(x, true)", "false"),
            ("[0, 1].exists(x, 1 / x == 1)", "true"),
            ("[0, 2].exists(x, 1 / x == 1)", "expression_value: bad value: division by zero"),
            ("[1, 0].all(x, 1 / x == 2)", "false"),
            ("'abc'.map(x, x)", "expression_type: wrong type: map() goes over a list or an object, found text"),
            ("[1].filter(x, x)", "expression_type: wrong type: `filter` expects true or false, found `x` (number)"),
        ],
    );
}

#[test]
fn objects_are_made_with_braces() {
    check_all(&[
        ("{'b': 1, 'a': [2]}", r#"{"a":[2],"b":1}"#),
        ("{1: 'x', true: 'y'}", r#"{"1":"x","true":"y"}"#),
        ("{'a': {'b': 2}}.a.b", "2"),
        ("{1u: 'x'}[1]", r#""x""#),
        ("{'a': 1, 'a': 2}", "expression_value: bad value: the key `a` stands twice"),
        ("{1: 'x', '1': 'y'}", "expression_value: bad value: the key `1` stands twice"),
        ("{null: 1}", "expression_type: wrong type: a key is a text, a whole number or a boolean, found null"),
    ]);
}
