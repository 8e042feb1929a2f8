use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Bounds, MOST_DEPTH, check, depth, parse, read};

fn refusal(text: &str) -> String {
    let error = parse(text.as_bytes(), &Bounds::OUTSIDE).expect_err("it is refused");
    format!("{}: {error}", error.code().unwrap_or("malformed"))
}

fn nested(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

#[test]
fn depth_is_bounded_below_what_storing_adds() {
    assert_eq!(parse(nested(MOST_DEPTH).as_bytes(), &Bounds::OUTSIDE).map(|value| depth(&value)), Ok(MOST_DEPTH));
    insta::assert_snapshot!(refusal(&nested(65)), @"value_too_deep: more than 64 levels of nesting at line 1, column 65");
    assert_eq!(refusal(&nested(100_000)), refusal(&nested(65)));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(65), "}".repeat(65));
    assert!(refusal(&objects).starts_with("value_too_deep"), "{objects}");
    let in_a_text = format!("[{:?}]", nested(200));
    assert!(parse(in_a_text.as_bytes(), &Bounds::OUTSIDE).is_ok(), "brackets in a text nest nothing");
}

#[test]
fn values_keys_and_bytes_are_bounded() {
    let bounds = Bounds { bytes: 60, depth: 4, values: 4, key_bytes: 3 };
    let told = |text: &str| parse(text.as_bytes(), &bounds).map_err(|error| error.to_string());
    assert_eq!(told(r#"{"abc": [1, "x"]}"#), Ok(json!({"abc": [1, "x"]})));
    assert_eq!(told("[1,2,3,4]"), Err("more than 4 values at line 1, column 8".to_owned()));
    assert_eq!(told("{\n \"abcd\": 1}"), Err("more than 3 bytes in a key at line 2, column 2".to_owned()));
    assert_eq!(told(&" ".repeat(61)), Err("more than 60 bytes".to_owned()));
}

#[test]
fn whole_numbers_have_64_bits_and_others_are_finite() {
    for (text, expected) in [
        ("9223372036854775808", json!(9_223_372_036_854_775_808_u64)),
        ("-9223372036854775808", json!(i64::MIN)),
        ("18446744073709551615", json!(u64::MAX)),
        ("1e300", json!(1e300)),
        ("1.0", json!(1.0)),
    ] {
        assert_eq!(parse(text.as_bytes(), &Bounds::OUTSIDE), Ok(expected), "{text}");
    }
    insta::assert_snapshot!(refusal("[18446744073709551616]"), @"number_out_of_range: the whole number 18446744073709551616, which needs more than 64 bits; send it as a text at line 1, column 2");
    assert!(refusal("-9223372036854775809").starts_with("number_out_of_range"));
    assert!(refusal(&"9".repeat(100_000)).len() < 200, "a long number is shortened");
    assert_eq!(refusal("1e999"), "malformed: a fault (number out of range) at line 1, column 5");
}

#[test]
fn the_last_of_two_equal_keys_counts() {
    assert_eq!(parse(br#"{"a": 1, "a": 2}"#, &Bounds::OUTSIDE), Ok(json!({"a": 2})));
}

#[test]
fn half_of_a_surrogate_pair_is_refused_by_name() {
    for text in [r#""\ud800""#, r#"["\udc00x"]"#, r#"{"\ud83d": 1}"#] {
        assert!(refusal(text).contains("surrogate"), "{}", refusal(text));
    }
    assert_eq!(parse(br#""\ud83d\ude00""#, &Bounds::OUTSIDE), Ok(json!("😀")));
}

#[derive(Debug, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    reason: Option<String>,
    actor: Option<String>,
    #[serde(default)]
    inner: BTreeMap<String, Inner>,
}

#[derive(Debug, PartialEq, Default, Deserialize)]
struct Inner {
    a: Option<u8>,
}

#[test]
fn a_list_is_no_object() {
    let told = |text: &str| read::<Why>(text.as_bytes(), &Bounds::OUTSIDE).map_err(|error| error.to_string());
    assert_eq!(told("{}"), Ok(Why::default()));
    let inner = BTreeMap::from([("x".to_owned(), Inner { a: Some(1) })]);
    assert_eq!(told(r#"{"inner": {"x": {"a": 1}}}"#), Ok(Why { inner, ..Why::default() }));
    for text in ["[]", "[null,null]", "[null,null,{}]", r#"{"inner": {"x": [1]}}"#] {
        let error = told(text).expect_err("a list is no object");
        assert_eq!(error, "another shape: invalid type: sequence, expected an object", "{text}");
    }
    for text in ["null", "true", "\"x\"", "1"] {
        assert!(told(text).is_err(), "{text}");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let simple = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    simple.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_within_bounds_is_read_as_it_is(value in any_value()) {
        let text = value.to_string();
        prop_assert_eq!(parse(text.as_bytes(), &Bounds::OUTSIDE), Ok(value));
    }

    #[test]
    fn text_and_value_meet_the_same_bounds(value in any_value(), levels in 0_usize..6, values in 1_usize..40) {
        let bounds = Bounds { depth: levels, values, ..Bounds::OUTSIDE };
        let text = value.to_string();
        let (by_text, by_value) = (parse(text.as_bytes(), &bounds).map(drop), check(&value, &bounds));
        prop_assert_eq!(by_text.is_ok(), by_value.is_ok());
        prop_assert!(by_value.is_err() || depth(&value) <= levels);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(prop_oneof![
        Just(b'['), Just(b'{'), Just(b'"'), Just(b'\\'), Just(b'9'), Just(b':'), Just(b'u'), any::<u8>()
    ], 0..80)) {
        let _ = parse(&bytes, &Bounds::OUTSIDE);
    }
}
