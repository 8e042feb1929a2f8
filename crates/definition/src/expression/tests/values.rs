//! Expressions say of values what filters, orders and keys say of them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{check, check_all, check_all_over, evaluated};
use crate::value::{self, arbitrary};
use crate::{Scope, Template};

proptest! {
    #[test]
    fn equality_is_that_of_values(a in arbitrary::value(), b in arbitrary::value()) {
        let roots = json!({"vars": {"a": a, "b": b}});
        let equal = json!(value::equal(&a, &b));
        prop_assert_eq!(evaluated("vars.a in [vars.b]", roots.clone()), Ok(equal.clone()));
        prop_assert_eq!(evaluated("[vars.a] == [vars.b]", roots.clone()), Ok(equal.clone()));
        prop_assert_eq!(evaluated("{'k': vars.a} != {'k': vars.b}", roots.clone()), Ok(json!(equal == json!(false))));
        // Of two types `==` is an error; null goes with any.
        if let Ok(found) = evaluated("vars.a == vars.b", roots) {
            prop_assert_eq!(found, equal);
        }
    }

    #[test]
    fn the_order_is_that_of_values(a in arbitrary::value(), b in arbitrary::value()) {
        let roots = json!({"vars": {"a": a, "b": b}});
        let less = value::order(&a, &b).map(|order| json!(order.is_lt()));
        prop_assert_eq!(evaluated("vars.a < vars.b", roots.clone()).ok(), less);
        let at_least = value::order(&a, &b).map(|order| json!(order.is_ge()));
        prop_assert_eq!(evaluated("vars.a >= vars.b", roots).ok(), at_least);
    }

    #[test]
    fn a_number_is_written_in_one_way(number in arbitrary::number()) {
        let roots = json!({"vars": {"n": number}});
        let text = value::number_text(&number);
        for expression in ["string(vars.n)", "json(vars.n)", "[vars.n].join()", "''+string(vars.n)"] {
            prop_assert_eq!(evaluated(expression, roots.clone()), Ok(json!(text)), "{}", expression);
        }
        prop_assert_eq!(check("vars.n", roots.clone()), text.clone());
        let template = Template::parse(&json!("EUR {{ vars.n }}")).expect("a template");
        prop_assert_eq!(template.resolve(&super::world(roots) as &dyn Scope), Ok(json!(format!("EUR {text}"))));
    }

    #[test]
    fn blank_is_that_of_values(a in arbitrary::value()) {
        let roots = json!({"vars": {"a": a}});
        prop_assert_eq!(evaluated("blank(vars.a)", roots), Ok(json!(value::is_blank(&a))));
    }
}

/// Fault 18.
#[test]
fn a_double_that_is_whole_is_written_as_a_whole_number() {
    let roots = json!({"vars": {"price": "59.00", "data": {"n": [1.0, -0.0]}}});
    check_all_over(
        &roots,
        &[
            ("double(vars.price)", "59"),
            ("'EUR ' + string(double(vars.price))", r#""EUR 59""#),
            ("json(vars.data)", r#""{\"n\":[1,0]}""#),
            ("vars.data", r#"{"n":[1,0]}"#),
            ("[1.0, 2.50].join('/')", r#""1/2.5""#),
            ("2.5e19", "2.5e+19"),
            ("string(2.5e19)", r#""2.5e+19""#),
        ],
    );
    let template = Template::parse(&json!({"n": 59.0, "t": "{{ vars.price }}"})).expect("a template");
    assert_eq!(template.resolve(&super::world(roots)).expect("it resolves").to_string(), r#"{"n":59,"t":"59.00"}"#);
}

#[test]
fn a_number_that_is_too_large_is_refused_and_not_rounded() {
    check_all(&[
        (
            "double('25000000000000000001')",
            "expression_value: bad value: double(): expected a whole number of at most 64 bits, or a number that a \
             double holds; larger ones are kept as texts, found \"25000000000000000001\"",
        ),
        ("int('25000000000000000001')", "expression_value: bad value: int(): the number is out of range"),
        ("1e999", "expression_syntax: cannot read `1e999`: invalid double literal at column 1"),
        ("9007199254740992.0 + 1", "9007199254740993"),
        ("1e10 * 1e10", "1e+20"),
    ]);
}

/// Fault 02, as an expression sees it.
#[test]
fn neighbours_above_2_to_53_are_not_equal() {
    let roots = json!({"trigger": {"number": 7_615_917_337_495_251_231_u64}});
    check_all_over(
        &roots,
        &[
            ("trigger.number == 7615917337495251232", "false"),
            ("trigger.number in [7615917337495251232, 7615917337495251230]", "false"),
            ("trigger.number < 7615917337495251232", "true"),
            ("trigger.number == double(trigger.number)", "false"),
        ],
    );
}

#[test]
fn equal_numbers_give_equal_results() {
    for (whole, double) in [(7, 7.0), (-3, -3.0), (8, 8.0)] {
        for expression in
            ["vars.n / 2", "vars.n % 2", "vars.n * 2", "vars.n - 1", "string(vars.n)", "round(vars.n / 3, 2)"]
        {
            let of = |number: Value| check(expression, json!({"vars": {"n": number}}));
            assert_eq!(of(json!(whole)), of(json!(double)), "{expression}");
        }
    }
}
