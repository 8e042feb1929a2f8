use serde_json::{Value, json};

use super::{check, check_all};
use crate::Expression;

#[test]
fn what_cannot_be_read_is_said_briefly() {
    check_all(&[
        ("", "expression_syntax: cannot read ``: expected an expression, found nothing"),
        ("1 +", "expression_syntax: cannot read `1 +`: unexpected end at column 4"),
        ("(1", "expression_syntax: cannot read `(1`: missing ')' at end at column 3"),
        ("record.", "expression_syntax: cannot read `record.`: unexpected '.' at column 8"),
        ("a = b", "expression_syntax: cannot read `a = b`: unexpected '= ' at column 3: equality is written `==`"),
        ("a and b", "expression_syntax: cannot read `a and b`: unexpected 'and' at column 3: write `&&`"),
        ("a ? b", "expression_syntax: cannot read `a ? b`: unfinished at column 1: a `?` needs a `:` after it"),
        ("1\n +", "expression_syntax: cannot read `1\n +`: unexpected end at line 2, column 3"),
        (
            "'open",
            "expression_syntax: cannot read `'open`: unexpected ''open' at column 1: the text is not closed, or holds an unknown escape",
        ),
        ("a.?b", "expression_syntax: cannot read `a.?b`: unsupported syntax '.?' at column 2"),
        ("x{y: 1}", "expression_syntax: cannot read `x{y: 1}`: `x {…}` is no object: write {\"key\": value}"),
        ("has(x)", "expression_syntax: cannot read `has(x)`: has() expects a path, such as has(trigger.body.name)"),
        ("[1].map(1, 2)", "expression_syntax: cannot read `[1].map(1, 2)`: map() expects a name first: list.map(x, …)"),
        (
            "[1].all(x)",
            "expression_syntax: cannot read `[1].all(x)`: all() expects a name and an expression: list.all(x, …)",
        ),
        ("lower()", "expression_syntax: cannot read `lower()`: lower() expects 1 arguments, found 0"),
        (
            "round(1, 2, 3)",
            "expression_syntax: cannot read `round(1, 2, 3)`: round() expects 1 to 2 arguments, found 3",
        ),
        (
            "'a'.matches('(')",
            "expression_syntax: cannot read `'a'.matches('(')`: matches(): \"(\" is no regular expression: unclosed group",
        ),
    ]);
}

#[test]
fn unknown_functions_are_found_when_an_expression_is_read() {
    check_all(&[
        (
            "bussiness_days(1)",
            "expression_unknown_name: unknown function `bussiness_days`, did you mean `business_days`?",
        ),
        ("blnk(1)", "expression_unknown_name: unknown function `blnk`, did you mean `blank`?"),
        ("[1].fliter(x, true)", "expression_unknown_name: unknown function `fliter`, did you mean `filter`?"),
        ("frobnicate(1)", "expression_unknown_name: unknown function `frobnicate`"),
        // Once: "unknown function `blank`; did you mean `blank`?"
        ("blank()", "expression_syntax: cannot read `blank()`: blank() is written blank(x)"),
        ("coalesce()", "expression_syntax: cannot read `coalesce()`: coalesce() is written coalesce(x, y)"),
        ("map([1], x, x)", "expression_syntax: cannot read `map([1], x, x)`: map() is written list.map(x, value)"),
    ]);
}

#[test]
fn a_long_text_is_cut_in_messages() {
    let message = check(&"x ".repeat(200), json!({}));
    assert!(message.len() < 200, "{message}");
}

#[test]
fn literals_of_every_kind_are_read() {
    check_all(&[
        ("[0x1F, 1u, 1e3, .5, true, null]", "[31,1,1000,0.5,true,null]"),
        (r#"'a\n\u00e4' + r'\n' + """triple "quoted" """"#, r#""a\nä\\ntriple \"quoted\" ""#),
        ("// a comment\n1 // more", "1"),
        ("[1, 2,]", "[1,2]"),
    ]);
}

#[test]
fn expressions_come_from_texts_booleans_and_numbers() {
    let read = |value: Value| serde_json::from_value::<Expression>(value).map_err(|error| error.to_string());
    assert_eq!(read(json!("a.b > 1")).map(|expression| expression.source().to_owned()), Ok("a.b > 1".into()));
    assert_eq!(read(json!(true)).map(|expression| expression.source().to_owned()), Ok("true".into()));
    assert_eq!(read(json!(-1.5)).map(|expression| expression.source().to_owned()), Ok("-1.5".into()));
    assert_eq!(read(json!(["a"])), Err(r#"expected an expression, found ["a"]"#.into()));
    assert!(read(json!("a.")).is_err_and(|error| error.starts_with("cannot read `a.`")));
}

#[test]
fn expressions_are_equal_by_their_text() {
    let parse = |text| Expression::parse(text).expect("it parses");
    assert_eq!(parse("a + 1"), parse("a + 1"));
    assert_ne!(parse("a + 1"), parse("a +  1"));
    assert_eq!(format!("{:?}", parse("a")), "Expression(\"a\")");
}

#[test]
fn expressions_are_shared_between_threads() {
    fn shared<T: Send + Sync + Clone + 'static>() {}
    shared::<Expression>();
    shared::<crate::Template>();
}
