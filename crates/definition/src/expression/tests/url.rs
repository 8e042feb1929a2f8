//! URLs in which data stays where it is put.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::world;
use crate::Template;
use crate::expression::redact_text;

fn made(template: &str, x: &Value) -> String {
    let scope = world(json!({"vars": {"x": x, "base": "https://a.example/v1", "none": null}})).with_secrets();
    let template = Template::parse(&json!(template)).expect("a test's template is well-formed");
    template.resolve_url(&scope).map_or_else(|error| format!("! {error}"), |url| redact_text(&url))
}

#[test]
fn a_value_in_a_path_is_one_segment_and_in_a_query_one_value() {
    let hostile = json!("../../admin?all=1#");
    for (template, expected) in [
        ("https://a.example/c/{{ vars.x }}", "https://a.example/c/..%2F..%2Fadmin%3Fall%3D1%23"),
        ("https://a.example/c/{{ vars.x }}/d", "https://a.example/c/..%2F..%2Fadmin%3Fall%3D1%23/d"),
        ("https://a.example/c/v-{{ vars.x }}.json", "https://a.example/c/v-..%2F..%2Fadmin%3Fall%3D1%23.json"),
        ("https://a.example/c?q={{ vars.x }}&r=1", "https://a.example/c?q=..%2F..%2Fadmin%3Fall%3D1%23&r=1"),
        ("https://a.example/c#{{ vars.x }}", "https://a.example/c#..%2F..%2Fadmin%3Fall%3D1%23"),
        ("https://me:{{ vars.x }}@a.example/", "https://me:..%2F..%2Fadmin%3Fall%3D1%23@a.example/"),
        ("{{ vars.base }}/c/{{ vars.x }}", "https://a.example/v1/c/..%2F..%2Fadmin%3Fall%3D1%23"),
        ("{{ secret('base') }}/c/{{ vars.x }}", "[secret:base]/c/..%2F..%2Fadmin%3Fall%3D1%23"),
        ("https://a.example/{{ urlencode(vars.x) }}", "https://a.example/..%2F..%2Fadmin%3Fall%3D1%23"),
        ("https://a.example/bot{{ secret('t/1') }}/send", "https://a.example/bot[secret:t/1]/send"),
    ] {
        assert_eq!(made(template, &hostile), expected, "{template}");
    }
    assert_eq!(made("https://a.example/{{ vars.x }}", &json!(7)), "https://a.example/7");
    assert_eq!(made("{{ vars.x }}", &json!("https://b.example/a/../c?d=1")), "https://b.example/a/../c?d=1");
}

#[test]
fn a_segment_from_a_value_is_neither_empty_nor_a_step() {
    for x in [json!("."), json!(".."), json!(""), json!(null)] {
        for template in [
            "https://a.example/c/{{ vars.x }}",
            "{{ secret('base') }}/{{ vars.x }}/d",
            "{{ vars.base }}/{{ vars.x }}?e",
        ] {
            let made = made(template, &x);
            assert!(made.contains("would lead to another path"), "{template} {x}: {made}");
        }
    }
    assert!(made("https://a.example/.{{ vars.x }}/c", &json!(".")).starts_with('!'));
    assert!(made("https://a.example/%2e{{ vars.x }}/c", &json!(".")).starts_with('!'));
    assert_eq!(made("https://a.example/{{ vars.x }}", &json!("%2e%2e")), "https://a.example/%252e%252e");
    assert_eq!(made("https://a.example/{{ vars.x }}", &json!("...")), "https://a.example/...");
    assert_eq!(made("https://a.example/c?q={{ vars.x }}", &json!("..")), "https://a.example/c?q=..");
    assert_eq!(made("https://a.example/c?q={{ vars.none }}", &json!("")), "https://a.example/c?q=");
    assert_eq!(made("https://a.example/c/v{{ vars.x }}", &json!("")), "https://a.example/c/v");
}

