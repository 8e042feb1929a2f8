//! Values for property tests.

use proptest::prelude::*;
use serde_json::{Number, Value};

use super::Exact;

/// Numbers where rounding, overflow and signs lie in wait.
pub(crate) fn number() -> impl Strategy<Value = Number> {
    let edges = prop::sample::select(vec![
        0_i128,
        1,
        -1,
        1 << 53,
        (1 << 53) + 1,
        -(1 << 53) - 1,
        (1 << 63) - 1,
        1 << 63,
        -(1 << 63),
        (1 << 64) - 1,
    ]);
    let near = (edges, -3_i128..=3).prop_filter_map("beyond 64 bits", |(edge, by)| Exact::Whole(edge + by).number());
    let doubles = prop::sample::select(vec![
        -0.0,
        0.5,
        1.0,
        -1.0,
        f64::MIN_POSITIVE,
        5e-324,
        9_007_199_254_740_992.0,
        9_007_199_254_740_991.5,
        9_223_372_036_854_775_808.0,
        -9_223_372_036_854_775_808.0,
        18_446_744_073_709_551_616.0,
        18_446_744_073_709_549_568.0,
        1e300,
        f64::MAX,
        f64::MIN,
    ]);
    let doubles = prop_oneof![doubles, any::<f64>(), (any::<i32>()).prop_map(f64::from)];
    let doubles = doubles.prop_filter_map("not finite", Number::from_f64);
    prop_oneof![near, doubles, any::<i64>().prop_map(Number::from), any::<u64>().prop_map(Number::from)]
}

fn text() -> impl Strategy<Value = String> {
    let odd = [
        "",
        " ",
        "\t\n",
        "a",
        "A",
        "b",
        "10",
        "9",
        "true",
        "null",
        "n1",
        "2026-01-01T00:00:00Z",
        "\u{1}",
        "é",
        "e\u{301}",
    ];
    prop_oneof![prop::sample::select(odd.to_vec()).prop_map(str::to_owned), ".{0,4}"]
}

pub(crate) fn value() -> impl Strategy<Value = Value> {
    let simple = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number().prop_map(Value::Number),
        text().prop_map(Value::from),
    ];
    simple.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..3).prop_map(|entries| entries.into_iter().collect()),
        ]
    })
}
