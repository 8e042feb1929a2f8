//! Expectations as condition expressions. An item that expired counts as absent, whether the service has deleted it
//! or not.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use pawl_runtime::ports::{Expect, Item};

use super::layout::{Attributes, BODY, COUNT, number, write};

const LIVE: &str = "(attribute_not_exists(em) OR em > :now)";

/// A condition expression with the values that it names.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    pub(super) expression: String,
    pub(super) values: Attributes,
}

impl Condition {
    fn new<const N: usize>(expression: String, values: [(&str, AttributeValue); N]) -> Self {
        Self { expression, values: values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() }
    }

    /// What must hold for an expectation to hold at a time; nothing for [`Expect::Any`].
    pub(super) fn expect(expect: Expect, now: Timestamp) -> Option<Self> {
        let now = (":now", at(now));
        Some(match expect {
            Expect::Any => return None,
            Expect::Absent => Self::new("attribute_not_exists(pk) OR em <= :now".to_owned(), [now]),
            Expect::Present => Self::new(format!("attribute_exists(pk) AND {LIVE}"), [now]),
            Expect::Version(version) => Self::new(format!("v = :v AND {LIVE}"), [(":v", number(version)), now]),
        })
    }

    /// What must hold for the service to add to a counter by itself: the item is a live counter or absent, and the
    /// sum is neither clamped nor above its bound. Everything else is decided here, by [`super::counter`].
    pub(super) fn adds(amount: i64, at_most: Option<i64>, now: Timestamp) -> Self {
        let most = at_most.unwrap_or(i64::MAX);
        let floor = (":floor", number(0 - i128::from(amount)));
        let ceiling = (":ceiling", number(i128::from(most) - i128::from(amount)));
        let within = format!("{LIVE} AND n >= :floor AND n <= :ceiling");
        let expression =
            if (0..=most).contains(&amount) { format!("attribute_not_exists(pk) OR ({within})") } else { within };
        Self::new(expression, [floor, ceiling, (":now", at(now))])
    }

    /// What must hold for exactly this item to stand there still, live.
    pub(super) fn unchanged(seen: &Item, now: Timestamp) -> Self {
        let version = [(":v", number(seen.version)), (":now", at(now))];
        let mut stored = write(seen);
        let Some((name, body)) = [COUNT, BODY].into_iter().find_map(|name| Some((name, stored.remove(name)?))) else {
            // Another version of the library may have packed the same body to other bytes.
            return Self::new(format!("v = :v AND attribute_not_exists({COUNT}) AND {LIVE}"), version);
        };
        let [version, now] = version;
        Self::new(format!("v = :v AND {name} = :seen AND {LIVE}"), [version, (":seen", body), now])
    }
}

/// Rounded down: what expires after it has a greater whole number of microseconds.
fn at(now: Timestamp) -> AttributeValue {
    number(now.as_nanosecond().div_euclid(1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::new(10, 1_999).expect("in range")
    }

    fn check(condition: &Condition, expression: &str, values: &[(&str, &str)]) {
        assert_eq!(condition.expression, expression);
        let number = |value: &AttributeValue| value.as_n().expect("a number").clone();
        let mut found: Vec<_> = condition.values.iter().map(|(name, value)| (name.clone(), number(value))).collect();
        found.sort();
        let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(found, values);
    }

    #[test]
    fn an_expired_item_counts_as_absent() {
        let absent = Condition::expect(Expect::Absent, now()).expect("a condition");
        check(&absent, "attribute_not_exists(pk) OR em <= :now", &[(":now", "10000001")]);
        let version = Condition::expect(Expect::Version(3), now()).expect("a condition");
        check(&version, "v = :v AND (attribute_not_exists(em) OR em > :now)", &[(":now", "10000001"), (":v", "3")]);
        assert_eq!(Condition::expect(Expect::Any, now()), None);
    }

    #[test]
    fn only_a_sum_in_range_is_left_to_the_service() {
        let within = "(attribute_not_exists(em) OR em > :now) AND n >= :floor AND n <= :ceiling";
        let or_absent = format!("attribute_not_exists(pk) OR ({within})");
        let check = |amount, at_most, expression: &str, floor, ceiling| {
            let condition = Condition::adds(amount, at_most, now());
            check(&condition, expression, &[(":ceiling", ceiling), (":floor", floor), (":now", "10000001")]);
        };
        check(2, Some(5), &or_absent, "-2", "3");
        check(2, Some(1), within, "-2", "-1");
        check(-2, None, within, "2", "9223372036854775809");
        check(i64::MIN, Some(0), within, "9223372036854775808", "9223372036854775808");
    }
}