#[test]
fn a_value_in_a_host_or_port_cannot_change_the_server() {
    for (template, x, expected) in [
        ("https://{{ vars.x }}.shop.example/a", "my-shop", "https://my-shop.shop.example/a"),
        ("https://{{ vars.x }}.shop.example/a", "eu.my-shop", "https://eu.my-shop.shop.example/a"),
        ("https://{{ vars.x }}/a", "api.example", "https://api.example/a"),
        ("https://{{ vars.x }}:8080/a", "api.example", "https://api.example:8080/a"),
        ("https://api-{{ vars.x }}/a", "eu", "https://api-eu/a"),
        ("http://localhost:{{ vars.x }}/a", "8080", "http://localhost:8080/a"),
        ("https://{{ secret('tenant') }}.shop.example/a", "", "https://[secret:tenant].shop.example/a"),
    ] {
        assert_eq!(made(template, &json!(x)), expected, "{template}");
    }
    for (template, x) in [
        ("https://{{ vars.x }}.shop.example/a", "evil.example/"),
        ("https://{{ vars.x }}.shop.example/a", "evil.example#"),
        ("https://{{ vars.x }}.shop.example/a", "evil.example\\"),
        ("https://{{ vars.x }}.shop.example/a", "user@evil.example:80"),
        ("https://{{ vars.x }}.shop.example/a", ""),
        ("https://api.{{ vars.x }}/a", "evil.example"),
        ("https://api.{{ vars.x }}{{ vars.x }}/a", "evil.example"),
        ("https://api.example{{ vars.x }}", ".evil.example"),
        ("https://api.example{{ vars.x }}", "/path"),
        ("https://api.example{{ vars.x }}", "@evil.example"),
        ("https://api.example:{{ vars.x }}/a", "80@evil.example"),
        ("https://api.example:{{ vars.x }}/a", ""),
        ("{{ vars.x }}.example/a", "https://evil"),
        ("{{ vars.x }}@api.example/a", "https://evil"),
        ("{{ vars.x }}://api.example/a", "https"),
        ("{{ vars.base }}{{ vars.x }}", ""),
        ("{{ secret('base') }}{{ vars.x }}/a", ".evil.example"),
        ("{{ vars.x }}{{ vars.x }}", "https://a.example"),
    ] {
        let made = made(template, &json!(x));
        assert!(made.starts_with('!'), "{template} {x:?}: {made}");
        assert!(!made.contains("evil"), "a value is not repeated: {made}");
    }
}

#[test]
fn data_cannot_choose_a_secret() {
    for template in [
        "https://a.example/{{ replace(secret('a'), 'a', vars.x) }}",
        "https://a.example/{{ split(secret('a'), 'a').join(vars.x) }}",
        "https://a.example/{{ upper(secret('a')) }}",
        "https://a.example/{{ base64_decode(secret('a')) }}",
    ] {
        let made = made(template, &json!("b"));
        assert!(made.contains("nothing can be computed from a secret"), "{template}: {made}");
    }
}

#[test]
fn a_url_has_a_longest_length() {
    let x = json!("x".repeat(40_000));
    assert_eq!(made("https://a.example/{{ vars.x }}", &x).len(), "https://a.example/".len() + 40_000);
    let long = made("https://a.example/{{ vars.x }}/{{ vars.x }}", &x);
    assert_eq!(long, "! expression is too costly: its text has more than 65536 bytes");
}

proptest! {
    #[test]
    fn no_value_leaves_its_segment(x in any::<String>()) {
        let made = made("https://a.example/c/{{ vars.x }}/d?q={{ vars.x }}", &json!(x));
        if let Some(inner) = made.strip_prefix("https://a.example/c/") {
            let (path, query) = inner.split_once("/d?q=").expect("what the author wrote stays");
            prop_assert_eq!(path, query);
            prop_assert!(path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)), "{}", path);
        } else {
            prop_assert!(["", ".", ".."].contains(&x.as_str()), "{}", made);
        }
    }
}
