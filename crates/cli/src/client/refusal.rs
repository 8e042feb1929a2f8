//! Refusals that are not an installation's own. API Gateway answers by itself where it lets nothing through: such an
//! answer has a `message`, but neither code nor advice.

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{DATE, HeaderMap};
use reqwest::{Response, StatusCode};
use serde_json::Value;

use crate::table;

/// AWS takes a signature for as long as its time is within this of AWS's own.
const SKEW_MOST_S: i64 = 5 * 60;

/// Characters of a foreign answer that are shown.
const SHOWN_MOST: usize = 300;

/// What a refused request carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    Nothing,
    Token,
    Signature,
}

/// An answer that no installation gave.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    /// When it was given, by the other side's clock.
    at: Option<Timestamp>,
    message: String,
}

impl Refusal {
    /// Begins with what is known before the body is read.
    pub(super) fn of(answer: &Response) -> Self {
        Self { status: answer.status(), at: date(answer.headers()), message: String::new() }
    }

    /// Takes what the body says.
    pub(super) fn saying(mut self, body: &Value) -> Self {
        let message = ["message", "Message"].iter().find_map(|key| body.get(key));
        self.message = table::cut(message.unwrap_or(body).as_str().unwrap_or_default().trim(), SHOWN_MOST);
        self
    }

    /// What a person can do about it, with what the answer says.
    pub(super) fn explain(&self, proof: Proof, now: Timestamp) -> String {
        let advice = match proof {
            Proof::Nothing => self.of_nothing(),
            Proof::Token => self.of_token(),
            Proof::Signature => self.of_signature(now),
        };
        let said = if self.message.is_empty() { String::new() } else { format!(": {}", self.message) };
        format!("{} (answered {}{said})", advice.unwrap_or_else(|| self.of_any()), self.status)
    }

    fn says(&self, part: &str) -> bool {
        self.message.contains(part)
    }

    fn of_nothing(&self) -> Option<&'static str> {
        match self.status {
            StatusCode::UNAUTHORIZED => Some("the installation asks for a token: say --token or set PAWL_TOKEN"),
            StatusCode::FORBIDDEN => {
                Some("the API requires authorization: use --auth sigv4 to sign with AWS credentials, or --token")
            }
            _ => None,
        }
    }

    fn of_token(&self) -> Option<&'static str> {
        match self.status {
            StatusCode::UNAUTHORIZED => {
                Some("the API does not take this token: it is wrong, expired, or for another API")
            }
            StatusCode::FORBIDDEN => Some(
                "the API does not let this token in: it lacks a scope, or the API authorizes by IAM: say --auth sigv4",
            ),
            _ => None,
        }
    }

    fn of_signature(&self, now: Timestamp) -> Option<&'static str> {
        let is_skewed = self.at.is_some_and(|at| (now.as_second() - at.as_second()).abs() > SKEW_MOST_S);
        match self.status {
            StatusCode::UNAUTHORIZED => Some("the API asks for a token, not for a signature: say --token"),
            StatusCode::FORBIDDEN if self.says("should be scoped to") => Some(
                "the request was signed for another region than the API's: set AWS_REGION to the region of the API",
            ),
            StatusCode::FORBIDDEN if is_skewed || self.says("Signature expired") || self.says("not yet current") => {
                Some("this machine's clock and that of AWS are more than 5 minutes apart: set the clock")
            }
            StatusCode::FORBIDDEN if self.says("token included in the request is expired") => {
                Some("the AWS credentials have expired: log in again, such as by `aws sso login`, or set the keys anew")
            }
            StatusCode::FORBIDDEN if self.says("token included in the request is invalid") => Some(
                "AWS does not know these credentials: the access key was deleted, or AWS_SESSION_TOKEN is missing or \
                 of other keys",
            ),
            StatusCode::FORBIDDEN if self.says("does not match") => Some(
                "the signature is not as AWS computes it: the secret access key is not that of the access key id, or \
                 a proxy changes requests",
            ),
            StatusCode::FORBIDDEN if self.says("Missing Authentication Token") => Some(ELSEWHERE),
            StatusCode::FORBIDDEN => Some(
                "IAM does not let these credentials call the API: `aws sts get-caller-identity` says whose they are; \
                 they need `execute-api:Invoke` on it, and must not have expired; the API's access log names the reason",
            ),
            _ => None,
        }
    }

    fn of_any(&self) -> &'static str {
        match self.status {
            StatusCode::NOT_FOUND => ELSEWHERE,
            StatusCode::PAYLOAD_TOO_LARGE => "the request is larger than API Gateway takes",
            StatusCode::TOO_MANY_REQUESTS => "the API takes no more requests for now: try again in a moment",
            status if status.is_server_error() => {
                "the installation's function failed or took too long: look at the log of the function `api`"
            }
            _ => "this is no answer of an installation: check --endpoint",
        }
    }
}

