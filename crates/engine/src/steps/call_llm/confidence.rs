//! How sure a model says it is.

use serde_json::Value;

/// The field of an answer that says it.
const FIELD: &str = "confidence";

/// Why an answer is not sure enough. One that does not say how sure it is, is not.
pub(super) fn doubt(output: &Value, least: f64) -> Option<String> {
    match output.get(FIELD).and_then(Value::as_f64) {
        Some(found) if found >= least => None,
        Some(found) => Some(format!("confidence {found} is below {least}")),
        None => Some(format!("the answer says no confidence; at least {least} is asked for")),
    }
}

/// Why the confidence of an answer means nothing: it is there, and no number from 0 to 1. A model that says 85 for 0.85
/// would pass any bound.
pub(super) fn nonsense(output: &Value) -> Option<String> {
    let found = output.get(FIELD).filter(|found| !found.is_null())?;
    let is_share = found.as_f64().is_some_and(|share| (0.0..=1.0).contains(&share));
    (!is_share).then(|| format!("{FIELD}: expected a number from 0 to 1, found {}", crate::coerce::short(found)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_confidence_is_a_number_from_0_to_1() {
        for fine in [json!({"confidence": 0}), json!({"confidence": 1.0}), json!({"confidence": null}), json!({})] {
            assert_eq!(nonsense(&fine), None, "{fine}");
        }
        for wrong in [json!({"confidence": 85}), json!({"confidence": -0.1}), json!({"confidence": "high"})] {
            assert!(nonsense(&wrong).is_some(), "{wrong}");
        }
    }

    #[test]
    fn an_answer_without_confidence_is_not_sure() {
        assert_eq!(doubt(&json!({"confidence": 0.8}), 0.8), None);
        assert!(doubt(&json!({"confidence": 0.79}), 0.8).is_some());
        assert!(doubt(&json!({}), 0.0).is_some());
    }
}
