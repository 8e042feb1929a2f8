//! What is told of the step `http_request`: how it is signed, and which pages follow.

use crate::support::check;

fn told(keys: &str) -> Vec<String> {
    let (_, problems) = check(&format!(
        "workflow: w\nowner: ada@example.com\nsteps:\n  - {{id: call, type: http_request, url: 'https://x.example', {keys}}}\n  - {{id: end, type: note, text: '{{{{ steps.call.output.pages }}}}'}}"
    ));
    problems
        .iter()
        .filter(|problem| !problem.path.contains("steps[1]"))
        .map(|problem| format!("{} {}: {}", problem.code, problem.path, problem.message))
        .collect()
}

#[track_caller]
fn refused(keys: &str, expected: &str) {
    let told = told(keys);
    assert!(told.iter().any(|line| line.starts_with(expected)), "{keys}: {told:#?}");
}

#[test]
fn a_signature_names_its_secret_and_its_headers() {
    assert_eq!(told("sign: {standard-webhooks: {secret: partner}}"), [""; 0]);
    assert_eq!(told("sign: {hmac: {secret: '{{ secret(\"partner\") }}', header: X-Sig, prefix: 'sha256='}}"), [""; 0]);
    for (keys, expected) in [
        ("sign: {hmac: {header: x-sig}}", "missing_key"),
        ("sign: {hmac: {secret: partner}}", "missing_key"),
        ("sign: {hmac: {secret: '{{ vars.x }}', header: x-sig}}", "invalid_value"),
        ("sign: {hmac: {secret: k, header: 'x sig'}}", "invalid_value"),
        ("sign: {hmac: {secret: k, header: Host}}", "invalid_value"),
        ("sign: {hmac: {secret: k, header: Content-Type}}", "invalid_value"),
        ("sign: {hmac: {secret: k, header: x-sig, timestamp_header: X-Sig}}", "duplicate_key"),
        ("sign: {hmac: {secret: k, header: x-sig}}, headers: {X-Sig: mine}", "duplicate_key"),
        ("sign: {standard-webhooks: {secret: k}}, headers: {Webhook-Id: mine}", "duplicate_key"),
        ("sign: {hmac: {secret: k, header: x-sig, algorithm: md5}}", "unknown_word"),
        ("sign: {github: {secret: k}}", "unknown_key"),
    ] {
        refused(keys, expected);
    }
}

#[test]
fn pages_are_followed_by_a_link_or_an_expression() {
    assert_eq!(told("follow: {link: true}"), [""; 0]);
    assert_eq!(told("follow: {next: answer.body.next, items: answer.body.data, most: 100}"), [""; 0]);
    for (keys, expected) in [
        ("follow: {}", "exactly_one"),
        ("follow: {link: true, next: answer.body.next}", "exactly_one"),
        ("follow: {link: true}, method: POST", "not_allowed"),
        ("follow: {link: true, most: 0}", "out_of_range"),
        ("follow: {link: true, most: 101}", "out_of_range"),
        ("follow: {next: answer.bdy.next}", "expression_"),
        ("follow: {next: 'secret(\"k\")'}", "expression_secret"),
        ("query: {x: '{{ answer.body }}'}", "expression_unknown_name"),
    ] {
        refused(keys, expected);
    }
}