/// What an unknown path means: every path that the command line asks for is served.
const ELSEWHERE: &str = "no installation is served there: --endpoint must be the API URL that the deployment put out, with \
                         its stage if it has one";

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(DATE)?.to_str().ok()?;
    Some(rfc2822::parse(text).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: &str = "2026-11-21T08:00:00Z";

    fn told(proof: Proof, status: u16, body: &Value) -> String {
        let at = NOW.parse().ok();
        let refusal = Refusal { status: StatusCode::from_u16(status).expect("it is one"), at, message: String::new() };
        refusal.saying(body).explain(proof, NOW.parse().expect("it is a time"))
    }

    #[test]
    fn each_refusal_of_a_signature_says_what_to_do() {
        let refusals = [
            ("Credential should be scoped to a valid region, not 'us-east-1'. ", "set AWS_REGION"),
            ("Signature expired: 20261121T074000Z is now earlier than 20261121T075500Z", "set the clock"),
            ("Signature not yet current: 20261121T082000Z is still later than 20261121T080500Z", "set the clock"),
            ("The security token included in the request is expired", "have expired: log in again"),
            ("The security token included in the request is invalid.", "AWS does not know these credentials"),
            (
                "The request signature we calculated does not match the signature you provided.",
                "is not as AWS computes it",
            ),
            ("Missing Authentication Token", "no installation is served there"),
            ("Forbidden", "they need `execute-api:Invoke`"),
            (
                "User: arn:aws:iam::1:user/a is not authorized to perform: execute-api:Invoke",
                "they need `execute-api:Invoke`",
            ),
        ];
        for (message, advice) in refusals {
            let told = told(Proof::Signature, 403, &json!({"message": message}));
            assert!(
                told.contains(advice) && told.ends_with(&format!("(answered 403 Forbidden: {})", message.trim())),
                "{told}"
            );
        }
    }

    #[test]
    fn a_clock_that_is_off_is_named_although_the_answer_says_nothing() {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, "Sat, 21 Nov 2026 08:06:00 GMT".parse().expect("it is a value"));
        let refusal = Refusal { status: StatusCode::FORBIDDEN, at: date(&headers), message: "Forbidden".into() };
        let now = |text: &str| text.parse().expect("it is a time");
        assert!(refusal.explain(Proof::Signature, now(NOW)).contains("set the clock"));
        assert!(!refusal.explain(Proof::Signature, now("2026-11-21T08:02:00Z")).contains("set the clock"));
    }

    #[test]
    fn who_sends_nothing_or_a_token_is_told_what_the_api_asks_for() {
        let forbidden = json!({"message": "Forbidden"});
        let unauthorized = json!({"message": "Unauthorized"});
        assert!(told(Proof::Nothing, 401, &unauthorized).starts_with("the installation asks for a token"));
        assert!(told(Proof::Nothing, 403, &forbidden).contains("--auth sigv4"));
        assert!(
            told(Proof::Nothing, 403, &json!({"message": "Missing Authentication Token"})).contains("--auth sigv4")
        );
        assert!(told(Proof::Token, 401, &unauthorized).contains("wrong, expired"));
        assert!(told(Proof::Token, 403, &forbidden).contains("--auth sigv4"));
        assert!(told(Proof::Signature, 401, &unauthorized).contains("--token"));
    }

    #[test]
    fn whatever_else_answers_is_told_with_its_status() {
        let told = |status, body: &Value| told(Proof::Signature, status, body);
        assert!(told(404, &json!({"message": "Not Found"})).contains("with its stage"));
        assert!(told(429, &json!({"message": "Too Many Requests"})).contains("in a moment"));
        assert!(told(503, &json!({"message": "Service Unavailable"})).contains("log of the function `api`"));
        let page = json!("<html>\nI am a proxy</html>");
        assert_eq!(
            told(418, &page),
            "this is no answer of an installation: check --endpoint (answered 418 I'm a teapot: <html> I am a proxy</html>)"
        );
    }
}
