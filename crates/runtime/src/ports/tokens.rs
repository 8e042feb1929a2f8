//! How many tokens a model read and wrote, and what they cost.

use serde_json::Value;

/// Most tokens of one call that are believed. No model reads or writes as many; a larger number is a server's mistake.
const MOST: u64 = 1_000_000_000;

/// Bytes that count as one token where a provider does not say: about what common tokenizers make of English, and more
/// tokens than they make of nothing.
const BYTES_PER_TOKEN: u64 = 4;

/// Tokens of one call, as far as they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenCounts {
    /// Tokens read.
    pub input: Option<u64>,
    /// Tokens written.
    pub output: Option<u64>,
}

impl TokenCounts {
    /// Reads a provider's `usage`: `prompt_tokens` and `completion_tokens`, or `input_tokens` and `output_tokens`. A number
    /// may come as a fraction (`3.0`) or as text; what is no number of tokens is not known.
    pub fn read(usage: &Value) -> Self {
        let of = |names: [&str; 2]| names.iter().find_map(|name| count(usage.get(*name)?));
        let (input, output) = (of(["prompt_tokens", "input_tokens"]), of(["completion_tokens", "output_tokens"]));
        let total = usage.get("total_tokens").and_then(count);
        let rest = |known: Option<u64>| total?.checked_sub(known?);
        Self { input: input.or_else(|| rest(output)), output: output.or_else(|| rest(input)) }
    }

    /// The tokens read and written, and whether any of it is an estimate: of so many bytes sent and received, a token
    /// for each four, rounded up. That takes the place of what is not known, and of no tokens for some bytes.
    pub fn or_estimate(self, sent: usize, received: usize) -> (u64, u64, bool) {
        let or = |known: Option<u64>, bytes: usize| {
            let estimate = u64::try_from(bytes).unwrap_or(MOST).min(MOST).div_ceil(BYTES_PER_TOKEN);
            match known {
                Some(tokens) if tokens > 0 || estimate == 0 => (tokens, false),
                _ => (estimate, estimate > 0),
            }
        };
        let ((input, one), (output, other)) = (or(self.input, sent), or(self.output, received));
        (input, output, one || other)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be a whole number below 2^53")]
fn count(value: &Value) -> Option<u64> {
    let count = match value {
        Value::Number(number) => number.as_u64().or_else(|| {
            let fraction = number.as_f64().filter(|f| (0.0..=1e15).contains(f) && f.fract() == 0.0)?;
            Some(fraction as u64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    count.filter(|count| *count <= MOST)
}

/// What a million tokens cost, in US dollars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// Tokens read.
    pub input: f64,
    /// Tokens written.
    pub output: f64,
}

impl Price {
    /// The price of one call, in US dollars.
    #[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^52")]
    pub fn of(self, input_tokens: u64, output_tokens: u64) -> f64 {
        (input_tokens as f64 * self.input + output_tokens as f64 * self.output) / 1_000_000.0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn reads(usage: &Value, input: Option<u64>, output: Option<u64>) {
        assert_eq!(TokenCounts::read(usage), TokenCounts { input, output }, "{usage}");
    }

    #[test]
    fn usage_is_read_in_every_form_that_servers_give_it() {
        reads(&json!({"prompt_tokens": 3, "completion_tokens": 5}), Some(3), Some(5));
        reads(&json!({"input_tokens": 3.0, "output_tokens": "5"}), Some(3), Some(5));
        reads(&json!({"prompt_tokens": 3, "total_tokens": 8}), Some(3), Some(5));
        reads(&json!({"prompt_tokens": null, "completion_tokens": 5, "total_tokens": 8}), Some(3), Some(5));
        for nothing in [json!(null), json!([]), json!("none"), json!({}), json!({"prompt_tokens": {}})] {
            reads(&nothing, None, None);
        }
    }

    #[test]
    fn what_is_no_number_of_tokens_is_not_known() {
        for absurd in [json!(-1), json!(2.5), json!(u64::MAX), json!(1e300), json!("many"), json!(1_000_000_001)] {
            reads(&json!({"prompt_tokens": absurd, "completion_tokens": 5}), None, Some(5));
        }
        reads(&json!({"completion_tokens": 5, "total_tokens": 3}), None, Some(5));
    }

    #[test]
    fn what_is_not_known_is_estimated() {
        let known = TokenCounts { input: Some(3), output: Some(5) };
        assert_eq!(known.or_estimate(400, 400), (3, 5, false));
        assert_eq!(TokenCounts::default().or_estimate(5, 8), (2, 2, true));
        assert_eq!(TokenCounts { input: Some(0), ..known }.or_estimate(5, 0), (2, 5, true));
        assert_eq!(TokenCounts { output: Some(0), ..known }.or_estimate(5, 0), (3, 0, false));
    }
}
