use std::cmp::Ordering;

use proptest::prelude::*;
use serde_json::{Number, Value, json};

use super::arbitrary::{number, value};
use super::*;

/// A value, and another spelling of it: whole numbers as doubles and the other way round.
fn respelled(value: &Value) -> Value {
    match value {
        Value::Number(number) => {
            let double = Number::from_f64(Exact::of(number).nearest());
            let other = if number.is_f64() { Exact::of(number).number() } else { double };
            Value::Number(other.filter(|other| Exact::of(other) == Exact::of(number)).unwrap_or_else(|| number.clone()))
        }
        Value::Array(elements) => elements.iter().map(respelled).collect(),
        Value::Object(entries) => entries.iter().rev().map(|(key, value)| (key.clone(), respelled(value))).collect(),
        simple => simple.clone(),
    }
}

fn times() -> impl Strategy<Value = Value> {
    let texts =
        ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00.5Z", "2026-01-01", "x", "", " "];
    prop_oneof![prop::sample::select(texts.to_vec()).prop_map(Value::from), value()]
}

proptest! {
    #[test]
    fn equality_is_an_equivalence_and_knows_every_spelling(a in value(), b in value(), c in value()) {
        prop_assert!(equal(&a, &a));
        prop_assert_eq!(equal(&a, &b), equal(&b, &a));
        prop_assert!(!(equal(&a, &b) && equal(&b, &c)) || equal(&a, &c));
        prop_assert!(equal(&a, &respelled(&a)));
        prop_assert!(equal(&a, &canonical(a.clone())));
    }

    #[test]
    fn equal_values_are_looked_up_under_one_text(a in value(), b in value()) {
        prop_assert_eq!(lookup_text(&a), lookup_text(&respelled(&a)));
        prop_assert!(!equal(&a, &b) || lookup_text(&a) == lookup_text(&b));
        if !a.is_array() && !a.is_object() && !a.is_null() {
            // A number and the text that says it, whichever is the value and whichever was written down.
            prop_assert_eq!(lookup_text(&a), lookup_text(&Value::from(text_of(&a))));
        }
        if let (Value::String(text), Value::Number(number)) = (&a, &b) {
            let named = named([text], &b).is_some();
            prop_assert!(!named || lookup_text(&a) == number_text(number));
        }
    }

    #[test]
    fn the_order_is_total_transitive_and_agrees_with_equality(a in value(), b in value(), c in value()) {
        prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
        prop_assert_eq!(compare(&a, &b).is_eq(), equal(&a, &b));
        prop_assert!(!(compare(&a, &b).is_le() && compare(&b, &c).is_le()) || compare(&a, &c).is_le());
        prop_assert_eq!(compare(&respelled(&a), &b), compare(&a, &b));
        prop_assert!(!is_blank(&b) || is_blank(&a) || compare(&a, &b).is_lt());
        if let (Some(order), false, false) = (order(&a, &b), is_blank(&a), is_blank(&b)) {
            prop_assert_eq!(order, compare(&a, &b));
        }
    }

    #[test]
    fn the_order_of_times_is_total_too(a in times(), b in times(), c in times()) {
        prop_assert_eq!(compare_times(&a, &b), compare_times(&b, &a).reverse());
        prop_assert_eq!(compare_times(&a, &b).is_eq(), equal(&a, &b));
        prop_assert!(!(compare_times(&a, &b).is_le() && compare_times(&b, &c).is_le()) || compare_times(&a, &c).is_le());
    }

    #[test]
    fn sorting_depends_on_no_order_of_what_is_sorted(values in prop::collection::vec(value(), 0..40), by in any::<prop::sample::Index>()) {
        let mut sorted = values.clone();
        sorted.sort_by(compare);
        let mut other = values;
        if !other.is_empty() {
            let by = by.index(other.len());
            other.rotate_left(by);
        }
        other.sort_by(compare);
        prop_assert!(sorted.iter().zip(&other).all(|(a, b)| equal(a, b)));
    }

    #[test]
    fn equal_values_and_no_others_have_one_key(a in value(), b in value()) {
        prop_assert_eq!(index_key(&a), index_key(&respelled(&a)));
        if !is_blank(&a) && !is_blank(&b) {
            prop_assert_eq!(index_key(&a) == index_key(&b), equal(&a, &b));
        }
        prop_assert_eq!(index_key(&a).is_none(), is_blank(&a));
    }

    #[test]
    fn what_is_stored_is_read_as_the_same(a in value()) {
        let stored = canonical(a.clone()).to_string();
        let read: Value = serde_json::from_str(&stored).expect("it is JSON");
        prop_assert!(equal(&a, &read));
        prop_assert_eq!(canonical(read).to_string(), stored);
    }

    #[test]
    fn a_number_is_read_as_it_is_written(a in number()) {
        let read = read_number(&number_text(&a)).expect("a number");
        prop_assert_eq!(Exact::of(&a), Exact::of(&read));
    }

    #[test]
    fn sums_are_exact_or_refused(a in number(), b in number()) {
        if let (Exact::Whole(whole), Exact::Whole(other)) = (Exact::of(&a), Exact::of(&b)) {
            let sum = add(&a, &b).map(|sum| Exact::of(&sum));
            prop_assert_eq!(sum, Exact::Whole(whole + other).number().map(|sum| Exact::of(&sum)));
            if let Some(sum) = add(&a, &b) {
                prop_assert_eq!(subtract(&sum, &b).map(|number| Exact::of(&number)), Some(Exact::Whole(whole)));
            }
        }
    }

    #[test]
    fn an_address_has_one_form(text in "[A-Za-zÄÖß.+]{1,8}@[A-Za-zÄÖß.]{1,8}") {
        let form = email(&text);
        prop_assert_eq!(&email(&format!(" {} ", text.to_uppercase().to_lowercase())), &email(&text.to_uppercase()));
        prop_assert_eq!(form.as_deref().and_then(email), form);
    }
}

