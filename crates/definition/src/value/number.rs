//! Numbers: their exact values, their one way of being written, and sums that are exact or refused.

use std::cmp::Ordering;

use serde_json::Number;

/// `2^64`: whole numbers end below it. Doubles hold it exactly.
const END: f64 = 18_446_744_073_709_551_616.0;

/// `-2^63`: whole numbers begin with it. Doubles hold it exactly.
const START: f64 = -9_223_372_036_854_775_808.0;

/// The exact value of a number.
#[derive(Debug, Clone, Copy)]
pub enum Exact {
    /// A whole number of 64 bits.
    Whole(i128),
    /// Any other: it has a fraction, or lies beyond 64 bits.
    Double(f64),
}

impl Exact {
    /// The value of a number of JSON.
    pub fn of(number: &Number) -> Self {
        let signed = number.as_i64().map(i128::from);
        let whole = signed.or_else(|| number.as_u64().map(i128::from)).map(Self::Whole);
        // What is neither is a double: the parser of JSON knows no other.
        whole.unwrap_or_else(|| Self::of_double(number.as_f64().unwrap_or(f64::NAN)))
    }

    /// The value of a double.
    pub fn of_double(number: f64) -> Self {
        let is_whole = number.fract() == 0.0 && (START..END).contains(&number);
        #[expect(clippy::cast_possible_truncation, reason = "checked: no fraction, and within 64 bits")]
        if is_whole { Self::Whole(number as i128) } else { Self::Double(number) }
    }

    /// The number, written in its one way; `None` of a double that is not finite.
    pub fn number(self) -> Option<Number> {
        match self {
            Self::Whole(whole) => {
                let signed = i64::try_from(whole).map(Number::from);
                signed.or_else(|_| u64::try_from(whole).map(Number::from)).ok()
            }
            Self::Double(double) => Number::from_f64(double),
        }
    }

    /// The nearest double.
    #[expect(clippy::cast_precision_loss, reason = "the nearest is asked for")]
    pub fn nearest(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Double(double) => double,
        }
    }
}

impl Ord for Exact {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => left.cmp(right),
            (Self::Double(left), Self::Double(right)) => left.total_cmp(right),
            (Self::Whole(left), Self::Double(right)) => whole_to_double(*left, *right),
            (Self::Double(left), Self::Whole(right)) => whole_to_double(*right, *left).reverse(),
        }
    }
}

/// The order of a whole number and a double that is none of 64 bits.
fn whole_to_double(whole: i128, double: f64) -> Ordering {
    if double >= END || double.is_nan() {
        return Ordering::Less;
    }
    if double < START {
        return Ordering::Greater;
    }
    // It has a fraction: it lies between its floor and the next whole number.
    #[expect(clippy::cast_possible_truncation, reason = "within 64 bits")]
    let floor = double.floor() as i128;
    if whole <= floor { Ordering::Less } else { Ordering::Greater }
}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Exact {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Exact {}

/// A number as text, the same for equal numbers: a whole number of 64 bits by its digits (`59`, also of 59.0), any other
/// as JSON writes a double, by the fewest digits that stand for it (`0.1`, `1e-7`, `2.5e+19`).
pub fn number_text(number: &Number) -> String {
    canonical_number(number).to_string()
}

/// A number in its one way of being written.
pub(super) fn canonical_number(number: &Number) -> Number {
    Exact::of(number).number().unwrap_or_else(|| number.clone())
}

/// Why a text is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// It is something else.
    #[error("expected a number")]
    NotANumber,
    /// It is too large to be held.
    #[error(
        "expected a whole number of at most 64 bits, or a number that a double holds; larger ones are kept as texts"
    )]
    TooLarge,
}

/// Reads the number that a text says: digits with an optional sign, point and exponent.
///
/// Written without point and exponent it is a whole number and must fit 64 bits. Any other is the nearest double, in its
/// one way of being written.
pub fn read_number(text: &str) -> Result<Number, NumberError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_whole {
        let signed = text.parse::<i64>().map(Number::from);
        return signed.or_else(|_| text.parse::<u64>().map(Number::from)).map_err(|_| NumberError::TooLarge);
    }
    // Not `inf`, `nan` or `infinity`.
    let begins_so = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let double: f64 = text.parse().ok().filter(|_| begins_so).ok_or(NumberError::NotANumber)?;
    Exact::of_double(double).number().ok_or(NumberError::TooLarge)
}

/// The sum of two numbers: exact of whole numbers, of doubles as soon as one has a fraction. `None` if it is a whole
/// number beyond 64 bits, or not finite.
pub fn add(left: &Number, right: &Number) -> Option<Number> {
    combined(left, right, i128::checked_add, |left, right| left + right)
}

/// The difference of two numbers; see [`add`].
pub fn subtract(left: &Number, right: &Number) -> Option<Number> {
    combined(left, right, i128::checked_sub, |left, right| left - right)
}

fn combined(
    left: &Number,
    right: &Number,
    whole: fn(i128, i128) -> Option<i128>,
    double: fn(f64, f64) -> f64,
) -> Option<Number> {
    match (Exact::of(left), Exact::of(right)) {
        (Exact::Whole(left), Exact::Whole(right)) => Exact::Whole(whole(left, right)?).number(),
        (left, right) => Exact::of_double(double(left.nearest(), right.nearest())).number(),
    }
}
