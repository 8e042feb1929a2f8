//! Which scripted answer a call gets, and which call was meant.

use std::cmp::Reverse;

use pawl_definition::step::FORM;
use pawl_runtime::ports::HttpRequest;
use serde_json::{Map, Value};
use url::Url;

use super::file::{CallTest, HttpScript};
use super::outside::fits_pattern;
use crate::scenario::contains;

/// Answers that are not used up. Those of the case come before those of the file; among those of one of them, the one
/// that says most about the call; among equals, the first.
pub(super) struct Answers {
    scripts: Vec<(Level, HttpScript)>,
}

/// Whose answer it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Case,
    File,
}

/// How much an answer says about its calls: about the URL, then the body, then the method.
type Said = (usize, bool, bool);

impl Answers {
    pub(super) fn new(case: &[HttpScript], file: &[HttpScript]) -> Self {
        let of = |level| move |script: &HttpScript| (level, script.clone());
        Self { scripts: case.iter().map(of(Level::Case)).chain(file.iter().map(of(Level::File))).collect() }
    }

    /// The answer to a call, or what is near to it.
    pub(super) fn next(&mut self, request: &HttpRequest) -> Result<HttpScript, String> {
        let fitting =
            self.scripts.iter_mut().filter(|(_, script)| script.times != Some(0) && script.when.fits(request));
        // Of equals, the first is the least.
        let best = fitting.min_by_key(|(level, script)| (*level, Reverse(script.when.said())));
        let Some((_, script)) = best else { return Err(self.near(request)) };
        script.times = script.times.map(|left| left - 1);
        Ok(script.clone())
    }

    fn near(&self, request: &HttpRequest) -> String {
        let scripts = || self.scripts.iter().map(|(_, script)| script);
        if scripts().any(|script| script.when.fits(request)) {
            return "; the answers that fit are used up by their `times`".to_owned();
        }
        let differs = |script: &HttpScript| {
            let CallTest { method, url, body } = &script.when;
            let written = url.as_deref().unwrap_or("any URL");
            if url.as_ref().is_none_or(|url| fits_url(url, &request.url)) {
                let by_method = method.as_ref().filter(|method| !method.eq_ignore_ascii_case(&request.method));
                let what = by_method.map_or_else(|| "another body".to_owned(), |method| format!("the method {method}"));
                return (by_method.is_some() || body.is_some())
                    .then(|| format!("; the answer for {written} is for {what}"));
            }
            let without_query = |url: &str| url.split('?').next().unwrap_or_default().to_owned();
            let same_path =
                url.as_ref().is_some_and(|url| fits_pattern(&without_query(&sent(url)), &without_query(&request.url)));
            same_path.then(|| format!("; the answer for {written} is for another query"))
        };
        scripts().find_map(differs).unwrap_or_else(|| {
            let known: Vec<_> = scripts().filter_map(|script| script.when.url.as_deref()).take(5).collect();
            if known.is_empty() { String::new() } else { format!("; answers are scripted for {}", known.join(", ")) }
        })
    }
}

impl CallTest {
    fn fits(&self, request: &HttpRequest) -> bool {
        self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&request.method))
            && self.url.as_ref().is_none_or(|url| fits_url(url, &request.url))
            && self.body.as_ref().is_none_or(|body| fits_body(body, request))
    }

    fn said(&self) -> Said {
        let url = self.url.as_deref().map_or(0, |url| match (url.matches('*').count(), url.contains('?')) {
            (0, true) => usize::MAX,
            (0, false) => usize::MAX - 1,
            (stars, _) => 1 + url.len() - stars,
        });
        (url, self.body.is_some(), self.method.is_some())
    }
}

/// Whether a call goes to a URL: without a query it stands for every query.
fn fits_url(written: &str, called: &str) -> bool {
    let called = if written.contains('?') { called } else { called.split('?').next().unwrap_or_default() };
    fits_pattern(&sent(written), called)
}

/// Whether a call goes to exactly this URL, its query included.
pub(crate) fn is_url(written: &str, called: &str) -> bool {
    fits_pattern(&sent(written), called)
}

/// A URL as it is sent, if it is a whole one; `*` stands for any text.
fn sent(written: &str) -> String {
    let mut url = match Url::parse(written) {
        Ok(url) if url.has_host() => url,
        _ => return written.to_owned(),
    };
    url.set_fragment(None);
    let sent = String::from(url);
    // A star that stands for a path stays one.
    if written.ends_with('*') && !sent.ends_with('*') { written.to_owned() } else { sent }
}

/// Whether the body of a call is, or holds, what is expected. A form is an object of its fields.
pub(crate) fn fits_body(expected: &Value, request: &HttpRequest) -> bool {
    let Some(body) = &request.body else { return expected.is_null() };
    if expected.as_str() == Some(body) {
        return true;
    }
    let kind = request.headers.get("content-type").map(String::as_str).unwrap_or_default();
    let found = if kind.to_ascii_lowercase().starts_with(FORM) {
        fields(body)
    } else {
        serde_json::from_str(body).unwrap_or_else(|_| body.clone().into())
    };
    contains(&found, expected)
}

