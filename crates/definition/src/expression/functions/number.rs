//! Functions of numbers.

use super::{Call, Outcome};
use crate::expression::operate::double;
use crate::expression::val::Val;

/// Most decimal places that `round` takes: a double has no more.
const MOST_PLACES: i64 = 15;

/// `round(x, places)`: half away from zero, as people do it on paper; to a whole number if no places are given.
pub(super) fn round<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let places = if call.arguments.len() == 2 { call.integer(1)? } else { 0 };
    let Some(places) = usize::try_from(places).ok().filter(|_| places <= MOST_PLACES) else {
        return Err(call.bad(format!("expected 0 to {MOST_PLACES} places, found {places}")));
    };
    match call.first() {
        whole @ (Val::Int(_) | Val::Uint(_)) => Ok(whole),
        Val::Double(number) if !number.is_finite() => Err(call.bad(format!("{number} cannot be rounded"))),
        val => {
            let number = double(&val).ok_or_else(|| call.wrong(0, "a number"))?;
            let text = rounded(number, places);
            let whole = text.parse().ok().filter(|_| places == 0).map(Val::Int);
            let double = || text.parse().map(Val::Double).map_err(|_| call.bad("the number is out of range"));
            whole.map_or_else(double, Ok)
        }
    }
}

/// Rounds the digits that people see: the shortest that stand for the number. Arithmetic would round 1.005 to 1.00,
/// since the double is a little less.
fn rounded(number: f64, places: usize) -> String {
    let shown = number.abs().to_string();
    let (whole, fraction) = shown.split_once('.').unwrap_or((&shown, ""));
    let mut digits: Vec<u8> =
        whole.bytes().chain(fraction.bytes().chain(std::iter::repeat(b'0')).take(places)).collect();
    if fraction.as_bytes().get(places).is_some_and(|next| *next >= b'5') {
        let nines = digits.iter().rev().take_while(|digit| **digit == b'9').count();
        let carried = digits.len() - nines;
        digits[carried..].fill(b'0');
        match carried.checked_sub(1) {
            Some(place) => digits[place] += 1,
            None => digits.insert(0, b'1'),
        }
    }
    let point = digits.len() - places;
    let text = |digits: &[u8]| digits.iter().map(|digit| char::from(*digit)).collect::<String>();
    let sign = if number < 0.0 && digits.iter().any(|digit| *digit != b'0') { "-" } else { "" };
    let dot = if places == 0 { "" } else { "." };
    format!("{sign}{}{dot}{}", text(&digits[..point]), text(&digits[point..]))
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn halves_go_away_from_zero_by_the_digits_shown() {
        for (number, places, expected) in [
            (2.5, 0, "3"),
            (-2.5, 0, "-3"),
            (1.005, 2, "1.01"),
            (0.1 + 0.2, 2, "0.30"),
            (9.996, 2, "10.00"),
            (99.5, 0, "100"),
            (-0.4, 0, "0"),
            (1e21, 0, "1000000000000000000000"),
            (1e-7, 3, "0.000"),
            (12.0, 2, "12.00"),
        ] {
            assert_eq!(rounded(number, places), expected, "round({number}, {places})");
        }
    }
}