#[test]
fn neighbours_above_2_to_53_are_told_apart() {
    let exact = |number: Value| Exact::of(number.as_number().expect("a number"));
    assert_eq!(exact(json!(9_007_199_254_740_993_u64)).cmp(&exact(json!(9_007_199_254_740_992.0))), Ordering::Greater);
    assert!(!equal(&json!(7_615_917_337_495_251_231_u64), &json!(7_615_917_337_495_251_232_u64)));
    assert!(!equal(&json!(u64::MAX), &json!(18_446_744_073_709_551_616.0)));
    assert!(equal(&json!(i64::MIN), &json!(-9_223_372_036_854_775_808.0)));
    assert!(equal(&json!(0), &json!(-0.0)));
}

#[test]
fn a_number_has_one_text() {
    for (number, text) in [
        (json!(59.0), "59"),
        (json!(-0.0), "0"),
        (json!(59), "59"),
        (json!(0.1), "0.1"),
        (json!(1e3), "1000"),
        (json!(9_223_372_036_854_775_808.0), "9223372036854775808"),
        (json!(2.5e19), "2.5e+19"),
        (json!(5e-324), "5e-324"),
    ] {
        assert_eq!(text_of(&number), text);
    }
}

#[test]
fn a_text_says_a_number_or_none() {
    let read = |text: &str| read_number(text).map(Value::Number);
    for (text, number) in [
        ("42", json!(42)),
        ("+42", json!(42)),
        ("-0", json!(0)),
        ("007", json!(7)),
        ("1.0", json!(1)),
        (".5", json!(0.5)),
        ("1e3", json!(1000)),
        ("18446744073709551615", json!(u64::MAX)),
    ] {
        assert_eq!(read(text), Ok(number), "{text}");
    }
    for text in ["", "-", "x", "inf", "nan", "-infinity", "0x10", "1_000", "1 2", "--1"] {
        assert_eq!(read(text), Err(NumberError::NotANumber), "{text}");
    }
    for text in ["18446744073709551616", "-9223372036854775809", "123456789012345678901234567890", "1e999"] {
        assert_eq!(read(text), Err(NumberError::TooLarge), "{text}");
    }
}

#[test]
fn blanks_come_last_and_types_have_their_ranks() {
    let mut values = vec![json!({}), json!(" "), json!([]), json!(""), Value::Null];
    values.extend([
        json!({"a": 1}),
        json!([0]),
        json!("x"),
        json!("X"),
        json!(2),
        json!(1.5),
        json!(true),
        json!(false),
    ]);
    values.sort_by(compare);
    assert_eq!(Value::from(values), json!([false, true, 1.5, 2, "X", "x", [0], {"a": 1}, null, "", " ", [], {}]));
}