fn fields(form: &str) -> Value {
    let mut fields = Map::new();
    for (name, value) in url::form_urlencoded::parse(form.as_bytes()) {
        let value = Value::from(value.into_owned());
        match fields.get_mut(&*name) {
            None => drop(fields.insert(name.into_owned(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::SignedDuration;
    use serde_json::json;

    use super::*;

    fn call(method: &str, url: &str) -> HttpRequest {
        let timeout = SignedDuration::from_secs(1);
        HttpRequest { method: method.to_owned(), url: url.to_owned(), headers: BTreeMap::new(), body: None, timeout }
    }

    fn scripts(written: &Value) -> Vec<HttpScript> {
        serde_json::from_value(written.clone()).expect("the test's scripts are well-formed")
    }

    /// The statuses with which calls are answered, or what is near.
    fn answered(case: &Value, file: &Value, calls: &[(&str, &str)]) -> Vec<String> {
        let mut answers = Answers::new(&scripts(case), &scripts(file));
        let status = |script: HttpScript| script.answer.map_or(0, |answer| answer.status).to_string();
        calls.iter().map(|(method, url)| answers.next(&call(method, url)).map_or_else(|near| near, status)).collect()
    }

    #[test]
    fn the_answer_that_says_most_wins_and_a_url_without_query_is_for_every_query() {
        let case = json!([
            {"answer": {"status": 200}},
            {"when": {"url": "https://a.example/*"}, "answer": {"status": 201}},
            {"when": {"url": "https://a.example/items"}, "answer": {"status": 202}},
            {"when": {"url": "https://a.example/items?page=2"}, "answer": {"status": 203}},
            {"when": {"url": "https://a.example/items", "method": "POST"}, "answer": {"status": 204}},
        ]);
        let calls = [
            ("GET", "https://b.example/"),
            ("GET", "https://a.example/x"),
            ("GET", "https://a.example/items?page=1"),
            ("GET", "https://a.example/items?page=2"),
            ("POST", "https://a.example/items"),
        ];
        assert_eq!(answered(&case, &json!([]), &calls), ["200", "201", "202", "203", "204"]);
    }

    #[test]
    fn answers_of_the_case_come_first_and_equals_in_their_order() {
        let url = "https://a.example/x";
        let case = json!([
            {"when": {"url": url}, "times": 1, "answer": {"status": 503}},
            {"when": {"url": url}, "times": 1, "answer": {"status": 504}},
            {"when": {"method": "GET"}, "times": 1, "answer": {"status": 505}},
        ]);
        let file = json!([{"when": {"url": url}, "answer": {"status": 200}}]);
        assert_eq!(answered(&case, &file, &[("GET", url); 4]), ["503", "504", "505", "200"]);
    }

    #[test]
    fn what_is_near_to_a_call_is_told() {
        let case = json!([
            {"when": {"url": "https://a.example/items?page=1"}, "answer": {}},
            {"when": {"url": "https://a.example/orders", "method": "POST"}, "answer": {}},
            {"when": {"url": "https://a.example/once"}, "times": 1, "answer": {}},
        ]);
        let calls = [
            ("GET", "https://a.example/items?page=2"),
            ("GET", "https://a.example/orders"),
            ("GET", "https://a.example/once"),
            ("GET", "https://a.example/once"),
            ("GET", "https://b.example/"),
        ];
        assert_eq!(
            answered(&case, &json!([]), &calls),
            [
                "; the answer for https://a.example/items?page=1 is for another query",
                "; the answer for https://a.example/orders is for the method POST",
                "200",
                "; the answers that fit are used up by their `times`",
                "; answers are scripted for https://a.example/items?page=1, https://a.example/orders, https://a.example/once",
            ]
        );
    }

    #[test]
    fn urls_are_compared_as_they_are_sent() {
        assert!(is_url("https://A.example", "https://a.example/"));
        assert!(is_url("https://a.example/a b?c=ü", "https://a.example/a%20b?c=%C3%BC"));
        assert!(is_url("https://a.example/*", "https://a.example/x?y"));
        assert!(is_url("https://*.example/x", "https://a.example/x"));
        assert!(is_url("*", "https://a.example/x"));
        assert!(!is_url("https://a.example/x", "https://a.example/x?y"), "the query is a part of it");
        assert!(!is_url("https://a.example/../x/y", "https://a.example/y"));
    }

    #[test]
    fn a_form_is_expected_as_an_object_or_as_text() {
        let mut request = call("POST", "https://a.example/");
        request.headers.insert("content-type".to_owned(), FORM.to_owned());
        request.body = Some("a=1&b=x+y&b=z".to_owned());
        assert!(fits_body(&json!({"b": ["x y", "z"]}), &request));
        assert!(fits_body(&json!("a=1&b=x+y&b=z"), &request));
        assert!(!fits_body(&json!({"a": "2"}), &request));
    }
}
