use serde_json::json;

use super::super::JsonSchema;
use super::*;

/// What it costs to hold a value against a schema; `None` if more than there is.
fn spent(schema: &Value, value: &Value) -> Option<u64> {
    let mut budget = SchemaBudget::default();
    let schema = JsonSchema::new(schema).expect("a schema");
    schema.mismatches(value, &mut budget).ok().map(|_| budget.spent())
}

#[test]
fn an_ordinary_answer_costs_little() {
    let row =
        json!({"due": "2026-11-21", "name": "Ada", "price": 59.9, "tags": ["a", "b"], "url": "https://a.example/b"});
    let schema = json!({
        "type": "array",
        "uniqueItems": true,
        "items": {
            "type": "object",
            "required": ["due", "name"],
            "additionalProperties": false,
            "properties": {
                "due": {"format": "date", "pattern": "^\\d{4}-\\d{2}-\\d{2}$"},
                "name": {"type": "string", "minLength": 1, "pattern": "^[\\p{L} .'-]{1,100}$"},
                "price": {"type": ["number", "null"], "minimum": 0},
                "tags": {"type": "array", "items": {"enum": ["a", "b", "c"]}, "uniqueItems": true},
                "url": {"anyOf": [{"format": "uri"}, {"type": "null"}]},
            },
        },
    });
    let rows = (0..1_000).map(|at| {
        let mut row = row.clone();
        row["price"] = at.into();
        row
    });
    let spent = spent(&schema, &rows.collect()).expect("it is within the budget");
    assert!((10_000..10_000_000).contains(&spent), "{spent} units");
}

/// Each of these took a core for many seconds, some for minutes.
#[test]
fn what_would_take_a_core_for_long_is_refused_before_it_is_begun() {
    let branches: Vec<_> = (0..900).map(|at| json!({"const": at})).collect();
    let lists =
        (0..8_000).map(|at| (0..13).map(|bit| if at >> bit & 1 == 1 { json!([[]]) } else { json!([]) }).collect());
    let row = json!({"a": 1, "b": 2, "c": 3, "d": 4});
    let inner = json!({"allOf": vec![json!({"unevaluatedProperties": true}); 200]});
    for (what, schema, value) in [
        ("a pattern", json!({"pattern": "^(a?){900}a{900}$"}), json!("a".repeat(1_000_000))),
        ("patterns of names", json!({"patternProperties": {"(a?){900}": true}}), json!({"a".repeat(300_000): 1})),
        ("names", json!({"propertyNames": {"pattern": "(a?){900}"}}), json!({"a".repeat(300_000): 1})),
        ("alternatives", json!({"items": {"oneOf": branches}}), json!(vec!["x"; 50_000])),
        ("items without brackets", json!({"uniqueItems": true}), Value::Array(lists.collect())),
        ("a format that is a pattern", json!({"format": "regex"}), json!("\\d".repeat(100_000))),
        ("keys that are not evaluated", json!({"items": inner}), json!(vec![row; 60_000])),
        ("places", json!({"additionalProperties": {"items": false}}), json!({"k".repeat(4_000): vec![1; 200_000]})),
        ("words", json!({"items": {"enum": vec!["word"; 1_900]}}), json!(vec![1; 30_000])),
    ] {
        assert_eq!(spent(&schema, &value), None, "{what}");
    }
}

#[test]
fn every_error_is_paid_for() {
    let schema = json!({
        "items": {"properties": {"a": {"type": "string"}}, "additionalProperties": {"anyOf": [{"type": "null"}, {"minimum": 5}]}},
    });
    let value = json!(vec![json!({"a": 1, "b": 2, "c": "x"}); 500]);
    let mut budget = SchemaBudget::default();
    let schema = JsonSchema::new(&schema).expect("a schema");
    let found = schema.mismatches(&value, &mut budget).expect("it is within the budget");
    let told: usize = found.iter().map(|mismatch| mismatch.place.len() + mismatch.message.len()).sum();
    assert!(found.len() == 1_000 && budget.spent() > u64::try_from(told + 3_000).expect("it is small"), "{budget:?}");
}

#[test]
fn one_budget_bounds_many_values_together() {
    let schema = JsonSchema::new(&json!({"pattern": "^(a?){900}$"})).expect("a schema");
    let (value, mut budget, mut held) = (json!("a".repeat(10_000)), SchemaBudget::default(), 0);
    while schema.accepts(&value, &mut budget).is_ok() {
        held += 1;
    }
    assert!((5..50).contains(&held), "{held} values");
    assert_eq!(schema.accepts(&json!(1), &mut budget), Err(SchemaTooCostly), "nothing is left for another one");
}

#[test]
fn patterns_of_a_schema_are_bounded_together() {
    let named =
        |count: usize| (0..count).map(|at| (format!("{at}(a{{100}}){{100}}"), json!(true))).collect::<Map<_, _>>();
    assert!(JsonSchema::new(&json!({"patternProperties": named(4)})).is_ok());
    let refused = JsonSchema::new(&json!({"patternProperties": named(6)})).err().expect("they are too many");
    assert_eq!(refused.message, "expected patterns of at most 50000 characters, repetitions written out, found more");
}
